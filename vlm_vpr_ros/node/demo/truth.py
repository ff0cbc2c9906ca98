"""What is true about a drive that is replayed, and what the node never sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.types import GeoPoint

_MAX_BYTES = 64 << 20


@dataclass(frozen=True)
class Moment:
    """What is true about one image.

    Attributes:
        position: where it was taken.
        town: the town's name; "" if nobody says.
        kind: of the view, a word of the simulated world ("unique", "copied", "edge", "unmapped",
            "covered"); "" if nobody says.
    """

    position: GeoPoint
    town: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Truth:
    """What is true about a drive.

    Attributes:
        moments: by the image's stamp in nanoseconds.
        kidnapped_ns: stamps of the first images after the robot was carried off.
    """

    moments: Mapping[int, Moment]
    kidnapped_ns: tuple[int, ...] = field(default=())

    @property
    def first_ns(self) -> int:
        """The stamp of the first image."""
        return min(self.moments)


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _View(_Part):
    stamp_ns: int
    town: str
    kind: str


class _Drive(_Part):
    bag: str
    kidnapped_ns: tuple[int, ...]
    frames: tuple[_View, ...]


class _Town(_Part):
    key: str
    city: str


class _World(_Part):
    towns: tuple[_Town, ...]
    drives: tuple[_Drive, ...]


def truth_of(bag: Path, world: Path | None) -> Truth:
    """Where the fixes of a bag say that its images were taken.

    Args:
        bag: has images and fixes.
        world: the description of the simulated world that the bag was recorded in, if it was.

    Raises:
        SourceError: the bag has no image with a fix, or the description cannot be read.
    """
    observations = open_source(bag).observations()
    positions = {o.stamp_ns: o.position for o in observations if o.stamp_ns and o.position}
    if not positions:
        raise SourceError(f"{bag}: no image with a fix near it: nothing to compare answers with")
    if world is None:
        return Truth({stamp_ns: Moment(position) for stamp_ns, position in positions.items()})
    drive, cities = _described(world, bag.name)
    views = {view.stamp_ns: view for view in drive.frames}
    moments = {
        stamp_ns: Moment(position, cities.get(views[stamp_ns].town, ""), views[stamp_ns].kind)
        for stamp_ns, position in positions.items()
        if stamp_ns in views
    }
    if not moments:
        raise SourceError(f"{world}: describes another recording than {bag}")
    return Truth(moments, drive.kidnapped_ns)


def _described(path: Path, bag: str) -> tuple[_Drive, dict[str, str]]:
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SourceError(f"{path}: too large to describe a world")
        world = _World.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise SourceError(
            f"{path}: cannot be read as the description of a world: {error}"
        ) from None
    for drive in world.drives:
        if drive.bag == bag:
            return drive, {town.key: town.city for town in world.towns}
    raise SourceError(f"{path}: says nothing about the drive {bag}")
