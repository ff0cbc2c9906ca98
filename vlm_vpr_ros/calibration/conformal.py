"""Ellipses that hold what they promise."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from vlm_vpr_ros.calibration.record import Ellipses
from vlm_vpr_ros.types import GAUSSIAN_RADII

LEAST_FIXES = 20
"""Right fixes without which nothing is said of ellipses: the 95 % one needs 19."""


def ellipses(sigmas: Sequence[float], at_least: float) -> Ellipses | None:
    """The scale and the radii that hold what they promise of further errors like these.

    The radius of a share is the smallest distance within which ⌈(n + 1) share⌉ of the n errors lie
    (conformal prediction, Vovk et al. 2005); the scale is the largest that any of them needs.

    Args:
        sigmas: Mahalanobis distances of right fixes.
        at_least: the least scale.
    """
    if len(sigmas) < LEAST_FIXES:
        return None
    ascending = np.sort(sigmas)
    held = {
        per_cent: max(float(ascending[math.ceil((len(sigmas) + 1) * per_cent / 100) - 1]), 1e-3)
        for per_cent in GAUSSIAN_RADII
    }
    scale = max(at_least, *((held[p] / GAUSSIAN_RADII[p]) ** 2 for p in held))
    return Ellipses(
        fixes=len(sigmas),
        scale=scale,
        radii={str(p): distance / math.sqrt(scale) for p, distance in held.items()},
    )
