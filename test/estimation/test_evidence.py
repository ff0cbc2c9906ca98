"""What speaks for a candidate."""

from __future__ import annotations

import pytest
from support.properties import given, st

from vlm_vpr_ros.estimation.evidence import chance_similarity, weighed
from vlm_vpr_ros.region.manifest import Background
from vlm_vpr_ros.types import Candidate, GeoPoint

HERE = GeoPoint(45.0, 11.0)
cosines = st.floats(-1, 1)
counts = st.integers(0, 1024)


def log_odds(similarity: float, inliers: int | None, chance: float) -> float:
    """Of one candidate whose geometry was looked at, or that was passed over."""
    (candidate,) = weighed([Candidate(0, HERE, similarity)], [()], chance, [inliers])
    return candidate.log_odds


def weighed_in_row(evidence: list[tuple[Candidate, int]]) -> tuple[Candidate, ...]:
    """All of one drive: each lies beside the references before and after it."""
    beside = [(c.reference - 1, c.reference + 1) for c, _ in evidence]
    return weighed([c for c, _ in evidence], beside, 0.2, [g for _, g in evidence])


@given(cosines, counts, cosines, st.floats(0, 0.5), st.integers(0, 100))
def test_every_kind_of_evidence_adds(
    similarity: float, inliers: int, chance: float, more: float, more_inliers: int
) -> None:
    before = log_odds(similarity, inliers, chance)
    assert log_odds(similarity + more, inliers, chance) >= before
    assert log_odds(similarity, inliers + more_inliers, chance) >= before
    assert log_odds(similarity, inliers, chance + more) <= before


def test_a_candidate_passed_over_counts_as_one_without_inliers() -> None:
    assert log_odds(0.3, None, 0.2) == log_odds(0.3, 0, 0.2)


@given(st.lists(st.tuples(cosines, counts), max_size=20), st.randoms(use_true_random=False))
def test_ranked_by_evidence_whatever_the_order(evidence: list[tuple[float, int]], random) -> None:
    candidates = [(Candidate(i, HERE, s), g) for i, (s, g) in enumerate(evidence)]
    ranked = weighed_in_row(candidates)
    assert [c.log_odds for c in ranked] == sorted((c.log_odds for c in ranked), reverse=True)
    random.shuffle(candidates)
    assert ranked == weighed_in_row(candidates)


def test_without_geometry_the_similarity_ranks() -> None:
    ranked = weighed([Candidate(0, HERE, 0.2), Candidate(1, HERE, 0.4)], [(), ()], 0.3)
    assert [c.reference for c in ranked] == [1, 0]
    assert ranked[0].inliers is None and ranked[0].log_odds > 0 > ranked[1].log_odds


@pytest.mark.parametrize(
    ("sample", "generic", "expected"), [(99, 0.3, 0.6), (99, 0.97, 0.97), (100, 0.97, 0.6)]
)
def test_a_small_region_does_not_know_chance(sample: int, generic: float, expected: float) -> None:
    quantiles = tuple(i / 100 for i in range(1, 100))
    background = Background(radius_m=50, sample=sample, quantiles=quantiles)
    assert chance_similarity(background, generic) == pytest.approx(expected)
    assert chance_similarity(None, generic) == generic


def test_that_there_are_twins_does_not_make_all_places_alike() -> None:
    """Four in ten views have a twin: what the others reach by chance is the same."""
    alone = tuple(0.1 + i / 1000 for i in range(99))
    twins = tuple(0.1 + i / 600 for i in range(59)) + (0.9,) * 40
    chances = [
        chance_similarity(Background(radius_m=50, sample=1000, quantiles=q), 0.3)
        for q in (alone, twins)
    ]
    assert chances[1] == pytest.approx(chances[0], abs=0.05)
