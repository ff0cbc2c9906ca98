"""The pose of a nav_msgs/Odometry, without ROS: for bags and for the node alike."""

from __future__ import annotations

import math
from typing import Any

from vlm_vpr_ros.errors import MessageError
from vlm_vpr_ros.types import Odometry

_NORM_TOLERANCE = 0.1
"""Drivers round; what is farther from a unit quaternion is no rotation, such as all zeros."""


def planar_pose(message: Any) -> Odometry:
    """The pose in the plane.

    Raises:
        MessageError: it holds NaN, infinity, or no rotation.
    """
    position, q = message.pose.pose.position, message.pose.pose.orientation
    if not math.isfinite(position.x + position.y):
        raise MessageError("the position is not finite")
    if not abs(math.hypot(q.x, q.y, q.z, q.w) - 1) < _NORM_TOLERANCE:  # NaN, too
        raise MessageError("the orientation is no unit quaternion")
    # In this form the length of the quaternion does not matter.
    yaw_rad = math.atan2(2 * (q.w * q.z + q.x * q.y), q.w**2 + q.x**2 - q.y**2 - q.z**2)
    return Odometry(float(position.x), float(position.y), yaw_rad)
