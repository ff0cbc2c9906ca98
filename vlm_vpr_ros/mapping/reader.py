"""What a module must offer to be a reader of sources."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping.observation import Source


@dataclass(frozen=True)
class SourceRequest:
    """What the user asked to read.

    Attributes:
        path: a file or a folder.
        drive: names all its images' drive, instead of what the source says.
        image_topic: which images of a bag, or which camera of a KITTI drive; None when a bag holds
            one topic of images.
        fix_topic: which fixes of a bag; None when it holds at most one topic of fixes.
        odom_topic: odometry of a bag; None: it is not read.
    """

    path: Path
    drive: str | None = None
    image_topic: str | None = None
    fix_topic: str | None = None
    odom_topic: str | None = None

    @property
    def name(self) -> str:
        """The last part of the path, also of "." and ".."."""
        return self.path.resolve().name if self.path.name in {"", ".."} else self.path.name

    def refuse_topics(self) -> None:
        """Raise `SourceError` when topics were named for a source that has none."""
        named = {"image": self.image_topic, "fix": self.fix_topic, "odom": self.odom_topic}
        options = [f"--{kind}-topic" for kind, topic in named.items() if topic is not None]
        if options:
            raise SourceError(f"{self.name} is not a bag: leave out {' and '.join(options)}")


class Reader(Protocol):
    """A module that reads one kind of source."""

    UNDERSTANDS: str
    """The kind of source, for the list that users see."""

    def recognises(self, path: Path) -> bool:
        """Whether an existing path is of that kind, damaged ones included."""

    def open_source(self, request: SourceRequest) -> Source:
        """Open it. Raises `SourceError`."""
