"""A NavSatFix as a prior: a cell tower's position, or where the robot was last known to be."""

from __future__ import annotations

import math

import numpy as np
from sensor_msgs.msg import NavSatFix, NavSatStatus

from vlm_vpr_ros.errors import MessageError
from vlm_vpr_ros.prior.geo_prior import MAX_SIGMA_M, MIN_SIGMA_M, Component, GeoPrior

FLOOR = 0.05
"""Share of the whole Earth: receivers report wrong positions with small covariances."""

_WITHOUT_FIX = "they have no fix (status.status < 0)"
_WITHOUT_COVARIANCE = (
    "their covariance is unknown (position_covariance_type = 0): without it there is no width"
)
_ZERO_COVARIANCE = "their covariance is zero, negative or not finite: no position is that sure"
_NO_POSITION = "latitude and longitude are no position in degrees"


def prior_of_fix(message: NavSatFix) -> GeoPrior:
    """A Gaussian as wide as the longer axis of the covariance, above a uniform floor.

    Raises:
        MessageError: there is no fix in it, or no covariance, or a number is impossible.
    """
    if message.status.status < NavSatStatus.STATUS_FIX:
        raise MessageError(_WITHOUT_FIX)
    if not (abs(message.latitude) <= 90 and abs(message.longitude) <= 180):
        raise MessageError(_NO_POSITION)
    if message.position_covariance_type == NavSatFix.COVARIANCE_TYPE_UNKNOWN:
        raise MessageError(_WITHOUT_COVARIANCE)
    horizontal_m2 = np.asarray(message.position_covariance, np.float64).reshape(3, 3)[:2, :2]
    if not np.isfinite(horizontal_m2).all() or (np.diag(horizontal_m2) <= 0).any():
        raise MessageError(_ZERO_COVARIANCE)
    bounded_m2 = horizontal_m2.clip(-(MAX_SIGMA_M**2), MAX_SIGMA_M**2)
    longest_m2 = float(np.linalg.eigvalsh((bounded_m2 + bounded_m2.T) / 2)[-1])
    sigma_m = min(max(math.sqrt(longest_m2), MIN_SIGMA_M), MAX_SIGMA_M)
    part = Component(message.latitude, message.longitude, sigma_m, 1 - FLOOR, "~/prior_fix")
    return GeoPrior((part,), FLOOR, "topic")
