import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")


from vlm_vpr_ros.node.odometry import TOLERANCE_S, OdometryTrack
from vlm_vpr_ros.types import Odometry

SECOND = 10**9
FIRST = 1_600_000_000 * SECOND


class Bench:
    def __init__(self):
        self.now_s = 50.0
        self.track = OdometryTrack(lambda: self.now_s)

    def put(self, seconds, x_m=0.0, yaw_rad=0.0):
        self.track.put(FIRST + round(seconds * SECOND), Odometry(x_m, -x_m, yaw_rad))

    def at(self, seconds, arrived_s=0.0):
        return self.track.at(FIRST + round(seconds * SECOND), arrived_s)


@pytest.fixture
def bench():
    return Bench()


def test_no_odometry(bench):
    assert bench.at(0.0, bench.now_s) is None


def test_a_pose_between_two_is_interpolated(bench):
    bench.put(0.0, x_m=1.0, yaw_rad=0.1)
    bench.put(0.1, x_m=2.0, yaw_rad=0.3)
    found = bench.at(0.025)
    assert (found.x_m, found.y_m) == pytest.approx((1.25, -1.25), abs=1e-5)
    assert found.yaw_rad == pytest.approx(0.15, abs=1e-5)


def test_a_turn_takes_the_short_way_round(bench):
    bench.put(0.0, yaw_rad=3.1)
    bench.put(0.1, yaw_rad=-3.1)
    assert abs(bench.at(0.05).yaw_rad) == pytest.approx(math.pi, abs=1e-5)


def test_the_newest_pose_will_do_if_it_is_near(bench):
    bench.put(0.0, x_m=1.0)
    assert bench.at(TOLERANCE_S - 0.01).x_m == 1.0
    assert bench.at(TOLERANCE_S + 0.01) is None


def test_a_gap_is_not_bridged(bench):
    bench.put(0.0, x_m=1.0)
    bench.put(10.0, x_m=2.0)
    assert bench.at(5.0) is None
    assert bench.at(9.9).x_m == 2.0


def test_other_clocks_are_matched_by_arrival(bench):
    for step in range(5):
        bench.now_s = 50.0 + step
        bench.put(1e6 + step, x_m=float(step))
    assert bench.at(0.0, arrived_s=52.1).x_m == 2.0
    assert bench.at(0.0, arrived_s=60.0) is None


def test_a_bag_that_begins_anew(bench):
    bench.put(100.0, x_m=9.0)
    bench.put(0.0, x_m=1.0)
    bench.now_s += 10
    assert bench.at(0.0).x_m == 1.0
    assert bench.at(100.0) is None


def test_old_poses_are_forgotten(bench):
    for step in range(1000):
        bench.put(0.1 * step)
    bench.now_s += 10
    assert bench.at(0.0) is None
    assert bench.at(99.9) is not None
    bench.track.clear()
    assert bench.at(99.9) is None


@given(st.lists(st.floats(0, 100), min_size=1, max_size=30), st.floats(0, 100))
def test_a_pose_is_never_farther_than_the_tolerance(stamps, moment):
    bench = Bench()
    for stamp in sorted(stamps):
        bench.put(stamp, x_m=stamp)  # 1 m/s
    found = bench.at(moment)
    near = min(abs(stamp - moment) for stamp in stamps)
    if near > TOLERANCE_S + 1e-3:
        assert found is None
    elif near < TOLERANCE_S - 1e-3:
        assert abs(found.x_m - moment) <= TOLERANCE_S + 1e-3
