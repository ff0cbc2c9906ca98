"""Probabilities of places, and the gate."""

from __future__ import annotations

import numpy as np
import pytest
from support.properties import given, st

from vlm_vpr_ros.estimation.gate import decide, support
from vlm_vpr_ros.estimation.posterior import posterior
from vlm_vpr_ros.estimation.trust import Trust
from vlm_vpr_ros.types import Candidate, GeoPoint, Hypothesis, Reason

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


def hypotheses(*log_odds: float, prior: float = 0.0) -> list[Hypothesis]:
    """Places of these log-odds; the prior speaks for the first."""
    here = GeoPoint(45, 11)
    return [
        Hypothesis(
            here,
            0.5,
            None,
            0.5,
            9.0 * np.eye(2),
            (Candidate(i, here, 0.5, log_odds=z, prior_log_odds=prior if i == 0 else 0.0),),
        )
        for i, z in enumerate(log_odds)
    ]


@pytest.mark.parametrize(
    ("log_odds", "reason"),
    [
        ((), Reason.WEAK_EVIDENCE),
        ((3.0,), Reason.ACCEPTED),
        ((2.9,), Reason.WEAK_EVIDENCE),
        ((5.0, 4.9), Reason.AMBIGUOUS),
        ((1.0, 0.9), Reason.WEAK_EVIDENCE),
        ((-800.0, -900.0), Reason.WEAK_EVIDENCE),
    ],
)
def test_the_gate(log_odds: tuple[float, ...], reason: Reason) -> None:
    decision, detail = decide(hypotheses(*log_odds), 0.3, Trust(3.0))
    assert decision is reason
    assert detail


@given(st.lists(nats, min_size=1, max_size=10), nats, nats)
def test_a_stricter_gate_accepts_no_more(log_odds: list[float], a: float, b: float) -> None:
    found = hypotheses(*sorted(log_odds, reverse=True))
    if decide(found, 0.3, Trust(max(a, b)))[0] is Reason.ACCEPTED:
        assert decide(found, 0.3, Trust(min(a, b)))[0] is Reason.ACCEPTED


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=10))
def test_support_is_the_log_odds_of_the_probability(log_odds: list[float]) -> None:
    ordered = sorted(log_odds, reverse=True)
    places, _ = posterior(ordered)
    found = support(ordered, np.zeros(len(ordered)))
    assert 1 / (1 + np.exp(-found)) == pytest.approx(places[0], rel=1e-9)


def test_a_prior_tells_places_apart_but_makes_none_known() -> None:
    tied = support([8.0, 7.9], [0.0, 0.0])
    assert support([10.0, 7.9], [2.0, 0.0]) == pytest.approx(tied + 2, abs=0.01)
    assert support([7.95, 7.9], [-2.0, 0.0]) < tied
    # What resembles no place of the map: however sure the prior, the images must say where.
    weak = float(np.logaddexp(-2.0, -3.0))
    assert support([3.0, -3.0], [5.0, 0.0]) == pytest.approx(weak)
    told = decide(hypotheses(10.0, 7.9, prior=2.0), 0.3, Trust(2.5))
    assert told[0] is Reason.AMBIGUOUS and "without the prior" in told[1]


def test_log_odds_count_for_what_they_are_worth() -> None:
    found = hypotheses(4.0, 1.0)
    assert decide(found, 0.3, Trust(2.5))[0] is Reason.ACCEPTED
    assert decide(found, 0.3, Trust(2.5, slope=0.5))[0] is Reason.WEAK_EVIDENCE
    assert decide(found, 0.3, Trust(2.5, slope=0.5, bias=9.0))[0] is Reason.AMBIGUOUS
