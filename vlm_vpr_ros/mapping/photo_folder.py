"""A folder of photos that carry their positions in EXIF."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.images import SUFFIXES, read_exif, read_image
from vlm_vpr_ros.mapping.exif import read_geotag
from vlm_vpr_ros.mapping.image_folder import ImageFile, ImageFolder, image_files
from vlm_vpr_ros.mapping.observation import Observation, SourceReport
from vlm_vpr_ros.mapping.reader import SourceRequest

UNDERSTANDS = f"a folder of photos with EXIF positions ({', '.join(sorted(SUFFIXES))})"


def recognises(path: Path) -> bool:
    """Whether the path is a folder with a photo somewhere below it."""
    return path.is_dir() and next(image_files(path), None) is not None


def open_source(request: SourceRequest) -> ImageFolder:
    """Open a folder of photos. Raises `SourceError`."""
    request.refuse_topics()
    return ImageFolder(request, _observe)


def _observe(photo: ImageFile, report: SourceReport) -> Observation | None:
    try:
        tag = read_geotag(read_exif(photo.path))
    except ImageError as error:
        report.leave_out("image cannot be read", f"{photo.source} ({error})")
        return None
    if tag.position_problem is not None:
        report.leave_out(tag.position_problem, photo.source)
        return None
    for problem in filter(None, (tag.sigma_problem, tag.heading_problem)):
        report.leave_out(f"{problem} (image kept)", photo.source)
    if tag.time is not None and not tag.time.zone_known:
        report.remark("EXIF times without a zone are read as UTC")
    return Observation(
        source=photo.source,
        drive=photo.drive,
        position=tag.position,
        load=partial(read_image, photo.path),
        sigma_m=tag.sigma_m,
        altitude_datum=tag.altitude_datum,
        heading_deg=tag.heading_deg,
        stamp_ns=tag.time.stamp_ns if tag.time is not None else None,
    )
