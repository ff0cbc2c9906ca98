"""Grouping of candidates, positions and covariances, anywhere on Earth."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import numpy as np
import pytest
from support.properties import given, st

from vlm_vpr_ros.config import FixConfig
from vlm_vpr_ros.estimation.covariance import (
    UNKNOWN_REFERENCE_SIGMA_M,
    horizontal_covariance,
    with_vertical,
)
from vlm_vpr_ros.estimation.hypotheses import Place, group_by_place
from vlm_vpr_ros.geodesy import displaced, distance_m
from vlm_vpr_ros.types import Candidate, GeoPoint

RADIUS_M = 25.0
ANCHORS = [(45.4, 11.9), (0.0, 0.0), (-17.7, 180.0), (12.0, -180.0), (90.0, 0.0), (-90.0, 33.0)]
ANCHORS += [(89.9999, 179.9999)]
anchors = st.sampled_from(ANCHORS)
metres = st.floats(-80, 80)


@st.composite
def candidate_lists(draw: st.DrawFn) -> list[Candidate]:
    anchor = draw(anchors)
    offsets = draw(st.lists(st.tuples(metres, metres, st.floats(-50, 50)), min_size=1, max_size=12))
    return [
        Candidate(i, GeoPoint(*displaced(*anchor, east, north), 10.0 * i), 0.5, log_odds=nats)
        for i, (east, north, nats) in enumerate(offsets)
    ]


def metres_between(a: GeoPoint, b: GeoPoint) -> float:
    return float(distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg))


def same(a: list[Place], b: list[Place]) -> bool:
    return all(
        x.candidates == y.candidates
        and x.position == y.position
        and np.array_equal(x.spread_enu_m2, y.spread_enu_m2)
        for x, y in zip(a, b, strict=True)
    )


@given(candidate_lists())
def test_every_candidate_is_in_one_group_near_its_founder(candidates: list[Candidate]) -> None:
    places = group_by_place(candidates, RADIUS_M)
    members = [c for place in places for c in place.candidates]
    assert sorted(c.reference for c in members) == sorted(c.reference for c in candidates)
    for place in places:
        best = place.candidates[0]
        assert place.best.log_odds == max(c.log_odds for c in place.candidates)
        assert all(metres_between(c.position, best.position) <= RADIUS_M for c in place.candidates)
        assert metres_between(place.position, best.position) <= RADIUS_M + 1e-6
    of_places = [p.best.log_odds for p in places]
    assert of_places == sorted(of_places, reverse=True)


@given(candidate_lists(), st.randoms(use_true_random=False))
def test_the_order_of_candidates_does_not_matter(
    candidates: list[Candidate], random: Random
) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert same(group_by_place(candidates, RADIUS_M), group_by_place(shuffled, RADIUS_M))


@given(candidate_lists())
def test_copies_of_a_reference_make_a_place_no_more_likely(candidates: list[Candidate]) -> None:
    copies = [replace(c, reference=100 + c.reference) for c in candidates for _ in range(3)]
    once = group_by_place(candidates, RADIUS_M)
    often = group_by_place([*candidates, *copies], RADIUS_M)
    assert [p.best.log_odds for p in once] == [p.best.log_odds for p in often]


@given(anchors, st.floats(0, 360))
def test_the_position_is_the_mean_across_antimeridian_and_poles(
    anchor: tuple[float, float], direction: float
) -> None:
    east, north = 10 * np.sin(np.radians(direction)), 10 * np.cos(np.radians(direction))
    pair = [
        Candidate(0, GeoPoint(*displaced(*anchor, east, north)), 0.9),
        Candidate(1, GeoPoint(*displaced(*anchor, -east, -north)), 0.9),
    ]
    (place,) = group_by_place(pair, RADIUS_M)
    assert metres_between(place.position, GeoPoint(*anchor)) < 1e-3
    assert np.trace(place.spread_enu_m2) == pytest.approx(100, rel=1e-3)
    assert abs(place.position.lat_deg) <= 90 and abs(place.position.lon_deg) <= 180


def test_the_height_is_the_best_candidates() -> None:
    known, unknown = GeoPoint(45.4, 11.9, 42.0), GeoPoint(45.4, 11.9)
    for first, expected in ((known, 42.0), (unknown, None)):
        other = unknown if first is known else known
        (place,) = group_by_place(
            [Candidate(0, other, 0.8), Candidate(1, first, 0.9, log_odds=1.0)], RADIUS_M
        )
        assert place.position.alt_m == expected


sigmas = st.one_of(
    st.floats(0, 1e4), st.sampled_from([np.nan, np.inf, -np.inf, -3.0, float(np.float32(3e38))])
)


@given(candidate_lists(), sigmas, st.floats(0.01, 1e4), st.floats(0.01, 1e4))
def test_covariances_are_symmetric_positive_definite(
    candidates: list[Candidate], sigma_m: float, floor_m: float, vertical_m: float
) -> None:
    config = FixConfig(min_sigma_m=floor_m, altitude_sigma_m=vertical_m)
    for place in group_by_place(candidates, RADIUS_M):
        covariance = with_vertical(
            horizontal_covariance(sigma_m, place.spread_enu_m2, place.spacing_m, config), config
        )
        assert np.isfinite(covariance).all()
        np.testing.assert_array_equal(covariance, covariance.T)
        np.linalg.cholesky(covariance)
        assert np.linalg.eigvalsh(covariance[:2, :2]).min() >= 0.999 * floor_m**2
        assert covariance[2, 2] == vertical_m**2
        assert not covariance[2, :2].any()


def test_an_unknown_sigma_is_not_zero() -> None:
    config = FixConfig()
    covariance = horizontal_covariance(float("nan"), np.zeros((2, 2)), 0.0, config)
    expected = UNKNOWN_REFERENCE_SIGMA_M**2 + config.min_sigma_m**2
    np.testing.assert_allclose(covariance, expected * np.eye(2))
