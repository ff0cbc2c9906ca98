from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.evaluation.metrics import (
    RADII_M,
    RANKS,
    FixScore,
    Score,
    fix_counts,
    latency_percentiles,
    percentiles,
    recall,
    recall_table,
    solvable_counts,
    stage_scores,
)


def score(nearest: float, candidates: list[float], error: float | None = None) -> Score:
    fix = None if error is None else FixScore(error, error / 5)
    return Score(nearest, np.array(candidates), fix)


def test_recall_counts_the_solvable_or_all() -> None:
    scores = [
        score(0.0, [3.0, 400.0]),
        score(4.0, [400.0, 11.0]),
        score(8.0, [400.0, 400.0]),
        score(5000.0, [5000.0]),  # out of the region: nobody can find it
    ]
    assert recall(scores, 12, 1, solvable=True) == pytest.approx(1 / 3)
    assert recall(scores, 12, 5, solvable=True) == pytest.approx(2 / 3)
    assert recall(scores, 12, 5, solvable=False) == pytest.approx(2 / 4)
    assert solvable_counts(scores) == {"5": 2, "12": 3, "25": 3, "100": 3}


def test_a_reference_on_the_radius_is_within_it() -> None:
    assert recall([score(12.0, [12.0])], 12, 1, solvable=True) == 1.0
    assert recall([score(12.0, [12.001])], 12, 1, solvable=True) == 0.0


def test_recall_of_no_solvable_query_is_unknown() -> None:
    far = [score(1e6, [1e6])]
    assert recall(far, 100, 10, solvable=True) is None
    assert recall(far, 100, 10, solvable=False) == 0.0
    assert recall([], 100, 10, solvable=False) is None
    assert json.loads(json.dumps(recall_table(far)))["12"]["1"] is None


def test_a_refused_frame_without_candidates_is_a_miss() -> None:
    assert recall([score(0.0, [])], 5, 10, solvable=True) == 0.0


def test_false_fixes_are_farther_than_the_limit_and_counted_among_the_accepted() -> None:
    scores = [score(0, [], e) for e in (0.0, 50.0, 50.1, None, None)]
    counts = fix_counts(scores, 50.0)
    assert (counts.queries, counts.accepted, counts.refused, counts.false) == (5, 3, 2, 1)
    assert counts.false_rate == pytest.approx(1 / 3)


def test_queries_outside_the_region_are_counted_by_their_nearest_reference() -> None:
    scores = [score(50.0, [], 3.0), score(50.1, [], 60.0), score(5000.0, [])]
    counts = fix_counts(scores, 50.0)
    assert (counts.outside, counts.outside_accepted) == (2, 1)


def test_the_false_rate_of_nothing_accepted_is_unknown() -> None:
    assert fix_counts([score(0, [])], 50.0).false_rate is None
    assert fix_counts([], 50.0).false_rate is None


def test_percentiles() -> None:
    assert percentiles([]) == {"p50": None, "p90": None, "p95": None}
    assert percentiles([7.0]) == {"p50": 7.0, "p90": 7.0, "p95": 7.0}
    assert percentiles(list(range(101)))["p90"] == 90.0


def test_a_stage_is_measured_over_the_frames_that_reached_it() -> None:
    laps = [{"check": 1.0}, {"check": 3.0, "encode": 10.0}]
    assert latency_percentiles(laps) == {
        "check": {"p50": 2.0, "p95": pytest.approx(2.9)},
        "encode": {"p50": 10.0, "p95": 10.0},
    }


def test_a_stage_that_did_not_run_leaves_what_was_there() -> None:
    both = {"verification": np.array([3.0]), "retrieval": np.array([400.0])}
    scores = [
        Score(0.0, np.empty(0), None, stages_m=both),
        Score(0.0, np.empty(0), None, stages_m={"retrieval": np.array([7.0])}),
        Score(0.0, np.empty(0), None),  # refused before it was searched
    ]
    staged = stage_scores(scores)
    assert list(staged) == ["retrieval", "verification"]
    assert [s.candidates_m.tolist() for s in staged["retrieval"]] == [[400.0], [7.0], []]
    assert [s.candidates_m.tolist() for s in staged["verification"]] == [[3.0], [7.0], []]


distances = st.floats(0, 2e7)
scores_of_anything = st.lists(
    st.builds(
        lambda candidates, error, slack: score(
            max(0.0, min(candidates, default=0.0) - slack), candidates, error
        ),
        st.lists(distances, max_size=20),
        st.none() | distances,
        distances,
    ),
    max_size=20,
)


@given(scores_of_anything)
def test_more_candidates_and_wider_circles_never_lower_recall_over_all(scores: list[Score]) -> None:
    shares = recall_table(scores, solvable=False)
    for radius, wider in pairwise(RADII_M):
        for rank in RANKS:
            a, b = shares[str(radius)][str(rank)], shares[str(wider)][str(rank)]
            assert (a is None and b is None) or (a is not None and b is not None and a <= b)
    for row in shares.values():
        known = [share for share in row.values() if share is not None]
        assert known == sorted(known)
        assert all(0 <= share <= 1 for share in known)


@given(scores_of_anything)
def test_solvable_recall_is_at_least_recall_over_all(scores: list[Score]) -> None:
    for radius in RADII_M:
        solvable = recall(scores, radius, 10, solvable=True)
        everything = recall(scores, radius, 10, solvable=False)
        assert solvable is None or (everything is not None and solvable >= everything)


@given(scores_of_anything, st.floats(0, 1e6))
def test_counts_add_up(scores: list[Score], limit: float) -> None:
    counts = fix_counts(scores, limit)
    assert counts.accepted + counts.refused == counts.queries == len(scores)
    assert 0 <= counts.false <= counts.accepted
    assert (counts.false_rate is None) == (counts.accepted == 0)
