"""Where, when and in which direction a photo was taken, as its EXIF tags tell it.

Cameras write these tags with every imaginable slip; a tag that cannot be believed is left out and
the reason is kept, so that a reader can report it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlm_vpr_ros.images import ExifData
from vlm_vpr_ros.mapping.coordinates import NOT_NUMBERS, position_problem
from vlm_vpr_ros.mapping.times import Time, parse_time
from vlm_vpr_ros.types import AltitudeDatum, GeoPoint

NO_POSITION = "no position in EXIF"
NO_REFERENCE = "EXIF position without N/S or E/W"
OLD_DATUM = "EXIF position on the Tokyo datum (some 400 m off WGS 84)"
BAD_ERROR = "EXIF error of the position that is not above 0"
MAGNETIC = "EXIF heading against magnetic north (not true north)"
HEADING_UNCLEAR = "EXIF heading that is no number or lacks its reference"

# GPS tags
_LAT_REF, _LAT, _LON_REF, _LON, _ALT_REF, _ALT, _TIME = 1, 2, 3, 4, 5, 6, 7
_HEADING_REF, _HEADING, _MAP_DATUM, _DATE, _H_ERROR = 16, 17, 18, 29, 31
# tags of the image and of the exposure
_DATE_TIME, _EXIF_VERSION, _TAKEN, _OFFSET, _TAKEN_OFFSET, _SUBSECOND = (
    0x0132, 0x9000, 0x9003, 0x9010, 0x9011, 0x9291,
)  # fmt: skip


@dataclass(frozen=True)
class GeoTag:
    """What EXIF says about one photo.

    Attributes:
        position: None when `position_problem` says why; `alt_m` is measured from `altitude_datum`.
        sigma_m: the horizontal error the receiver stated, taken as one axis' standard deviation
            (phones state the radius that holds the truth in two cases of three, which is 1.5 times
            larger: erring on the safe side).
        sigma_problem: why an error that is a number was not used.
        heading_deg: where the camera looked, clockwise from true north.
        heading_problem: why a heading that is there was not used.
        time: its zone is unknown when EXIF gives local time only.
    """

    position: GeoPoint | None = None
    position_problem: str | None = None
    altitude_datum: AltitudeDatum = AltitudeDatum.UNKNOWN
    sigma_m: float | None = None
    sigma_problem: str | None = None
    heading_deg: float | None = None
    heading_problem: str | None = None
    time: Time | None = None


def read_geotag(exif: ExifData) -> GeoTag:
    """Interpret raw EXIF tags; never fails."""
    gps = exif.gps
    heading_deg, heading_problem = _heading(gps)
    time = _time(exif)
    lat_deg, lon_deg, problem = _position(gps)
    if problem is not None:
        return GeoTag(None, problem, heading_problem=heading_problem, time=time)
    alt_m, datum = _altitude(gps, exif.photo)
    sigma_m = _number(gps.get(_H_ERROR))
    stated = sigma_m is not None and sigma_m > 0
    return GeoTag(
        position=GeoPoint(lat_deg, lon_deg, alt_m),
        altitude_datum=datum,
        sigma_m=sigma_m if stated else None,
        sigma_problem=None if stated or sigma_m is None else BAD_ERROR,
        heading_deg=heading_deg,
        heading_problem=heading_problem,
        time=time,
    )


def _number(value: Any) -> float | None:
    """A finite float of whatever a tag holds (rational with denominator 0, string, bytes)."""
    if isinstance(value, (tuple, bytes)) and len(value) == 1:
        value = value[0]
    try:
        number = float(value)
    except (TypeError, ValueError, ArithmeticError):
        return None
    return number if math.isfinite(number) else None


def _text(value: Any) -> str:
    """The text of a tag: some cameras store bytes, pad with blanks or end with NUL."""
    if isinstance(value, bytes):
        value = value.decode("latin-1")
    return value.strip(" \0\t") if isinstance(value, str) else ""


def _position(gps: Mapping[int, Any]) -> tuple[float, float, str | None]:
    if _LAT not in gps or _LON not in gps:
        return math.nan, math.nan, NO_POSITION
    lat_deg, lon_deg = _angle_deg(gps[_LAT]), _angle_deg(gps[_LON])
    if lat_deg is None or lon_deg is None:
        return math.nan, math.nan, NOT_NUMBERS
    north = _text(gps.get(_LAT_REF))[:1].upper()
    east = _text(gps.get(_LON_REF))[:1].upper()
    if north not in {"N", "S"} or east not in {"E", "W"}:
        return math.nan, math.nan, NO_REFERENCE
    if _text(gps.get(_MAP_DATUM)).upper().startswith("TOKYO"):
        return math.nan, math.nan, OLD_DATUM
    lat_deg = -lat_deg if north == "S" else lat_deg
    lon_deg = -lon_deg if east == "W" else lon_deg
    return lat_deg, lon_deg, position_problem(lat_deg, lon_deg)


def _angle_deg(value: Any) -> float | None:
    """Degrees of (degrees, minutes, seconds); of fewer parts when the file has fewer."""
    parts = [_number(part) for part in (value if isinstance(value, tuple) else (value,))]
    if not 1 <= len(parts) <= 3 or any(part is None or part < 0 for part in parts):
        return None
    degrees, minutes, seconds = ([part or 0.0 for part in parts] + [0.0, 0.0])[:3]
    if minutes > 60 or seconds > 60:
        return None
    return degrees + minutes / 60 + seconds / 3600


def _altitude(
    gps: Mapping[int, Any], photo: Mapping[int, Any]
) -> tuple[float | None, AltitudeDatum]:
    """Height and its datum.

    Up to EXIF 2.32 the reference is 0 or 1 (below) and means sea level. EXIF 3.0 gives sea level
    2 and 3, and makes 0 and 1 ellipsoidal; cameras that go on as before cannot be told apart.
    """
    metres = _number(gps.get(_ALT))
    if metres is None:
        return None, AltitudeDatum.UNKNOWN
    reference = int(_number(gps.get(_ALT_REF)) or 0)
    if reference in {1, 3}:
        metres = -abs(metres)
    if reference in {0, 1} and _text(photo.get(_EXIF_VERSION)) >= "03":
        return metres, AltitudeDatum.UNKNOWN
    known = reference in {0, 1, 2, 3}
    return metres, AltitudeDatum.MEAN_SEA_LEVEL if known else AltitudeDatum.UNKNOWN


def _heading(gps: Mapping[int, Any]) -> tuple[float | None, str | None]:
    if _HEADING not in gps:
        return None, None
    degrees, reference = _number(gps[_HEADING]), _text(gps.get(_HEADING_REF)).upper()
    if reference == "M":
        # The two differ by up to 20° in inhabited places; correcting needs a model of the field.
        return None, MAGNETIC
    if degrees is None or reference != "T":
        return None, HEADING_UNCLEAR
    return degrees % 360.0, None


def _time(exif: ExifData) -> Time | None:
    """The exposure's own clock with its zone, else the receiver's UTC, else local time."""
    taken = _text(exif.photo.get(_TAKEN)) or _text(exif.image.get(_DATE_TIME))
    subsecond = _text(exif.photo.get(_SUBSECOND))
    offset = _text(exif.photo.get(_TAKEN_OFFSET)) or _text(exif.photo.get(_OFFSET))
    fraction = f".{subsecond}" if subsecond.isdecimal() else ""
    local = parse_time(f"{taken}{fraction}{offset}") or parse_time(taken)
    if local is not None and local.zone_known:
        return local
    return _receiver_time(exif.gps) or local


def _receiver_time(gps: Mapping[int, Any]) -> Time | None:
    clock = gps.get(_TIME)
    if not isinstance(clock, tuple) or len(clock) != 3:
        return None
    parts = [_number(part) for part in clock]
    midnight = parse_time(f"{_text(gps.get(_DATE))[:10]} 00:00:00Z")
    if midnight is None or any(part is None or not 0 <= part <= 60 for part in parts):
        return None
    hours, minutes, seconds = (part or 0.0 for part in parts)
    elapsed_ns = round((hours * 3600 + minutes * 60 + seconds) * 1e3) * 10**6
    return Time.of(midnight.stamp_ns + elapsed_ns, True)
