from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from vlm_vpr_ros.mapping.fix_track import MAX_GAP_S, MAX_REACH_S, FixTrack, TimedFix
from vlm_vpr_ros.types import GeoPoint

WGS84 = Geod(ellps="WGS84")
S = 10**9


def metres(a: GeoPoint, b: GeoPoint) -> float:
    return float(WGS84.inv(a.lon_deg, a.lat_deg, b.lon_deg, b.lat_deg)[2])


def track(*fixes: tuple[float, float, float], sigma: float | None = 1.0) -> FixTrack:
    return FixTrack(TimedFix(int(t * S), GeoPoint(lat, lon), sigma) for t, lat, lon in fixes)


def test_between_two_fixes() -> None:
    found = FixTrack(
        [
            TimedFix(2 * S, GeoPoint(0.0, 20.0002, 14.0), 3.0),
            TimedFix(0, GeoPoint(0.0, 20.0, 10.0), 1.0),
        ]
    ).at(S)
    assert found is not None
    point, sigma = found
    assert point.lat_deg == pytest.approx(0.0, abs=1e-12)
    assert point.lon_deg == pytest.approx(20.0001)
    assert point.alt_m == 12.0
    assert sigma == pytest.approx(
        math.hypot(2.0, 0.5)
    )  # mean of the two, and 1 m/s² / 2 · 1 s · 1 s


def test_at_a_fix_is_the_fix() -> None:
    assert track((0, 1.0, 1.0), (1, 1.1, 1.0)).at(S) == (GeoPoint(1.1, 1.0), 1.0)


def test_across_the_antimeridian() -> None:
    found = track((0, 10.0, 179.9999), (1, 10.0, -179.9999)).at(S // 2)
    assert found is not None
    assert abs(found[0].lon_deg) == pytest.approx(180.0, abs=1e-9)
    assert found[0].lat_deg == pytest.approx(10.0, abs=1e-6)


def test_over_the_pole() -> None:
    found = track((0, 89.9999, 0.0), (1, 89.9999, 180.0)).at(S // 2)
    assert found is not None
    assert found[0].lat_deg == pytest.approx(90.0, abs=1e-8)


def test_dropouts_and_ends() -> None:
    drive = track((0, 1.0, 1.0), (1, 1.0, 1.0001), (1 + MAX_GAP_S + 1, 1.0, 1.0007))
    assert drive.at(int(3.5 * S)) is None
    assert drive.at(-S) is None
    assert drive.at(60 * S) is None
    held = drive.at(S + int(MAX_REACH_S * S))
    assert held is not None
    assert held[0] == GeoPoint(1.0, 1.0001)
    assert held[1] == pytest.approx(math.hypot(1.0, 11.13 * MAX_REACH_S), rel=0.01)
    assert drive.at(S + int(MAX_REACH_S * S) + 1) is None
    first_ns, last_ns = drive.span_ns
    for end_ns, outwards in ((first_ns, -1), (last_ns, 1)):
        held = drive.at(end_ns + outwards * int(MAX_REACH_S * S))
        at_end = drive.at(end_ns)
        assert held is not None and at_end is not None and held[0] == at_end[0]
        assert drive.at(end_ns + outwards * (int(MAX_REACH_S * S) + 1)) is None


def test_the_longest_gap_grows_sigma() -> None:
    found = track((0, 1.0, 1.0), (MAX_GAP_S, 1.0, 1.0)).at(int(MAX_GAP_S / 2 * S))
    assert found is not None
    assert found[1] == pytest.approx(math.hypot(1.0, 3.125))


def test_unknown_sigma_stays_unknown() -> None:
    found = track((0, 1.0, 1.0), (1, 1.0, 1.0), sigma=None).at(S // 3)
    assert found is not None
    assert found[1] is None


def test_empty_and_lonely_tracks() -> None:
    assert FixTrack([]).at(0) is None
    assert FixTrack([]).course_deg(0) is None
    lonely = track((0, 1.0, 1.0))
    assert lonely.at(S // 4) == (GeoPoint(1.0, 1.0), 1.0)
    assert lonely.at(S) is None
    assert lonely.course_deg(0) is None


def test_duplicate_stamps() -> None:
    drive = track((0, 1.0, 1.0), (0, 2.0, 2.0), (1, 1.0, 1.0))
    assert len(drive) == 2
    assert drive.at(0) == (GeoPoint(1.0, 1.0), 1.0)


def test_course_needs_motion() -> None:
    east = track(*((t, 0.0, 20.0 + t * 1e-4) for t in range(10)))
    course = east.course_deg(5 * S)
    assert course == pytest.approx(90.0)
    assert east.course_deg(0) == pytest.approx(90.0)
    west = track(*((t, 0.0, 20.0 - t * 1e-4) for t in range(10)))
    assert west.course_deg(9 * S) == pytest.approx(270.0)
    still = track(*((t, 0.0, 20.0 + (t % 2) * 1e-6) for t in range(10)))
    assert still.course_deg(5 * S) is None
    assert east.course_deg(100 * S) is None
    unsure = track(*((t, 0.0, 20.0 + t * 1e-4) for t in range(10)), sigma=100.0)
    assert unsure.course_deg(5 * S) is None


points = st.builds(GeoPoint, st.floats(-90, 90), st.floats(-180, 180, exclude_max=True))


@given(points, st.floats(0, 360), st.floats(0, 200), st.floats(0, 1), st.floats(0.1, MAX_GAP_S))
def test_interpolation_is_geodesic_anywhere(
    start: GeoPoint, azimuth: float, distance: float, share: float, gap_s: float
) -> None:
    lon, lat, _ = WGS84.fwd(start.lon_deg, start.lat_deg, azimuth, distance)
    end = GeoPoint(lat, lon)
    gap_ns = int(gap_s * S)
    stamp_ns = int(gap_ns * share)
    drive = FixTrack([TimedFix(0, start, 2.0), TimedFix(gap_ns, end, 4.0)])
    found = drive.at(stamp_ns)
    assert found is not None
    point, sigma = found
    exact = stamp_ns / gap_ns
    assert metres(start, point) == pytest.approx(distance * exact, abs=1e-3)
    assert metres(point, end) == pytest.approx(distance * (1 - exact), abs=1e-3)
    assert -90 <= point.lat_deg <= 90
    assert -180 <= point.lon_deg <= 180
    assert sigma is not None
    assert 2.0 <= sigma <= math.hypot(4.0, 3.2)


@given(st.lists(st.tuples(st.integers(0, 100 * S), points), max_size=8), st.integers(-S, 101 * S))
def test_any_track_answers_or_declines(fixes: list[tuple[int, GeoPoint]], stamp_ns: int) -> None:
    drive = FixTrack(TimedFix(t, p, 1.0) for t, p in fixes)
    found = drive.at(stamp_ns)
    drive.course_deg(stamp_ns)
    if found is None:
        assert all(abs(t - stamp_ns) > 0 for t, _ in fixes)
        return
    assert found[1] is not None
    assert found[1] >= 1.0


@given(points, points)
def test_continuous_at_the_fixes(first: GeoPoint, second: GeoPoint) -> None:
    drive = FixTrack([TimedFix(0, first, 1.0), TimedFix(S, second, 1.0)])
    near = drive.at(1)
    assert near is not None
    assert metres(near[0], first) < 0.021  # 20,000 km in a second
