"""Probabilities of places, and the gate."""

from __future__ import annotations

import numpy as np
import pytest
from support.properties import given, st

from vlm_vpr_ros.config import GateConfig
from vlm_vpr_ros.estimation.gate import decide
from vlm_vpr_ros.estimation.posterior import posterior
from vlm_vpr_ros.types import GeoPoint, Hypothesis, Reason

nats = st.floats(-1000, 1000)


@given(st.lists(nats, max_size=30))
def test_probabilities_sum_to_one(log_odds: list[float]) -> None:
    places, none = posterior(log_odds)
    assert len(places) == len(log_odds)
    assert ((places >= 0) & (places <= 1)).all() and 0 <= none <= 1
    assert places.sum() + none == pytest.approx(1)


@given(st.lists(nats, min_size=1, max_size=30))
def test_more_evidence_is_more_probable(log_odds: list[float]) -> None:
    places, _ = posterior(sorted(log_odds, reverse=True))
    assert (np.diff(places) <= 1e-15).all()


@given(st.lists(nats, min_size=1, max_size=10), st.floats(0, 50))
def test_more_evidence_for_one_place(log_odds: list[float], more: float) -> None:
    before, none_before = posterior(log_odds)
    after, none_after = posterior([log_odds[0] + more, *log_odds[1:]])
    assert after[0] >= before[0] - 1e-12
    assert none_after <= none_before + 1e-12
    assert (after[1:] <= before[1:] + 1e-12).all()


def test_an_equal_rival_halves_and_nothing_found_is_none() -> None:
    alone, _ = posterior([12.0])
    both, _ = posterior([12.0, 12.0])
    assert alone[0] > 0.99
    assert both[0] == both[1] == pytest.approx(0.5, abs=0.01)
    assert posterior([])[1] == 1.0


def hypotheses(*probabilities: float) -> list[Hypothesis]:
    return [Hypothesis(GeoPoint(45, 11), 0.5, None, p, 3.0, ()) for p in probabilities]


@pytest.mark.parametrize(
    ("probabilities", "reason"),
    [
        ((), Reason.WEAK_EVIDENCE),
        ((0.95,), Reason.ACCEPTED),
        ((0.949,), Reason.WEAK_EVIDENCE),
        ((0.5, 0.48), Reason.AMBIGUOUS),
        ((0.5, 0.4), Reason.WEAK_EVIDENCE),
        ((0.0, 0.0), Reason.WEAK_EVIDENCE),
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
