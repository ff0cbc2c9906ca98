"""What a robot's other sensors say of a drive: wheel odometry that drifts, satellite fixes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.path import Trajectory

Floats = npt.NDArray[np.float64]

SCALE_SIGMA = 0.01
"""Of the wheels' radius."""
YAW_RATE_SIGMA_RAD_S = 0.002
"""Bias of the gyroscope; one value a drive."""
YAW_NOISE_RAD = 0.001
"""Each step's own."""
CORRELATION_S = 15.0
"""Errors of satellite fixes change over about this time."""


@dataclass(frozen=True)
class Odometry:
    """Poses in the frame where the drive began, x ahead and y to the left: arrays of one length."""

    time_s: Floats
    x_m: Floats
    y_m: Floats
    yaw_rad: Floats


def odometry(true: Trajectory, random: np.random.Generator) -> Odometry:
    """Dead reckoning along a trajectory, with an error of scale, of yaw rate, and noise."""
    scale = 1 + SCALE_SIGMA * random.standard_normal()
    bias = YAW_RATE_SIGMA_RAD_S * random.standard_normal()
    steps = scale * np.hypot(np.diff(true.first_m), np.diff(true.second_m))
    turns = -np.radians(np.diff(true.heading_deg)) + bias * np.diff(true.time_s)
    turns += YAW_NOISE_RAD * random.standard_normal(len(turns)) * (steps > 0)
    yaw = np.concatenate([[0.0], np.cumsum(turns)])
    middle = (yaw[1:] + yaw[:-1]) / 2
    x = np.concatenate([[0.0], np.cumsum(steps * np.cos(middle))])
    y = np.concatenate([[0.0], np.cumsum(steps * np.sin(middle))])
    return Odometry(true.time_s, x, y, yaw)


@dataclass(frozen=True)
class SatelliteErrors:
    """Errors of satellite fixes: arrays of one length.

    Attributes:
        east_m, north_m, up_m: what the receiver is off.
        sigma_m: what it says of itself, horizontally, one axis.
        lost: where it has no fix.
    """

    east_m: Floats
    north_m: Floats
    up_m: Floats
    sigma_m: Floats
    lost: npt.NDArray[np.bool_]


def satellite_errors(time_s: Floats, random: np.random.Generator) -> SatelliteErrors:
    """Errors that drift (first-order Gauss-Markov) and whose covariance the receiver knows.

    A stretch of 2 to 4 s is without a fix.

    Args:
        time_s: moments of the fixes, evenly spaced.
        random: decides everything.
    """
    count = len(time_s)
    wave = np.sin(2 * np.pi * time_s / random.uniform(60, 120) + random.uniform(0, 6.28))
    sigma = random.uniform(0.8, 1.4) * (1 + 0.4 * wave)
    spacing_s = float(time_s[1] - time_s[0]) if count > 1 else 1.0
    keep = np.exp(-spacing_s / CORRELATION_S)
    errors = np.empty((count, 3))
    errors[:1] = random.standard_normal((1, 3))
    for i in range(1, count):
        errors[i] = keep * errors[i - 1] + np.sqrt(1 - keep**2) * random.standard_normal(3)
    begin = random.uniform(0.1, 0.9) * float(time_s[-1])
    lost = (time_s >= begin) & (time_s < begin + random.uniform(2, 4))
    return SatelliteErrors(
        sigma * errors[:, 0], sigma * errors[:, 1], 2 * sigma * errors[:, 2], sigma, lost
    )
