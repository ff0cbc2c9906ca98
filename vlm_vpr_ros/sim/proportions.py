"""Sizes of a house front: floors, where its windows are, how steep its gable is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.looks import Architecture

_GABLES = ("stepped", "gable")


@dataclass(frozen=True)
class Proportions:
    """Sizes of a front; lengths in metres.

    Attributes:
        floors: with the ground floor.
        ground_m, floor_m: heights of the ground floor and of the others.
        wall_m: height of the eaves.
        gable_m: height of the gable above them, 0 without.
        axes_m: middles of the windows.
        window_m: width and height of a window.
        sill_m: from a floor to the foot of its windows.
    """

    floors: int
    ground_m: float
    floor_m: float
    wall_m: float
    gable_m: float
    axes_m: npt.NDArray[np.float64]
    window_m: tuple[float, float]
    sill_m: float

    def floor_up_m(self, floor: int) -> float:
        """Height of a floor; 1 is the one above the ground floor."""
        return self.ground_m + (floor - 1) * self.floor_m


def draw_proportions(
    architecture: Architecture, random: np.random.Generator, width_m: float
) -> Proportions:
    """Draw the sizes of a front, within what the architecture of its town knows."""
    floors = int(random.integers(architecture.floors[0], architecture.floors[1] + 1))
    ground_m = float(random.uniform(3.3, 4.5))
    floor_m = architecture.floor_m * float(random.uniform(0.87, 1.18))
    wall_m = ground_m + (floors - 1) * floor_m + float(random.uniform(0.3, 1.3))
    has_gable = architecture.roof in _GABLES
    gable_m = width_m * float(random.uniform(0.38, 0.8)) if has_gable else 0.0
    bay_m = architecture.bay_m * float(random.uniform(0.8, 1.4))
    columns = max(1, round((width_m - 0.6) / bay_m))
    margin_m = float(random.uniform(0.0, 0.08)) * width_m
    axes = margin_m + (np.arange(columns) + 0.5) * (width_m - 2 * margin_m) / columns
    pitch_m = (width_m - 2 * margin_m) / columns
    if columns > 2 and random.random() < 0.4:  # in pairs
        axes += 0.14 * pitch_m * np.where(np.arange(columns) % 2, -1, 1)
    elif random.random() < 0.4:  # rooms differ
        axes += random.uniform(-0.13, 0.13, columns) * pitch_m
    window_w = min(architecture.window_m[0] * random.uniform(0.65, 1.6), 0.72 * pitch_m)
    window_h = architecture.window_m[1] * random.uniform(0.65, 1.25)
    sill_m = float(random.uniform(0.5, 1.0))
    window_h = min(window_h, floor_m - sill_m - 0.45)
    return Proportions(
        floors, ground_m, floor_m, wall_m, gable_m, axes, (float(window_w), float(window_h)), sill_m
    )  # fmt: skip
