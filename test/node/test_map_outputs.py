"""What goes out in a local frame: ~/pose and ~/markers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from visualization_msgs.msg import Marker

from vlm_vpr_ros.config import MapConfig
from vlm_vpr_ros.evaluation.outcome_scene import outcome_scene
from vlm_vpr_ros.geodesy import displaced
from vlm_vpr_ros.node.map_frame import MapFrame
from vlm_vpr_ros.node.markers import markers
from vlm_vpr_ros.node.pose import pose
from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior
from vlm_vpr_ros.types import (
    Fix,
    GeoPoint,
    Hypothesis,
    Outcome,
    PriorReport,
    PriorStatus,
    Reason,
)

COVARIANCE = np.diag([9.0, 1.0, 100.0])
DATUM = "48.0, 11.0, 500.0, 90.0"


def fix_at(east_m, north_m, alt_m=503.0):
    return Fix(GeoPoint(*displaced(48.0, 11.0, east_m, north_m), alt_m), COVARIANCE)


def test_without_a_datum_there_is_no_frame():
    assert MapFrame.of(MapConfig()) is None


def test_a_pose_on_a_map_whose_x_axis_points_north():
    frame = MapFrame.of(MapConfig(frame="town", datum=DATUM))
    message = pose(fix_at(30.0, 40.0), 5_000_000_007, frame)
    assert (message.header.frame_id, message.header.stamp.sec) == ("town", 5)
    position = message.pose.pose.position
    assert (position.x, position.y, position.z) == pytest.approx((40.0, -30.0, 3.0), abs=1e-6)
    orientation = message.pose.pose.orientation
    assert (orientation.x, orientation.y, orientation.z, orientation.w) == (0, 0, 0, 1)
    covariance = np.reshape(message.pose.covariance, (6, 6))
    assert np.diag(covariance)[:3] == pytest.approx([1.0, 9.0, 100.0])
    assert covariance[5, 5] == pytest.approx(math.pi**2)
    assert (np.linalg.eigvalsh(covariance) > 0).all()


@pytest.mark.parametrize(("datum", "alt_m"), [("48, 11", 503.0), (DATUM, None)])
def test_a_height_that_is_not_known_is_that_of_the_origin(datum, alt_m):
    frame = MapFrame.of(MapConfig(datum=datum))
    assert pose(fix_at(0.0, 0.0, alt_m), 0, frame).pose.pose.position.z == 0.0


@given(
    st.floats(-89.9, 89.9),
    st.floats(-180, 180),
    st.floats(-math.pi, math.pi),
    st.floats(-1e4, 1e4),
    st.floats(-1e4, 1e4),
)
def test_a_map_keeps_distances_from_its_origin(lat, lon, yaw_rad, east_m, north_m):
    frame = MapFrame("map", GeoPoint(lat, lon), yaw_rad)
    x_m, y_m = frame.xy_m(*displaced(lat, lon, east_m, north_m))
    assert math.hypot(x_m, y_m) == pytest.approx(math.hypot(east_m, north_m), abs=1e-3)
    forward = math.cos(yaw_rad) * east_m + math.sin(yaw_rad) * north_m
    assert x_m == pytest.approx(forward, abs=1e-3)


@given(st.floats(-math.pi, math.pi), st.floats(0.1, 10), st.floats(0.1, 10))
def test_a_turned_covariance_keeps_its_axes(yaw_rad, a, b):
    frame = MapFrame("map", GeoPoint(0, 0), yaw_rad)
    turned = frame.covariance(np.diag([a, b]))
    assert np.linalg.eigvalsh(turned) == pytest.approx(sorted((a, b)))
    along_x = np.array([math.cos(yaw_rad), math.sin(yaw_rad)])
    assert turned[0, 0] == pytest.approx(along_x @ np.diag([a, b]) @ along_x)


def outcome():
    here = GeoPoint(*displaced(48.0, 11.0, 30.0, 40.0))
    there = GeoPoint(*displaced(48.0, 11.0, 300.0, 400.0))
    prior = GeoPrior((Component(48.0, 11.0, 5000.0, 0.9, "Munich"),), 0.1, "vlm")
    return Outcome(
        7,
        Reason.ACCEPTED,
        "fine",
        Fix(here, COVARIANCE),
        hypotheses=(
            Hypothesis(here, 0.8, 50, 0.9, 9.0 * np.eye(2), ()),
            Hypothesis(there, 0.5, None, 0.05, 16.0 * np.eye(2), ()),
        ),
        probability=0.9,
        prior=PriorReport(PriorStatus.USED, prior),
    )


def test_markers_show_the_prior_the_places_and_the_ellipse():
    frame = MapFrame.of(MapConfig(datum=DATUM))
    first, *made = markers(outcome_scene(outcome()), 7, frame).markers
    assert first.action == Marker.DELETEALL
    assert {m.header.frame_id for m in made} == {"map"}
    assert len({m.id for m in made}) == len(made)
    by_layer = {(m.ns, m.type): m for m in made}
    dots = by_layer["hypotheses", Marker.SPHERE_LIST].points
    assert [(p.x, p.y) for p in dots] == [
        pytest.approx((40.0, -30.0), abs=1e-6),
        pytest.approx((400.0, -300.0), abs=1e-6),
    ]
    ellipse = by_layer["fix", Marker.LINE_LIST].points
    xs, ys = np.array([(p.x, p.y) for p in ellipse]).T
    assert len(ellipse) % 2 == 0
    # 95 % of a Gaussian: 2.448 standard deviations; the long axis, east, is the map's y.
    assert xs.max() - xs.min() == pytest.approx(2 * 2.448 * 1.0, rel=0.02)
    assert ys.max() - ys.min() == pytest.approx(2 * 2.448 * 3.0, rel=0.02)
    texts = [m.text for m in made if m.type == Marker.TEXT_VIEW_FACING]
    assert any("Munich" in text for text in texts)
    assert all(0 <= c <= 1 for m in made for c in (m.color.r, m.color.g, m.color.b))


def test_nothing_found_clears_the_markers():
    frame = MapFrame("map", GeoPoint(48.0, 11.0))
    made = markers(outcome_scene(Outcome(7, Reason.DARK_IMAGE, "dark")), 7, frame).markers
    assert [m.action for m in made] == [Marker.DELETEALL]
