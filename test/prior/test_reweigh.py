"""What a prior may add, and what it may not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.priors import at, priors
from support.properties import given, st

from vlm_vpr_ros.estimation.hypotheses import group_by_place, ranked
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.prior.reweigh import prior_log_odds, reweighed
from vlm_vpr_ros.types import Candidate, GeoPoint

densities = st.lists(st.floats(-1e4, 50), min_size=1, max_size=12).map(np.array)


@given(densities, st.floats(0, 20))
def test_no_place_gains_more_on_another_than_the_cap(density: np.ndarray, cap: float) -> None:
    gained = prior_log_odds(density, cap)
    assert np.ptp(gained) <= cap + 1e-9
    assert gained.max() <= cap + 1e-9
    # pi is a distribution over the places.
    assert np.exp(gained).sum() == pytest.approx(len(density))


@given(densities, st.floats(0, 20))
def test_a_likelier_place_never_gains_less(density: np.ndarray, cap: float) -> None:
    gained = prior_log_odds(density, cap)
    assert (np.diff(gained[np.argsort(density)]) >= -1e-12).all()


def test_the_cap_is_reached_and_zero_switches_off() -> None:
    sure = np.array([0.0, -1e3, -1e3])
    assert np.ptp(prior_log_odds(sure, 2.4)) == pytest.approx(2.4)
    np.testing.assert_allclose(prior_log_odds(sure, 0.0), 0, atol=1e-12)
    np.testing.assert_allclose(prior_log_odds(np.full(5, -7.0), 2.4), 0, atol=1e-12)


def candidate(row: int, lat: float, lon: float, log_odds: float) -> Candidate:
    return Candidate(row, GeoPoint(lat, lon), 0.5, log_odds=log_odds)


SEEN = [
    candidate(0, 48.0, 11.0, 3.0),
    candidate(1, 48.0001, 11.0, 2.0),
    candidate(2, -33.0, 151.0, 2.5),
    candidate(3, 35.0, 139.0, -1.0),
]


def test_a_twin_near_the_prior_comes_first_and_its_neighbours_with_it() -> None:
    places = reweighed(group_by_place(SEEN, 25.0), at(-33.0, 151.1, 2e4), 2.4)
    assert [place.best.reference for place in places] == [2, 0, 3]
    assert places[0].best.prior_log_odds > 0 > places[1].best.prior_log_odds
    first, neighbour = places[1].candidates
    assert first.prior_log_odds == neighbour.prior_log_odds
    for place in places:
        for c in place.candidates:
            assert c.log_odds == pytest.approx(SEEN[c.reference].log_odds + c.prior_log_odds)
    assert [c.reference for c in ranked(places)] == [2, 0, 1, 3]


@given(priors())
def test_places_keep_their_position_and_their_members(prior: GeoPrior) -> None:
    before = {p.best.reference: p for p in group_by_place(SEEN, 25.0)}
    after = reweighed(list(before.values()), prior, 2.4)
    assert {place.best.reference for place in after} == set(before)
    for place in after:
        was = before[place.best.reference]
        assert (place.position, place.spacing_m) == (was.position, was.spacing_m)
        assert [c.reference for c in place.candidates] == [c.reference for c in was.candidates]
        assert -math.log(1 + math.e**2.4 / 3) <= place.best.prior_log_odds <= math.log(3)


def test_no_places() -> None:
    assert reweighed([], at(0, 0, 1e3), 2.4) == []


def test_a_prior_keeps_its_worth_where_images_claim_too_much() -> None:
    slope = 0.25
    plain, shrunk = (
        reweighed(group_by_place(SEEN, 25.0), at(-33.0, 151.1, 2e4), 2.4, worth)
        for worth in (1.0, slope)
    )
    worth = {place.best.reference: slope * place.best.prior_log_odds for place in shrunk}
    for place in plain:
        assert worth[place.best.reference] == pytest.approx(place.best.prior_log_odds)
