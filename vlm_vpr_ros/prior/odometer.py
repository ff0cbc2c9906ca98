"""How far the robot has come, by its odometry."""

from __future__ import annotations

import math

from vlm_vpr_ros.types import Odometry


class Odometer:
    """Adds up the straight lines between frames."""

    def __init__(self) -> None:
        self._sum_m = 0.0
        self._last: Odometry | None = None
        self._lacking = True

    def see(self, odometry: Odometry | None) -> None:
        """Take the odometry of the next frame, None if it has none."""
        self._lacking = odometry is None
        if odometry is None:
            return
        if self._last is not None:
            self._sum_m += math.hypot(odometry.x_m - self._last.x_m, odometry.y_m - self._last.y_m)
        self._last = odometry

    @property
    def travelled_m(self) -> float | None:
        """Way since the first odometry; None while the last frame had none."""
        return None if self._lacking else self._sum_m
