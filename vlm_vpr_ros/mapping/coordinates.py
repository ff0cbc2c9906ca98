"""Which latitudes and longitudes can be believed: one rule for tables, EXIF and satellite fixes."""

from __future__ import annotations

import math

SWAPPED = "latitude and longitude look swapped"
OUT_OF_RANGE = "coordinates out of range"
NOT_NUMBERS = "coordinates are not numbers"
NULL_ISLAND = "position 0, 0 (a receiver that had no fix)"


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
