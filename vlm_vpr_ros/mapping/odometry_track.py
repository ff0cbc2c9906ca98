"""Where the robot was, by its recorded odometry, when an image was taken."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from vlm_vpr_ros.types import Odometry

TOLERANCE_NS = 200_000_000
"""A pose farther than this from the image in time says nothing of it; as in the node."""


class OdometryTrack:
    """Poses by the stamps of their headers.

    Args:
        poses: (stamp in ns, pose), in any order.
    """

    def __init__(self, poses: Iterable[tuple[int, Odometry]]) -> None:
        ordered = sorted(poses, key=lambda pose: pose[0])
        self._stamps_ns = np.array([stamp_ns for stamp_ns, _ in ordered], np.int64)
        self._x_m = np.array([pose.x_m for _, pose in ordered])
        self._y_m = np.array([pose.y_m for _, pose in ordered])
        self._yaw_rad = np.unwrap([pose.yaw_rad for _, pose in ordered])

    def at(self, stamp_ns: int) -> Odometry | None:
        """The pose at a moment, interpolated; None where no pose is near enough in time."""
        if not len(self._stamps_ns):
            return None
        # Differences: stamps of today have more digits than a float.
        since_ns = self._stamps_ns - stamp_ns
        if np.abs(since_ns).min() > TOLERANCE_NS:
            return None
        x_m, y_m, yaw_rad = (
            float(np.interp(0.0, since_ns.astype(np.float64), values))
            for values in (self._x_m, self._y_m, self._yaw_rad)
        )
        return Odometry(x_m, y_m, math.remainder(yaw_rad, 2 * math.pi))
