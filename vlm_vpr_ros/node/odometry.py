"""Where the robot was, by its odometry, at the moment of a frame."""

from __future__ import annotations

import math
import time
from bisect import bisect_left
from collections.abc import Callable
from typing import NamedTuple

from vlm_vpr_ros.types import Odometry

TOLERANCE_S = 0.2
"""A pose farther than this from the frame in time says nothing of it."""

_KEPT = 200


class _Pose(NamedTuple):
    stamp_s: float
    arrived_s: float
    odometry: Odometry


class OdometryTrack:
    """The poses of the last messages.

    A frame's pose is interpolated by the stamps. Where the clocks of camera and odometry differ,
    the pose that arrived when the frame did is taken instead: a constant lag between the two is the
    same for every frame, and only the way between frames means anything.

    `put` is for one thread; `at` may be called from others.

    Args:
        clock: a steady clock, in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        # Replaced, never changed: readers in other threads need no lock.
        self._poses: tuple[_Pose, ...] = ()

    def put(self, stamp_ns: int, odometry: Odometry) -> None:
        """Keep a pose that arrived now; a stamp that goes backwards drops those before."""
        pose = _Pose(stamp_ns * 1e-9, self._clock(), odometry)
        earlier = self._poses
        if earlier and pose.stamp_s < earlier[-1].stamp_s:
            earlier = ()
        self._poses = (*earlier[1 - _KEPT :], pose)

    def clear(self) -> None:
        """Forget every pose."""
        self._poses = ()

    def at(self, stamp_ns: int, arrived_s: float) -> Odometry | None:
        """The pose at the moment of a frame; None if none is near enough.

        Args:
            stamp_ns: of the frame.
            arrived_s: when it arrived, on the clock of this track.
        """
        poses, stamp_s = self._poses, stamp_ns * 1e-9
        after = bisect_left(poses, stamp_s, key=lambda pose: pose.stamp_s)
        near = [
            pose
            for pose in poses[max(after - 1, 0) : after + 1]
            if abs(pose.stamp_s - stamp_s) <= TOLERANCE_S
        ]
        if len(near) == 2:
            return _between(near[0], near[1], stamp_s)
        if not near:
            near = [pose for pose in poses if abs(pose.arrived_s - arrived_s) <= TOLERANCE_S]
            near.sort(key=lambda pose: abs(pose.arrived_s - arrived_s))
        return near[0].odometry if near else None


def _between(one: _Pose, other: _Pose, stamp_s: float) -> Odometry:
    if other.stamp_s == one.stamp_s:
        return other.odometry
    share = (stamp_s - one.stamp_s) / (other.stamp_s - one.stamp_s)
    a, b = one.odometry, other.odometry
    turn_rad = math.remainder(b.yaw_rad - a.yaw_rad, math.tau)
    return Odometry(
        x_m=a.x_m + share * (b.x_m - a.x_m),
        y_m=a.y_m + share * (b.y_m - a.y_m),
        yaw_rad=math.remainder(a.yaw_rad + share * turn_rad, math.tau),
    )
