"""What a sensor_msgs/NavSatFix says, and when it says nothing."""

from __future__ import annotations

import math
from typing import Any

from vlm_vpr_ros.mapping.coordinates import accuracy_problem, position_problem
from vlm_vpr_ros.mapping.fix_track import TimedFix
from vlm_vpr_ros.types import GeoPoint

NO_FIX = "fix without satellites (STATUS_NO_FIX)"
BAD_COVARIANCE = "fix: covariance that is not above 0 (fix kept)"

_COVARIANCE_TYPE_UNKNOWN = 0


def stamp_of(message: Any, record_ns: int) -> tuple[int, bool]:
    """A message's moment (ns), and whether it is its header's.

    A header that was never filled says zero; the time of recording stands in for it.
    """
    stamp = message.header.stamp
    stamp_ns = int(stamp.sec) * 10**9 + int(stamp.nanosec)
    return (stamp_ns, True) if stamp_ns else (record_ns, False)


def fix_problem(message: Any) -> str | None:
    """Say why a NavSatFix is not a position, or None when it is one."""
    if message.status.status < 0:  # -1 is NO_FIX, newer distributions have -2, "not yet known"
        return NO_FIX
    problem = position_problem(float(message.latitude), float(message.longitude))
    problem = problem or accuracy_problem(_alt_m(message), _sigma_m(message))
    return None if problem is None else f"fix: {problem}"


def fix_from_message(message: Any, stamp_ns: int) -> TimedFix:
    """Take the position of a sound NavSatFix (see `fix_problem`); its height is ellipsoidal."""
    position = GeoPoint(float(message.latitude), float(message.longitude), _alt_m(message))
    return TimedFix(stamp_ns, position, _sigma_m(message))


def covariance_problem(message: Any) -> str | None:
    """Say that the covariance is there and cannot be used, or None when it is or is not there."""
    stated = message.position_covariance_type != _COVARIANCE_TYPE_UNKNOWN
    return BAD_COVARIANCE if stated and _sigma_m(message) is None else None


def _alt_m(message: Any) -> float | None:
    alt_m = float(message.altitude)
    return alt_m if math.isfinite(alt_m) else None


def _sigma_m(message: Any) -> float | None:
    """One axis' standard deviation: the mean of the east and north variances, if there are any."""
    if message.position_covariance_type == _COVARIANCE_TYPE_UNKNOWN:
        return None
    east_m2, north_m2 = float(message.position_covariance[0]), float(message.position_covariance[4])
    variance_m2 = (east_m2 + north_m2) / 2
    if not math.isfinite(variance_m2) or min(east_m2, north_m2) <= 0:
        return None
    return math.sqrt(variance_m2)
