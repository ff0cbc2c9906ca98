"""What every reader yields: one geotagged image, its pixels not yet decoded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from vlm_vpr_ros.types import AltitudeDatum, GeoPoint, Odometry, RgbImage

MAX_NAMES = 10
"""How many of the left out a report names for each reason."""


@dataclass(frozen=True)
class Observation:
    """One image of a source and where it was taken.

    An observation of a bag holds its compressed bytes: keep few of them at a time.

    Attributes:
        source: names the image for people and in the index: a path relative to the source, or
            `bag_name:topic@stamp_ns`. Never an absolute path.
        drive: the traversal the image belongs to; splits are made by drive.
        position: None when the source does not say (such images can be localized, not mapped).
            `alt_m` is measured from `altitude_datum`.
        sigma_m: horizontal standard deviation of the position, one axis; None when unknown.
        altitude_datum: what `position.alt_m` is measured from.
        heading_deg: direction in which the camera looked, clockwise from true north, or None.
        course_deg: direction in which the robot moved, clockwise from true north, or None: it says
            nothing about where the camera looked.
        stamp_ns: when the image was taken, or None.
        odometry: of that moment, or None.
        load: decodes the pixels.  Raises `ImageError`.
    """

    source: str
    drive: str
    position: GeoPoint | None
    load: Callable[[], RgbImage]
    sigma_m: float | None = None
    altitude_datum: AltitudeDatum = AltitudeDatum.UNKNOWN
    heading_deg: float | None = None
    course_deg: float | None = None
    stamp_ns: int | None = None
    odometry: Odometry | None = None


@dataclass
class SourceReport:
    """What a reader left out and why, filled while it is read.

    Attributes:
        left_out: reason -> number of images, fixes or single values left out ("image file is
            missing", "coordinates out of range", ...).
        names: reason -> the first `MAX_NAMES` of them.
        remarks: sentences for the user, each said once.
    """

    left_out: Counter[str] = field(default_factory=Counter)
    names: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def leave_out(self, reason: str, name: str) -> None:
        """Count one image, fix or value under a reason, and name it among the first."""
        self.left_out[reason] += 1
        names = self.names.setdefault(reason, [])
        if len(names) < MAX_NAMES:
            names.append(name)

    def absorb(self, other: SourceReport) -> None:
        """Add what another report says."""
        self.left_out += other.left_out
        for reason, names in other.names.items():
            own = self.names.setdefault(reason, [])
            own += names[: MAX_NAMES - len(own)]
        for sentence in other.remarks:
            self.remark(sentence)

    def remark(self, sentence: str) -> None:
        """Add a sentence unless it was said already."""
        if sentence not in self.remarks:
            self.remarks.append(sentence)


class Source(Protocol):
    """A recording that can be read from start to end, any number of times."""

    @property
    def name(self) -> str:
        """What users call it: the last part of its path."""

    @property
    def report(self) -> SourceReport:
        """What the last complete reading left out."""

    def count(self) -> int:
        """How many observations a reading yields at most (for a progress bar)."""

    def observations(self) -> Iterator[Observation]:
        """Yield the observations in a fixed order.

        Those of one drive come together, in the order of the recording.

        Raises:
            SourceError: the recording turns out to be damaged.
        """
