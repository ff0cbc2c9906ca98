"""The plan of the towns, the camera, the way a robot drives, what its sensors say."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from projection import project

from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.sim.camera import CameraPose, Pinhole
from vlm_vpr_ros.sim.drives import demo_query, mapping_drives, statistics_drives
from vlm_vpr_ros.sim.layout import BLOCK_M, Plan
from vlm_vpr_ros.sim.path import ACCELERATION_M_S2, CRUISE_M_S, drive
from vlm_vpr_ros.sim.sensors import odometry, satellite_errors
from vlm_vpr_ros.sim.towns import TOWNS

SEED = 7


@pytest.mark.parametrize("town", TOWNS, ids=lambda town: town.key)
def test_a_loop_returns_to_its_first_street_and_never_crosses_itself(town):
    loop = Plan(town, SEED).loop
    assert loop[0] == loop[-1]
    assert len(set(loop)) == len(loop) - 1
    assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in pairwise(loop))


def test_copied_streets_have_the_same_houses_in_every_town():
    plans = [Plan(town, SEED) for town in TOWNS]
    copies = [
        {street.copy: (street.left, street.right) for street in plan.streets if street.copy}
        for plan in plans
    ]
    assert all(len(plan.loop) == 13 for plan in plans)
    assert all(plan.copied_share() == pytest.approx(5 / 12) for plan in plans)
    for some in copies:
        assert {"a0", "a1", "a2", "b0", "b1"} <= some.keys()
        for name in some.keys() & copies[0].keys():
            assert some[name] == copies[0][name]


def test_mapped_streets_that_are_no_copies_share_no_house():
    plans = [Plan(town, SEED) for town in TOWNS]
    names = [
        house.name
        for plan in plans
        for street in plan.streets
        if street.mapped and not street.copy
        for house in street.left + street.right
    ]
    assert len(set(names)) == len(names)


def test_the_seed_decides_the_plan():
    first, again, other = Plan(TOWNS[0], 1), Plan(TOWNS[0], 1), Plan(TOWNS[0], 2)
    assert first.streets == again.streets
    assert first.streets != other.streets


@pytest.mark.parametrize("town", TOWNS, ids=lambda town: town.key)
def test_distances_in_the_plan_are_distances_on_earth(town):
    plan = Plan(town, SEED)
    (lat0, lon0), (lat1, lon1) = plan.position(0, 0), plan.position(3 * BLOCK_M, -4 * BLOCK_M)
    assert distance_m(lat0, lon0, lat1, lon1) == pytest.approx(5 * BLOCK_M, abs=0.01)
    assert (lat0, lon0) == pytest.approx((town.lat_deg, town.lon_deg))


def test_a_point_straight_ahead_is_in_the_middle_of_the_image():
    camera = Pinhole()
    pose = CameraPose(3.0, -2.0, 1.6, 90.0, 0.0)
    [[column, row]] = project(camera, pose, np.array([[3.0, 8.0, 1.6]]))
    assert (column, row) == pytest.approx((319.5, 239.5))


@given(
    heading_deg=st.floats(-180, 180),
    pitch_deg=st.floats(-20, 20),
    right_m=st.floats(-5, 5),
    down_m=st.floats(-5, 5),
)
def test_projection_agrees_with_the_camera_matrix(heading_deg, pitch_deg, right_m, down_m):
    camera = Pinhole()
    pose = CameraPose(10.0, 20.0, 1.5, heading_deg, pitch_deg)
    heading, pitch = np.radians([heading_deg, pitch_deg])
    ahead = [np.cos(heading) * np.cos(pitch), np.sin(heading) * np.cos(pitch), np.sin(pitch)]
    right = [-np.sin(heading), np.cos(heading), 0]
    down = [np.cos(heading) * np.sin(pitch), np.sin(heading) * np.sin(pitch), -np.cos(pitch)]
    local = np.array([right_m, down_m, 9.0])
    point = np.array([10.0, 20.0, 1.5]) + local @ np.array([right, down, ahead])
    expected = camera.matrix @ local
    np.testing.assert_allclose(project(camera, pose, point[None])[0], expected[:2] / 9.0, atol=1e-6)


def test_what_is_behind_the_camera_has_no_pixel():
    pixels = project(Pinhole(), CameraPose(0, 0, 1.5, 0, 0), np.array([[-5.0, 0.0, 1.5]]))
    assert np.isnan(pixels).all()


@given(seed=st.integers(0, 1000), lane_m=st.floats(-2, 2))
def test_a_drive_is_smooth_and_within_its_limits(seed, lane_m):
    way = drive(Plan(TOWNS[0], SEED).loop, lane_m, np.random.default_rng(seed))
    moments = np.arange(0, way.time_s[-1], 0.1)
    part = way.at(moments)
    steps = np.hypot(np.diff(part.first_m), np.diff(part.second_m))
    speed = steps / 0.1
    assert speed.max() < 1.25 * CRUISE_M_S  # the outer lane of a curve is a little longer
    assert np.abs(np.diff(speed)).max() / 0.1 < 2 * ACCELERATION_M_S2
    moving = steps > 0.2
    course = np.degrees(np.arctan2(np.diff(part.second_m), np.diff(part.first_m)))
    off = (course - part.heading_deg[:-1] + 180) % 360 - 180
    assert np.abs(off[moving]).max() < 5  # it looks where it goes
    assert (np.diff(way.time_s) > 0).all()


def test_stops_take_time():
    plan = Plan(TOWNS[0], SEED)
    through = drive(plan.loop, 1.0, np.random.default_rng(1), stops=0)
    stopping = drive(plan.loop, 1.0, np.random.default_rng(1), stops=2)
    assert stopping.time_s[-1] > through.time_s[-1] + 4


def test_odometry_keeps_short_distances_and_drifts_over_long_ones():
    ends = []
    for seed in range(60):
        way = drive(Plan(TOWNS[0], SEED).loop, 1.0, np.random.default_rng(seed))
        way = way.at(np.arange(0, way.time_s[-1], 0.1))
        driven = odometry(way, np.random.default_rng(1000 + seed))
        travelled = np.hypot(np.diff(driven.x_m), np.diff(driven.y_m)).sum()
        true = np.hypot(np.diff(way.first_m), np.diff(way.second_m)).sum()
        assert travelled == pytest.approx(true, rel=0.05)
        ends.append(np.hypot(driven.x_m[-1], driven.y_m[-1]))
    # The loop ends where it began; odometry has lost metres to tens of metres by then.
    assert 2 < np.median(ends) < 100


def test_errors_of_satellite_fixes_are_as_large_as_the_receiver_says():
    time_s = np.arange(0, 200, 0.5)
    scaled, neighbours = [], []
    for seed in range(150):
        errors = satellite_errors(time_s, np.random.default_rng(seed))
        east = errors.east_m / errors.sigma_m
        scaled.append(np.mean(east**2))
        neighbours.append(np.mean(east[1:] * east[:-1]) / np.mean(east**2))
        assert 4 <= errors.lost.sum() <= 8
    assert np.mean(scaled) == pytest.approx(1.0, abs=0.12)
    assert np.median(neighbours) > 0.9  # an error lasts: fixes close in time do not average out


def test_presets_hold_what_they_promise():
    query = demo_query(SEED)
    assert len({leg.town for leg in query.legs}) == 4
    assert not query.satellites
    assert any(len(leg.covered) for leg in query.legs)
    assert [d.legs[0].town for d in mapping_drives(SEED)] == [town.key for town in TOWNS]
    drives = statistics_drives(SEED, 20)
    assert len({d.name for d in drives}) == 40
    for role in ("calibration", "query"):
        some = [d.legs[0] for d in drives if d.role == role]
        assert len(some) == 20
        assert len({leg.town for leg in some}) == len({leg.condition for leg in some}) == 5
