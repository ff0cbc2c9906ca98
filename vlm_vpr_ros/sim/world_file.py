"""world.json: what is true about the images of simulated drives."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.validation import first_problem

RECOGNISABLE = ("unique", "copied")
"""Kinds of views of mapped streets: of one that stands once, or of one that every town has."""
_MAX_BYTES = 64 << 20


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class View(_Part):
    """One image: where it was taken, and what kind of street it shows."""

    stamp_ns: int
    town: str
    kind: str


class DrivenDrive(_Part):
    """A recorded drive; `kidnapped_ns` are the first images after it was carried off."""

    bag: str
    kidnapped_ns: tuple[int, ...]
    frames: tuple[View, ...]

    @cached_property
    def views(self) -> Mapping[int, View]:
        """Its images by their stamps."""
        return {view.stamp_ns: view for view in self.frames}


class SimulatedTown(_Part):
    """A town; `copied_share` of its mapped streets stand in the other towns, too."""

    key: str
    city: str
    country: str
    copied_share: float = Field(ge=0, le=1)


class WorldFile(_Part):
    """The content of world.json."""

    towns: tuple[SimulatedTown, ...]
    drives: tuple[DrivenDrive, ...]

    def drive(self, bag: str) -> DrivenDrive | None:
        """The drive recorded in a bag of this name."""
        return next((drive for drive in self.drives if drive.bag == bag), None)

    def city(self, key: str) -> str:
        """The name of a town."""
        return next((town.city for town in self.towns if town.key == key), key)

    def kind_of(self, source: str) -> str | None:
        """The kind of the view that a reader calls `bag:topic@stamp_ns`; None if it is not here."""
        bag, _, image = source.partition(":")
        stamp = image.rpartition("@")[2]
        drive = self.drive(bag)
        view = drive.views.get(int(stamp)) if drive and stamp.isdecimal() else None
        return view.kind if view else None


def read_world(path: Path) -> WorldFile:
    """Read world.json.

    Raises:
        SourceError: it cannot be read as such.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SourceError(f"{path}: too large to describe a world")
        return WorldFile.model_validate_json(path.read_bytes())
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    except ValidationError as error:
        problem = first_problem(error)
        raise SourceError(f"{path}: does not describe a simulated world: {problem}") from None
