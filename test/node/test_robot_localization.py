"""The composition with robot_localization, where that is installed: late fixes, a kidnapping."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("launch_ros", reason="ROS 2's launch is not installed")

from ament_index_python.packages import get_package_prefix
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from node_process import Launch, until
from robot import Client
from sensor_msgs.msg import Imu, NavSatFix

from vlm_vpr_ros.geodesy import displaced

try:
    get_package_prefix("robot_localization")
    get_package_prefix("vlm_vpr_ros")
except LookupError as error:
    pytest.skip(f"not in a sourced workspace: {error}", allow_module_level=True)

DATUM = (48.137, 11.575)
SPEED_MPS = 1.0
LATE_S = 2.0
PERIOD_S = 0.05


class Driving(Client):
    """A robot that drives east; its wheels and IMU say so, and somebody publishes late fixes."""

    def __init__(self) -> None:
        super().__init__("robot")
        self.fused = self.listen("/odometry/global", Odometry)
        self.wheels = self.listen("/odometry/filtered", Odometry)
        self._odom = self.node.create_publisher(Odometry, "/odom", 10)
        self._imu = self.node.create_publisher(Imu, "/imu/data", 10)
        self._fix = self.node.create_publisher(NavSatFix, "/relocalizer/fix", 10)
        self._pose = self.node.create_publisher(PoseWithCovarianceStamped, "/relocalizer/pose", 10)
        self.began_m = 0.0
        """How far east the filters are of where wheels alone lead: they began later."""
        self._began_ns = time.time_ns()
        self._stopped = threading.Event()
        self._driver = threading.Thread(target=self._drive)
        self._driver.start()

    def close(self) -> None:
        self._stopped.set()
        self._driver.join()
        super().close()

    def driven_m(self, stamp_ns: int) -> float:
        return SPEED_MPS * (stamp_ns - self._began_ns) * 1e-9

    def off_m(self, message: Odometry) -> tuple[float, float]:
        """How far a filter is east and north of where wheels alone lead it."""
        position = message.pose.pose.position
        return position.x - self.driven_m(stamp_ns(message)) - self.began_m, position.y

    def fix(self, east_m: float, north_m: float) -> None:
        """A fix that rests on an image of a while ago, so far from where wheels alone lead."""
        taken_ns = time.time_ns() - int(LATE_S * 1e9)
        x_m, y_m = self.driven_m(taken_ns) + self.began_m + east_m, north_m
        lat_deg, lon_deg = displaced(*DATUM, x_m, y_m)
        fix = stamped(NavSatFix, taken_ns, "base_link")
        fix.latitude, fix.longitude, fix.altitude = lat_deg, lon_deg, 0.0
        fix.position_covariance = np.diag([1.0, 1.0, 100.0]).ravel()
        fix.position_covariance_type = NavSatFix.COVARIANCE_TYPE_KNOWN
        self._fix.publish(fix)
        pose = stamped(PoseWithCovarianceStamped, taken_ns, "map")
        pose.pose.pose.position.x, pose.pose.pose.position.y = x_m, y_m
        pose.pose.covariance = np.diag([1.0, 1.0, 100.0, 10.0, 10.0, math.pi**2]).ravel()
        self._pose.publish(pose)

    def _drive(self) -> None:
        while not self._stopped.wait(PERIOD_S):
            now_ns = time.time_ns()
            odom = stamped(Odometry, now_ns, "odom")
            odom.child_frame_id = "base_link"
            odom.pose.pose.position.x = self.driven_m(now_ns)
            odom.twist.twist.linear.x = SPEED_MPS
            odom.twist.covariance = (np.eye(6) * 1e-3).ravel()
            self._odom.publish(odom)
            imu = stamped(Imu, now_ns, "base_link")
            imu.orientation_covariance = (np.eye(3) * 1e-3).ravel()
            imu.angular_velocity_covariance = (np.eye(3) * 1e-3).ravel()
            imu.linear_acceleration_covariance = (np.eye(3) * 1e-2).ravel()
            self._imu.publish(imu)


def stamp_ns(message: Any) -> int:
    return int(message.header.stamp.sec) * 10**9 + int(message.header.stamp.nanosec)


def stamped(kind: type, at_ns: int, frame: str) -> Any:
    message = kind()
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(at_ns, 10**9)
    message.header.frame_id = frame
    return message


@pytest.fixture
def robot(launch: Launch) -> Iterator[Driving]:
    # The relocalizer has no region and is silent: the test speaks for it.
    launch("robot_localization.launch.py", region="/none", datum=f"{DATUM[0]}, {DATUM[1]}")
    made = Driving()
    made.wait_for(lambda: made.fused and made.wheels)
    until(lambda: made.node.count_publishers("/ekf_map/set_pose"))
    # A fix from before the filter's history would be applied to its oldest state.
    made.wait_for(lambda: stamp_ns(made.fused[-1]) - stamp_ns(made.fused[0]) > 2 * LATE_S * 1e9)
    made.began_m = made.off_m(made.fused[-1])[0]
    yield made
    made.close()


def test_late_fixes_pull_the_filter_aside_but_not_back(robot: Driving) -> None:
    def aside() -> bool:
        robot.fix(0.0, 3.0)
        return robot.off_m(robot.fused[-1])[1] > 1.0

    until(aside)
    east_m, _ = robot.off_m(robot.fused[-1])
    assert abs(east_m) < LATE_S * SPEED_MPS / 4


def test_a_kidnapped_robot_is_set_where_the_fixes_say(robot: Driving) -> None:
    def found() -> bool:
        robot.fix(300.0, 40.0)
        east_m, north_m = robot.off_m(robot.fused[-1])
        return abs(east_m - 300.0) < 2.0 and abs(north_m - 40.0) < 2.0

    until(found)
    east_m, north_m = robot.off_m(robot.wheels[-1])
    assert math.hypot(east_m, north_m) < 30.0, "odom does not jump"
