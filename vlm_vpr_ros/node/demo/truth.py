"""What is true about a drive that is replayed, and what the node never sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.sim.world_file import read_world
from vlm_vpr_ros.types import GeoPoint


@dataclass(frozen=True)
class ImageTruth:
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

    moments: Mapping[int, ImageTruth]
    kidnapped_ns: tuple[int, ...] = field(default=())

    @property
    def first_ns(self) -> int:
        """The stamp of the first image."""
        return min(self.moments)


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
        return Truth({stamp_ns: ImageTruth(position) for stamp_ns, position in positions.items()})
    described = read_world(world)
    drive = described.drive(bag.name)
    if drive is None:
        raise SourceError(f"{world}: says nothing about the drive {bag.name}")
    moments = {
        stamp_ns: ImageTruth(position, described.city(view.town), view.kind)
        for stamp_ns, position in positions.items()
        if (view := drive.views.get(stamp_ns))
    }
    if not moments:
        raise SourceError(f"{world}: describes another recording than {bag}")
    return Truth(moments, drive.kidnapped_ns)
