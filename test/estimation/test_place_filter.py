"""Evidence of several frames."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from support.properties import given, st

from vlm_vpr_ros.estimation.motion import FORWARD, Moment, paces
from vlm_vpr_ros.estimation.place_filter import filtered
from vlm_vpr_ros.estimation.posterior import posterior
from vlm_vpr_ros.estimation.sighting import Sighting, Sightings
from vlm_vpr_ros.geodesy import displaced
from vlm_vpr_ros.retrieval.novelty import Novelty
from vlm_vpr_ros.types import Candidate, GeoPoint, Odometry

RADIUS_M = 25.0
SPEED_MPS = 15.0
ANCHORS = [(45.4, 11.9), (-17.7, 180.0), (90.0, 0.0), (-90.0, 33.0), (12.0, -180.0)]
nats = st.floats(-40, 40)


def candidate(row: int, east_m: float, log_odds: float, anchor=ANCHORS[0]) -> Candidate:
    return Candidate(row, GeoPoint(*displaced(*anchor, east_m, 0.0)), 0.5, log_odds=log_odds)


def sighting(*candidates: Candidate, second: float = 0.0, x_m: float | None = None) -> Sighting:
    odometry = None if x_m is None else Odometry(x_m, 0.0, 0.0)
    moment = Moment(int(second * 1e9), odometry)
    ranked = tuple(sorted(candidates, key=lambda c: (-c.log_odds, c.reference)))
    return Sighting(moment, ranked, ("map",) * len(candidates))


def after(*sightings: Sighting) -> tuple[Candidate, ...]:
    return filtered(sightings, SPEED_MPS, RADIUS_M)


def log_odds(candidates: tuple[Candidate, ...], row: int) -> float:
    return next(c.log_odds for c in candidates if c.reference == row)


@st.composite
def drives(draw: st.DrawFn) -> list[Sighting]:
    """A few frames of anything, anywhere, with and without odometry."""
    anchor = draw(st.sampled_from(ANCHORS))
    with_odometry = draw(st.booleans())
    result = []
    for second in range(draw(st.integers(1, 5))):
        rows = draw(st.lists(st.integers(0, 30), unique=True, max_size=6))
        result.append(
            sighting(
                *(candidate(row, 40.0 * row, draw(nats), anchor) for row in rows),
                second=second,
                x_m=draw(st.floats(-100, 100)) if with_odometry else None,
            )
        )
    return result


@given(drives(), st.randoms(use_true_random=False))
def test_whatever_is_seen_the_result_is_finite_and_ordered(
    frames: list[Sighting], random: Random
) -> None:
    result = after(*frames)
    assert sorted(c.reference for c in result) == sorted(c.reference for c in frames[-1].candidates)
    odds = [c.log_odds for c in result]
    assert all(map(math.isfinite, odds)) and odds == sorted(odds, reverse=True)
    probabilities, none = posterior(odds)
    assert probabilities.sum() + none == pytest.approx(1)
    shuffled = []
    for frame in frames:
        candidates = list(frame.candidates)
        random.shuffle(candidates)
        shuffled.append(Sighting(frame.moment, tuple(candidates), frame.drives))
    again = after(*shuffled)
    for before, now in zip(result, sorted(again, key=lambda c: -c.log_odds), strict=True):
        assert now.log_odds == pytest.approx(before.log_odds, abs=1e-6)


@given(st.lists(nats, max_size=6))
def test_one_frame_is_as_it_was(odds: list[float]) -> None:
    frame = sighting(*(candidate(i, 30.0 * i, z) for i, z in enumerate(odds)))
    assert after(frame) == frame.candidates


def walk(odds: list[float], step_m: float = 7.0, x: bool = False) -> list[Sighting]:
    """One place after the other of a street is seen, with these log-odds."""
    return [
        sighting(candidate(i, step_m * i, z), second=i, x_m=step_m * i if x else None)
        for i, z in enumerate(odds)
    ]


def test_frames_that_follow_the_map_grow_surer() -> None:
    tops = [after(*walk([1.0] * n))[0].log_odds for n in range(1, 8)]
    assert tops == sorted(tops) and tops[-1] > tops[0] + 3


def test_frames_that_show_nothing_speak_against_the_map() -> None:
    weak = [after(*walk([4.0, *[-30.0] * n]))[0].log_odds for n in range(4)]
    assert weak == sorted(weak, reverse=True) and weak[-1] < weak[0] - 5


def test_where_the_robot_cannot_have_come_to_does_not_profit() -> None:
    def two_ways(x_m: float | None) -> tuple[Candidate, ...]:
        first = sighting(candidate(0, 0.0, 5.0), x_m=None if x_m is None else 0.0)
        near, far = candidate(1, 8.0, 1.0), candidate(400, 2800.0, 1.0)
        return after(first, sighting(near, far, second=1, x_m=x_m))

    for x_m in (None, 8.0):
        result = two_ways(x_m)
        assert log_odds(result, 1) > log_odds(result, 400) + 3


def test_odometry_tells_places_along_a_street_apart() -> None:
    def ahead(x_m: float) -> int:
        last = [candidate(i, 8.0 * i, 2.0) for i in range(1, 10)]
        frames = sighting(candidate(0, 0.0, 6.0), x_m=0.0), sighting(*last, second=1, x_m=x_m)
        return after(*frames)[0].reference

    assert [ahead(8.0 * i) for i in range(1, 10)] == list(range(1, 10))


def test_a_robot_that_was_carried_away_is_found_again() -> None:
    old = walk([6.0] * 4)
    new = [sighting(candidate(500 + i, 9e5 + 7.0 * i, 12.0), second=4 + i) for i in range(3)]
    for frames in range(1, 4):
        assert after(*old, *new[:frames])[0].log_odds > 3
    assert after(*old, *new)[0].log_odds > after(*old, *new[:1])[0].log_odds


def test_a_place_that_the_last_frame_does_not_show_counts_for_none_of_them() -> None:
    strange = candidate(900, 9e5, 1.0)
    alone = after(sighting(strange))[0].log_odds
    assert after(*walk([9.0] * 5), sighting(strange, second=6))[0].log_odds < alone - 2


@given(nats, nats, st.integers(2, 4))
def test_duplicates_are_not_surer(first: float, second: float, copies: int) -> None:
    def both(times: int) -> float:
        a = [candidate(i, 0.0, first) for i in range(times)]
        b = [candidate(10 + i, 7.0, second) for i in range(times)]
        return after(sighting(*a), sighting(*b, second=1))[0].log_odds

    assert both(copies) == pytest.approx(both(1), abs=1e-6)


def test_along_the_map_is_likelier_than_against_it() -> None:
    def second(row: int) -> float:
        here = candidate(5, 0.0, 3.0)
        return after(sighting(here), sighting(candidate(row, 8.0, 1.0), second=1))[0].log_odds

    assert second(6) - second(4) == pytest.approx(math.log(FORWARD / (1 - FORWARD)), abs=0.2)


@given(st.lists(st.booleans(), min_size=1, max_size=5))
def test_paces_are_a_distribution(odometry: list[bool]) -> None:
    moments = [Moment(i, Odometry(i, 0, 0) if o else None) for i, o in enumerate(odometry)]
    assert sum(math.exp(pace.log_prior) for pace in paces(moments)) == pytest.approx(1)


def test_a_view_counts_once() -> None:
    views = np.eye(4, dtype=np.float32)
    seen = Sightings(Novelty(np.zeros(4, np.float32)), limit=3)
    frames = walk([1.0] * 6)
    for view, frame in zip([0, 0, 1, 0, 2, 3], frames, strict=True):
        seen.add(views[view], frame)
    # View 0 stands for its last frame; of four views the oldest, 1, is forgotten.
    assert list(seen) == [frames[3], frames[4], frames[5]]
    seen.clear()
    assert len(seen) == 0


def test_a_parked_robot_never_grows_surer() -> None:
    view = np.eye(4, dtype=np.float32)[0]
    seen = Sightings(Novelty(np.zeros(4, np.float32)), limit=7)
    frame = sighting(candidate(0, 0.0, 2.0))
    for _ in range(60):
        seen.add(view, frame)
    assert after(*seen) == frame.candidates
