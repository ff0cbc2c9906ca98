"""Whether the published covariances are true: what the ellipses hold, and the NEES."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlm_vpr_ros.geodesy import east_north_m
from vlm_vpr_ros.types import GAUSSIAN_RADII, Fix, GeoPoint, Hypothesis

PER_CENTS = tuple(GAUSSIAN_RADII)
_TRIMMED = 0.05


@dataclass(frozen=True)
class Nees:
    """Normalized estimation errors squared, in the plane: 2 on average if the covariance is true.

    Attributes:
        mean: ruled by the largest few.
        median: 1.39 of a Gaussian.
        trimmed_mean: without the least and the largest twentieth.
    """

    mean: float | None
    median: float | None
    trimmed_mean: float | None


def mahalanobis(said: Fix | Hypothesis, truth: GeoPoint) -> float:
    """Horizontal distance of the truth from what was said, in standard deviations."""
    position = said.position
    error = east_north_m(position.lat_deg, position.lon_deg, truth.lat_deg, truth.lon_deg)
    return float(np.sqrt(error @ np.linalg.solve(said.covariance_enu_m2[:2, :2], error)))


def nees(distances: Sequence[float]) -> Nees:
    """Of Mahalanobis distances; what no distance is there for is None."""
    if not len(distances):
        return Nees(None, None, None)
    squared = np.sort(np.square(distances))
    cut = int(_TRIMMED * len(squared))
    return Nees(
        float(squared.mean()),
        float(np.median(squared)),
        float(squared[cut : len(squared) - cut].mean()),
    )


def share_within(distances: Sequence[float], radii: Sequence[float]) -> float | None:
    """Share of the Mahalanobis distances that are within a radius each; None of none."""
    if not len(distances):
        return None
    return float(np.mean(np.asarray(distances) <= np.asarray(radii)))
