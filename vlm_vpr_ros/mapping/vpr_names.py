"""Folders of images whose names say where they were taken, as the benchmarks of the field do.

The convention of the Deep Visual Geo-localization Benchmark (Berton et al., CVPR 2022), in which
Pitts30k, Tokyo 24/7, SF-XL, St Lucia and others are distributed:

    @ UTM_east @ UTM_north @ UTM_zone @ latitude_band @ latitude @ longitude @ pano_id @ tile
    @ heading @ pitch @ roll @ height @ timestamp @ note @ .jpg

without the blanks. Any field may be empty, later ones may be missing.
"""

from __future__ import annotations

import re
from functools import lru_cache, partial
from pathlib import Path

from pyproj import Transformer

from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.images import read_image
from vlm_vpr_ros.mapping.coordinates import position_problem
from vlm_vpr_ros.mapping.image_folder import ImageFile, ImageFolder, image_files
from vlm_vpr_ros.mapping.observation import Observation, SourceReport
from vlm_vpr_ros.mapping.reader import SourceRequest
from vlm_vpr_ros.mapping.times import parse_time
from vlm_vpr_ros.types import GeoPoint

UNDERSTANDS = "a folder of images named @UTM_east@UTM_north@zone@band@latitude@longitude@...@.jpg"

NO_NAME = "name that does not begin with @UTM_east@UTM_north@"
NO_ZONE = "name without a UTM zone and without latitude and longitude"
CONTRADICTION = "name whose UTM coordinates and latitude, longitude differ"
BAD_HEADING = "heading that is not an angle (image kept)"

_NUMBER = r"-?\d{1,9}(?:\.\d{0,9})?"
_BEGINS = re.compile(rf"@{_NUMBER}@{_NUMBER}@")
_ZONE = re.compile(r"0?[1-9]|[1-5]\d|60")
_BAND = re.compile(r"[C-HJ-NP-X]")
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})_(\d{2})(\d{2})(\d{2})", re.ASCII)
_AGREE_M = 10.0
"""The names hold latitudes cut off at 1e-5 degrees, about a metre."""


def recognises(path: Path) -> bool:
    """Whether the path is a folder with an image below it that is named so."""
    return path.is_dir() and any(_BEGINS.match(file.name) for file in image_files(path))


def open_source(request: SourceRequest) -> ImageFolder:
    """Open a folder of such images. Raises `SourceError`."""
    request.refuse_topics()
    return ImageFolder(request, _observe)


def _observe(image: ImageFile, report: SourceReport) -> Observation | None:
    fields = image.path.stem.split("@")[1:] + [""] * 13
    position = _position(image.path.name, fields)
    if isinstance(position, str):
        report.leave_out(position, image.source)
        return None
    heading_deg = _heading_deg(fields[8])
    if fields[8] and heading_deg is None:
        report.leave_out(BAD_HEADING, image.source)
    stamp_ns = _stamp_ns(fields[12])
    if stamp_ns is not None:
        report.remark("times without a zone are read as UTC")
    return Observation(
        source=image.source,
        drive=image.drive,
        position=position,
        load=partial(read_image, image.path),
        heading_deg=heading_deg,
        stamp_ns=stamp_ns,
    )


def _heading_deg(text: str) -> float | None:
    if not re.fullmatch(_NUMBER, text) or not -360 <= float(text) <= 360:
        return None
    return float(text) % 360.0


def _stamp_ns(text: str) -> int | None:
    """Nanoseconds of YYYYMMDD_hhmmss; most sets know the year or the month only."""
    match = _TIME.fullmatch(text)
    time = match and parse_time("{}-{}-{} {}:{}:{}".format(*match.groups()))
    return time.stamp_ns if time else None


def _position(name: str, fields: list[str]) -> GeoPoint | str:
    """Where a name says, or why it does not. UTM counts first: it is given to the centimetre."""
    if not _BEGINS.match(name):
        return NO_NAME
    east, north, zone, band, lat, lon = fields[:6]
    told = None
    if re.fullmatch(_NUMBER, lat) and re.fullmatch(_NUMBER, lon):
        told = GeoPoint(float(lat), float(lon))
        problem = position_problem(told.lat_deg, told.lon_deg)
        if problem is not None:
            return problem
    if not (_ZONE.fullmatch(zone) and _BAND.fullmatch(band)):
        return told or NO_ZONE
    lon_deg, lat_deg = _utm(int(zone), band >= "N").transform(float(east), float(north))
    problem = position_problem(lat_deg, lon_deg)
    if problem is not None:
        return problem
    if told is not None and (distance_m(lat_deg, lon_deg, told.lat_deg, told.lon_deg) > _AGREE_M):
        return CONTRADICTION
    return GeoPoint(lat_deg, lon_deg)


@lru_cache(maxsize=120)
def _utm(zone: int, northern: bool) -> Transformer:
    code = (32600 if northern else 32700) + zone
    return Transformer.from_crs(code, 4326, always_xy=True)
