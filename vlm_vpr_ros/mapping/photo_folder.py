"""A folder of photos that carry their positions in EXIF."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.images import SUFFIXES, read_exif, read_image
from vlm_vpr_ros.mapping.exif import read_geotag
from vlm_vpr_ros.mapping.image_files import image_files, natural_order
from vlm_vpr_ros.mapping.observation import Observation, SourceReport
from vlm_vpr_ros.mapping.reader import SourceRequest

UNDERSTANDS = f"a folder of photos with EXIF positions ({', '.join(sorted(SUFFIXES))})"


def recognises(path: Path) -> bool:
    """Whether the path is a folder with a photo somewhere below it."""
    return path.is_dir() and next(image_files(path), None) is not None


def open_source(request: SourceRequest) -> PhotoFolder:
    """Open a folder of photos. Raises `SourceError`."""
    request.refuse_topics()
    return PhotoFolder(request)


class PhotoFolder:
    """Photos below a folder, in natural order ("9" before "10"); each folder is a drive."""

    def __init__(self, request: SourceRequest) -> None:
        self._folder = request.path
        self.name = request.name
        self._drive = request.drive
        self.report = SourceReport()
        self._unreadable: list[OSError] = []
        photos = image_files(request.path, self._unreadable.append)
        self._paths = sorted(photos, key=natural_order)

    def count(self) -> int:
        """Number of photos, with a position or without."""
        return len(self._paths)

    def observations(self) -> Iterator[Observation]:
        """Yield the photos that have a position; the others are counted with the reason."""
        self.report = SourceReport()
        for error in self._unreadable:
            self.report.leave_out("folder cannot be read", str(error))
        for path in self._paths:
            observation = self._observe(path)
            if observation is not None:
                yield observation

    def _observe(self, path: Path) -> Observation | None:
        relative = path.relative_to(self._folder)
        source = relative.as_posix()
        try:
            tag = read_geotag(read_exif(path))
        except ImageError as error:
            self.report.leave_out("image cannot be read", f"{source} ({error})")
            return None
        if tag.position_problem is not None:
            self.report.leave_out(tag.position_problem, source)
            return None
        if tag.heading_problem is not None:
            self.report.leave_out(f"{tag.heading_problem} (image kept)", source)
        if tag.time is not None and not tag.time.zone_known:
            self.report.remark("EXIF times without a zone are read as UTC")
        return Observation(
            source=source,
            drive=self._drive or Path(self.name, relative.parent).as_posix(),
            position=tag.position,
            load=partial(read_image, path),
            sigma_m=tag.sigma_m,
            altitude_datum=tag.altitude_datum,
            heading_deg=tag.heading_deg,
            stamp_ns=tag.time.stamp_ns if tag.time is not None else None,
        )
