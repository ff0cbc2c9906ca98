"""How people spell the columns of a table of images."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vlm_vpr_ros.types import AltitudeDatum

# role -> spellings, the preferred first.
SPELLINGS: dict[str, tuple[str, ...]] = {
    "path": (
        "path", "image_path", "img_path", "file_path", "filepath", "file", "filename", "file_name",
        "image", "image_name", "img", "name",
    ),
    "lat": ("lat", "latitude", "lat_deg", "latitude_deg", "gps_lat", "gps_latitude"),
    "lon": (
        "lon", "lng", "long", "longitude", "lon_deg", "lng_deg", "longitude_deg", "gps_lon",
        "gps_lng", "gps_longitude",
    ),
    "alt": (
        "alt_ellipsoid", "alt_ellipsoid_m", "ellipsoidal_height", "alt_msl", "alt_msl_m",
        "elevation", "elevation_m", "alt", "altitude", "alt_m", "altitude_m", "gps_altitude",
    ),
    "heading": (
        "heading", "heading_deg", "compass", "compass_deg", "compass_angle", "bearing",
        "bearing_deg", "azimuth", "azimuth_deg", "yaw_deg",
    ),
    "time": (
        "stamp_ns", "timestamp_ns", "time_ns", "stamp_us", "timestamp_us", "time_us", "stamp_ms",
        "timestamp_ms", "time_ms", "time", "timestamp", "stamp", "datetime", "date_time",
        "time_utc", "time_local", "captured_at",
    ),
    "drive": ("drive", "drive_id", "sequence", "sequence_id", "traversal", "traverse"),
    "sigma": (
        "sigma", "sigma_m", "position_sigma_m", "accuracy", "accuracy_m", "gps_accuracy",
        "gps_accuracy_m",
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Column:
    """Where a role is found, and how the table spells it."""

    index: int
    spelling: str


def find_columns(header: Sequence[str]) -> dict[str, Column]:
    """Find the roles that a header row names; case, blanks and punctuation do not matter."""
    spelled = [re.sub(r"[^a-z0-9]+", "_", cell.lower()).strip("_") for cell in header]
    found: dict[str, Column] = {}
    for role, spellings in SPELLINGS.items():
        spelling = next((one for one in spellings if one in spelled), None)
        if spelling is not None:
            found[role] = Column(spelled.index(spelling), spelling)
    return found


def altitude_datum(spelling: str) -> AltitudeDatum:
    """What an altitude column is measured from, as far as its name tells."""
    if "ellipsoid" in spelling:
        return AltitudeDatum.ELLIPSOID
    if "msl" in spelling or "elevation" in spelling:
        return AltitudeDatum.MEAN_SEA_LEVEL
    return AltitudeDatum.UNKNOWN


def time_unit(spelling: str) -> str | None:
    """The unit that a time column's name states, or None."""
    unit = spelling.rpartition("_")[2]
    return unit if unit in {"ns", "us", "ms"} else None
