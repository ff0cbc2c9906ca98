"""How far off an accepted fix may be."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.config import FixConfig

UNKNOWN_REFERENCE_SIGMA_M = 5.0
"""Of references whose source gave no covariance: a consumer receiver under open sky."""


def horizontal_covariance(
    reference_sigma_m: float,
    spread_enu_m2: npt.NDArray[np.float64],
    spacing_m: float,
    config: FixConfig,
) -> npt.NDArray[np.float64]:
    """(2, 2) east-north covariance in square metres, given that the place is right.

    The sum of what the reference's own position is worth, of how far the agreeing references lie
    apart, of half their spacing (the frame was taken between two of them, and often the neighbour
    of the nearest one matches best), and of a floor.

    Args:
        reference_sigma_m: of the best reference, one axis; NaN when unknown.
        spread_enu_m2: (2, 2) covariance of the place's references.
        spacing_m: between neighbouring references there.
        config: the floor.
    """
    sigma_m = reference_sigma_m if np.isfinite(reference_sigma_m) else UNKNOWN_REFERENCE_SIGMA_M
    isotropic_m2 = sigma_m**2 + (spacing_m / 2) ** 2 + config.min_sigma_m**2
    return np.asarray(spread_enu_m2 + isotropic_m2 * np.eye(2))


def with_vertical(
    horizontal_m2: npt.NDArray[np.float64], config: FixConfig
) -> npt.NDArray[np.float64]:
    """(3, 3) east-north-up covariance from the (2, 2) horizontal one."""
    covariance = np.zeros((3, 3))
    covariance[:2, :2] = horizontal_m2
    covariance[2, 2] = config.altitude_sigma_m**2
    return covariance
