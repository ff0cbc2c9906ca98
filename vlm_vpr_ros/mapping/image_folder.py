"""The image files below a folder, as a source."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vlm_vpr_ros.images import SUFFIXES
from vlm_vpr_ros.mapping.drives import one_after_another
from vlm_vpr_ros.mapping.observation import Observation, SourceReport
from vlm_vpr_ros.mapping.reader import SourceRequest


def image_files(
    folder: Path, unreadable: Callable[[OSError], None] = lambda _: None
) -> Iterator[Path]:
    """Yield the image files below a folder, hidden ones left out, in no particular order.

    Args:
        folder: where to begin.
        unreadable: is told of every folder that cannot be listed.
    """
    for parent, children, files in os.walk(folder, onerror=unreadable):
        children[:] = [child for child in children if not child.startswith(".")]
        for file in files:
            if not file.startswith(".") and Path(file).suffix.lower() in SUFFIXES:
                yield Path(parent, file)


@dataclass(frozen=True)
class ImageFile:
    """One image below a folder.

    Attributes:
        path: of the file.
        source: its path below the folder.
        drive: the folder that it lies in, unless the user names the drive.
    """

    path: Path
    source: str
    drive: str


Observe = Callable[[ImageFile, SourceReport], "Observation | None"]
"""Finds out where an image was taken; tells the report what it leaves out, the image included."""


class ImageFolder:
    """Images below a folder; each folder is a drive, in natural order ("9" before "10")."""

    def __init__(self, request: SourceRequest, observe: Observe) -> None:
        self._folder = request.path
        self.name = request.name
        self._drive = request.drive
        self._observe = observe
        self.report = SourceReport()
        self._unreadable: list[OSError] = []
        files = image_files(request.path, self._unreadable.append)
        self._paths = one_after_another(sorted(files, key=_natural_order), self._drive_of)

    def count(self) -> int:
        """Number of images, with a position or without."""
        return len(self._paths)

    def observations(self) -> Iterator[Observation]:
        """Yield the images that have a position; the others are counted with the reason."""
        self.report = SourceReport()
        for error in self._unreadable:
            self.report.leave_out("folder cannot be read", str(error))
        for path in self._paths:
            below = path.relative_to(self._folder).as_posix()
            image = ImageFile(path, below, self._drive_of(path))
            observation = self._observe(image, self.report)
            if observation is not None:
                yield observation

    def _drive_of(self, path: Path) -> str:
        below = path.parent.relative_to(self._folder)
        return self._drive or Path(self.name, below).as_posix()


def _natural_order(path: Path) -> list[list[tuple[int, str]]]:
    """Sort key: folder by folder, numbers by value ("9" before "10")."""
    return [
        [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
        + [(-2, name)]
        for name in path.parts
    ]
