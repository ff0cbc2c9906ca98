"""The step after the fix: a robot that was carried away tells its localization where it is now.

    ros2 run vlm_vpr_ros after_kidnapping --ros-args -p resets:=ekf -r pose:=/relocalizer/pose

See docs/robot_localization.md.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import rclpy
from geometry_msgs.msg import Point, PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import ParameterDescriptor
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args, try_shutdown

from vlm_vpr_ros.config import AfterKidnappingConfig
from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.node import declaration
from vlm_vpr_ros.node.signals import ending_signal
from vlm_vpr_ros.node.tellers import Tellers
from vlm_vpr_ros.pose_reset import HOLDS_S, PoseReset, Position

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)  # as AMCL publishes
_NAP_S = 0.5


class AfterKidnapping(Node):
    """Resets an EKF of robot_localization, or AMCL, when fixes contradict it.

    Subscribes to `pose` (PoseWithCovarianceStamped, the relocalizer's `~/pose`) and to what the
    filter believes: `odometry/filtered` (Odometry), or `amcl_pose` (PoseWithCovarianceStamped).
    Publishes `set_pose`, or `initialpose` (PoseWithCovarianceStamped), in the same frame.

    A filter is reset, and AMCL given its first pose, only by `agreeing_fixes` fixes in a row.
    The EKF gets the fix moved on to the present, and keeps its height, roll, pitch and yaw. AMCL
    gets the fix as it is, with the image's stamp and an unknown yaw: it does the rest itself.

    Raises:
        ConfigError: a parameter is wrong.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(
            "after_kidnapping", automatically_declare_parameters_from_overrides=True, **arguments
        )
        config = declaration.declare(self, AfterKidnappingConfig(), _descriptor)
        self._amcl = config.resets == "amcl"
        self._rule = PoseReset(
            gate=config.gate,
            agreeing=config.agreeing_fixes,
            within_s=config.within_s,
            yaw_sigma_rad=math.pi if self._amcl else config.yaw_sigma_rad,
            # AMCL tells its pose when the wheels have turned: of a carried robot it is silent.
            holds_s=math.inf if self._amcl else HOLDS_S,
            begins=self._amcl,
        )
        self._belief: Any = None
        self._reset = self.create_publisher(
            PoseWithCovarianceStamped, "initialpose" if self._amcl else "set_pose", 1
        )
        self.create_subscription(PoseWithCovarianceStamped, "pose", self._on_fix, 10)
        if self._amcl:
            heard = self.create_subscription(
                PoseWithCovarianceStamped, "amcl_pose", self._on_belief, _LATCHED
            )
            self._tellers = Tellers(self, heard.topic_name)
            clock = Clock(clock_type=ClockType.STEADY_TIME)
            self.create_timer(_NAP_S, self._watch_amcl, clock=clock)
        else:
            self.create_subscription(Odometry, "odometry/filtered", self._on_belief, 10)

    def _on_belief(self, message: Odometry | PoseWithCovarianceStamped) -> None:
        position = _position(message)
        if position is None:
            self._say_unusable(message)
            return
        self._belief = message
        self._rule.believe(position)
        if self._amcl:
            self._tellers.told()

    def _on_fix(self, message: PoseWithCovarianceStamped) -> None:
        position = _position(message)
        if position is None or np.linalg.det(position.covariance_m2) <= 0.0:
            self._say_unusable(message)
            return
        belief = self._belief
        if belief is not None and message.header.frame_id != belief.header.frame_id:
            self.get_logger().error(
                f"the fix is in the frame `{message.header.frame_id}`, the filter in "
                f"`{belief.header.frame_id}`: set map.frame of the relocalizer",
                throttle_duration_sec=10.0,
            )
            return
        reset = self._rule.fix(position)
        if reset is None:
            return
        if belief is None:
            self.get_logger().info(
                f"AMCL has told no pose yet: it gets the last of {reset.fixes} fixes that agree"
            )
        else:
            self.get_logger().warning(
                f"the robot is {reset.offset_m:.0f} m from where the filter believes, say "
                f"{reset.fixes} fixes in a row: reset by {self._reset.topic_name}"
            )
        self._reset.publish(message if self._amcl else self._moved(reset.position))

    def _watch_amcl(self) -> None:
        if self._belief is not None and self._tellers.gone():
            self.get_logger().info("AMCL is gone, and what it believed with it")
            self._belief = None
            self._rule.forget()

    def _say_unusable(self, message: Odometry | PoseWithCovarianceStamped) -> None:
        self.get_logger().warning(
            f"a {type(message).__name__} in the frame `{message.header.frame_id}` is left out: its "
            "position or covariance is not usable",
            throttle_duration_sec=10.0,
        )

    def _moved(self, position: Position) -> PoseWithCovarianceStamped:
        """The filter's newest pose at another place."""
        made = PoseWithCovarianceStamped(header=self._belief.header)
        belief = self._belief.pose.pose
        made.pose.pose.position = Point(x=position.x_m, y=position.y_m, z=belief.position.z)
        made.pose.pose.orientation = belief.orientation
        covariance = np.array(self._belief.pose.covariance).reshape(6, 6)
        covariance[:2] = 0.0  # the new position has nothing to do with the old one
        covariance[:, :2] = 0.0
        covariance[:2, :2] = position.covariance_m2
        made.pose.covariance = covariance.ravel()
        return made


def _descriptor(name: str, field: FieldInfo) -> ParameterDescriptor:
    made = declaration.descriptor(name, field)
    made.read_only = True
    return made


def _position(message: Odometry | PoseWithCovarianceStamped) -> Position | None:
    """The horizontal part of a message; None where it is none."""
    stamp, point = message.header.stamp, message.pose.pose.position
    covariance_m2 = np.array(message.pose.covariance).reshape(6, 6)[:2, :2]
    numbers = np.array([point.x, point.y, *covariance_m2.ravel()])
    if not np.isfinite(numbers).all() or np.linalg.eigvalsh(covariance_m2)[0] < 0.0:
        return None
    return Position(stamp.sec * 10**9 + stamp.nanosec, point.x, point.y, covariance_m2)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the node until it is told to end; returns 2 for wrong parameters or arguments."""
    arguments = list(sys.argv if argv is None else argv)
    stop = ending_signal()
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # of several types, most of them private
        print(f"after_kidnapping: {error}", file=sys.stderr)
        return 2
    try:
        _parser().parse_args(remove_ros_args(arguments)[1:])
        executor = SingleThreadedExecutor()
        executor.add_node(AfterKidnapping())
        while stop.empty():
            # With a bound: a signal does not wake the executor.
            executor.spin_once(timeout_sec=_NAP_S)
    except ConfigError as error:
        print(f"after_kidnapping: {error}", file=sys.stderr)
        return 2
    finally:
        try_shutdown()
    return 0


def _parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="after_kidnapping",
        description="The ROS 2 node that resets a robot's localization when fixes contradict it.",
        epilog="Parameters: --ros-args -p resets:=ekf -p agreeing_fixes:=5 "
        "-r pose:=/relocalizer/pose",
    )


if __name__ == "__main__":
    sys.exit(main())
