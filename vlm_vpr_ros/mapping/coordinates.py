"""Which latitudes and longitudes can be believed: one rule for tables, EXIF and satellite fixes."""

from __future__ import annotations

import math

SWAPPED = "latitude and longitude look swapped"
OUT_OF_RANGE = "coordinates out of range"
NOT_NUMBERS = "coordinates are not numbers"
NULL_ISLAND = "position 0, 0 (a receiver that had no fix)"
NOT_ON_EARTH = "altitude that is not on Earth"
UNKNOWN_PLACE = "position sigma of more than 10 km (a receiver that had no fix)"

LOWEST_M, HIGHEST_M = -12_000.0, 100_000.0
"""Below the floor of the deepest ocean (-11 km), above every aircraft and balloon: the edge of
space."""
MAX_SIGMA_M = 10_000.0
"""Receivers without a fix state the largest number their format holds; a town is smaller."""


def position_problem(lat_deg: float, lon_deg: float) -> str | None:
    """Say why a position in WGS 84 degrees cannot be used, or None when it can."""
    if not (math.isfinite(lat_deg) and math.isfinite(lon_deg)):
        return NOT_NUMBERS
    if 90 < abs(lat_deg) <= 180 and abs(lon_deg) <= 90:
        return SWAPPED
    if abs(lat_deg) > 90 or abs(lon_deg) > 180:
        return OUT_OF_RANGE
    if abs(lat_deg) < 1e-6 and abs(lon_deg) < 1e-6:
        return NULL_ISLAND
    return None


def accuracy_problem(alt_m: float | None, sigma_m: float | None) -> str | None:
    """Say why a position of this height and sigma (None when unknown) cannot be mapped, or None."""
    if alt_m is not None and not LOWEST_M <= alt_m <= HIGHEST_M:
        return NOT_ON_EARTH
    if sigma_m is not None and not sigma_m <= MAX_SIGMA_M:
        return UNKNOWN_PLACE
    return None
