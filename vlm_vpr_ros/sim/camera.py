"""The camera of the robot: a pinhole without distortion, and where it looks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pinhole:
    """A rectilinear camera; lengths in pixels, the principal point in the middle."""

    width: int = 640
    height: int = 480
    focal: float = 390.0

    @property
    def matrix(self) -> Floats:
        """K, (3, 3), for pixel centres at whole numbers."""
        return np.array(
            [
                [self.focal, 0.0, (self.width - 1) / 2],
                [0.0, self.focal, (self.height - 1) / 2],
                [0.0, 0.0, 1.0],
            ]
        )


@dataclass(frozen=True)
class CameraPose:
    """Where a camera is in a plan.

    Attributes:
        first_m, second_m, up_m: its position.
        heading_deg: clockwise from the plan's first axis.
        pitch_deg: upwards.
    """

    first_m: float
    second_m: float
    up_m: float
    heading_deg: float
    pitch_deg: float
