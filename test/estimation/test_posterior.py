"""Probabilities of places, and the gate."""

from __future__ import annotations

import numpy as np
import pytest
from support.properties import given, st

from vlm_vpr_ros.config import GateConfig
from vlm_vpr_ros.estimation.gate import decide
from vlm_vpr_ros.estimation.posterior import chance_similarity, posterior
from vlm_vpr_ros.region.manifest import Background
from vlm_vpr_ros.types import GeoPoint, Hypothesis, Reason

cosines = st.floats(-1, 1)


@given(st.lists(cosines, max_size=30), cosines)
def test_probabilities_sum_to_one(similarities: list[float], chance: float) -> None:
    places, none = posterior(similarities, chance)
    assert len(places) == len(similarities)
    assert ((places >= 0) & (places <= 1)).all() and 0 <= none <= 1
    assert places.sum() + none == pytest.approx(1)


@given(st.lists(cosines, min_size=1, max_size=30), cosines)
def test_more_similar_is_more_probable(similarities: list[float], chance: float) -> None:
    places, _ = posterior(sorted(similarities, reverse=True), chance)
    assert (np.diff(places) <= 1e-15).all()


@given(st.lists(cosines, min_size=1, max_size=10), cosines, st.floats(0, 0.5))
def test_more_evidence_for_one_place(similarities: list[float], chance: float, more: float) -> None:
    before, none_before = posterior(similarities, chance)
    after, none_after = posterior([similarities[0] + more, *similarities[1:]], chance)
    assert after[0] >= before[0] - 1e-12
    assert none_after <= none_before + 1e-12
    assert (after[1:] <= before[1:] + 1e-12).all()


@given(st.lists(cosines, min_size=1, max_size=10), cosines, st.floats(0, 0.5))
def test_the_same_similarity_means_less_where_all_looks_alike(
    similarities: list[float], chance: float, more: float
) -> None:
    assert posterior(similarities, chance + more)[1] >= posterior(similarities, chance)[1] - 1e-12


def test_an_equal_rival_halves_and_nothing_found_is_none() -> None:
    alone, _ = posterior([0.99], 0.2)
    both, _ = posterior([0.99, 0.99], 0.2)
    assert alone[0] > 0.99
    assert both[0] == both[1] == pytest.approx(0.5, abs=0.01)
    assert posterior([], 0.2)[1] == 1.0


@pytest.mark.parametrize(
    ("sample", "generic", "expected"), [(99, 0.3, 0.95), (99, 0.97, 0.97), (100, 0.97, 0.95)]
)
def test_a_small_region_does_not_know_chance(sample: int, generic: float, expected: float) -> None:
    quantiles = tuple(i / 100 for i in range(1, 100))
    background = Background(radius_m=50, sample=sample, quantiles=quantiles)
    assert chance_similarity(background, generic) == expected
    assert chance_similarity(None, generic) == generic


def hypotheses(*probabilities: float) -> list[Hypothesis]:
    return [Hypothesis(GeoPoint(45, 11), 0.5, p, 3.0, ()) for p in probabilities]


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [
        ((), Reason.LOW_SIMILARITY),
        ((0.95,), Reason.ACCEPTED),
        ((0.949,), Reason.LOW_SIMILARITY),
        ((0.5, 0.48), Reason.AMBIGUOUS),
        ((0.5, 0.4), Reason.LOW_SIMILARITY),
        ((0.0, 0.0), Reason.LOW_SIMILARITY),
    ],
)
def test_the_gate(probabilities: tuple[float, ...], reason: Reason) -> None:
    decision, detail = decide(hypotheses(*probabilities), 0.3, GateConfig())
    assert decision is reason
    assert detail


@given(st.floats(0, 1), st.floats(0.001, 0.499))
def test_a_stricter_target_accepts_no_more(probability: float, target: float) -> None:
    loose = GateConfig(target_false_fix_rate=target)
    strict = GateConfig(target_false_fix_rate=target / 2)
    if decide(hypotheses(probability), 0.3, strict)[0] is Reason.ACCEPTED:
        assert decide(hypotheses(probability), 0.3, loose)[0] is Reason.ACCEPTED
