"""Looks at drives that never were driven: correlated scores, and truth drawn from them."""

from __future__ import annotations

import numpy as np

from vlm_vpr_ros.calibration.looks import DriveLooks, Look


def look(
    log_odds: float, right: bool, sigmas: float = 1.0, frames: int = 1, rival: float = -50.0
) -> Look:
    images = np.array([log_odds, rival])
    return Look(frames, images, np.zeros(2), np.array([right, False]), np.array([sigmas, sigmas]))


def world(
    drives: int,
    rng: np.random.Generator,
    frames: int = 70,
    window: int = 7,
    slope: float = 1.0,
    offset: float = 2.0,
) -> list[DriveLooks]:
    """Drives on which `slope * log_odds` is right on average, more on some drives than on others.

    Within a window the log-odds grow. Errors have tails heavier than a Gaussian.
    """
    return [_drive(f"drive {n}", rng, frames, window, slope, offset) for n in range(drives)]


def _drive(
    name: str, rng: np.random.Generator, frames: int, window: int, slope: float, offset: float
) -> DriveLooks:
    drive, luck, mood = DriveLooks(name), rng.normal(0, 0.5), 0.0
    gathered: list[Look] = []
    for _ in range(frames):
        mood = 0.8 * mood + 0.6 * rng.normal()
        truth = offset + luck + 1.5 * mood
        sigmas = abs(rng.standard_t(4)) * 1.5
        right = rng.random() < 1 / (1 + np.exp(-truth))
        drive.singles.append(look(truth / slope, right, sigmas))
        later = truth + 0.3 * len(gathered)
        right = rng.random() < 1 / (1 + np.exp(-later))
        gathered.append(look(later / slope, right, sigmas, len(gathered) + 1))
        if len(gathered) == window:
            drive.windows.append(tuple(gathered))
            gathered = []
    return drive
