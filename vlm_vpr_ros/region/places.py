"""places.json: the towns and other places in which a region has references."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.validation import first_problem

PLACES = "places.json"
MAX_PLACES = 400
_MAX_BYTES = 1 << 20

Name = Annotated[str, StringConstraints(max_length=200)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=200)]


@dataclass(frozen=True)
class Place:
    """A town, or a part of one, in which a region has references.

    Attributes:
        label: what it is called, unique in its region: "Lund, Sweden".
        country: its name, "" where unknown.
        admin1: name of the state or province, "" where unknown.
        city: name of the city, "" far from any.
        lat_deg: centre of its references.
        lon_deg: centre of its references.
        radius_m: distance from there within which all of its references are.
        references: how many it has.
    """

    label: str
    country: str
    admin1: str
    city: str
    lat_deg: float
    lon_deg: float
    radius_m: float
    references: int


def write_places(places: Sequence[Place], path: Path) -> None:
    """Write the file; its bytes depend on the content alone."""
    records = [asdict(place) for place in places]
    path.write_text(json.dumps(records, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_places(path: Path, references: int) -> tuple[Place, ...]:
    """Read and validate the file.

    Args:
        path: the file.
        references: of the region; those of all its places, unless there are none, sum to it.

    Raises:
        RegionError: it is something else.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise RegionError(f"{path}: too large to be a list of places")
        records = _RECORDS.validate_json(path.read_bytes())
    except OSError as error:
        raise RegionError(f"{path}: cannot be read: {error}") from None
    except ValidationError as error:
        raise RegionError(
            f"{path}: damaged: {first_problem(error)}. Copy the region again."
        ) from None
    places = tuple(Place(**record.model_dump()) for record in records)
    labels = [place.label for place in places]
    names = [name for p in places for name in (p.label, p.country, p.admin1, p.city)]
    if not all(name.isprintable() for name in names):
        raise RegionError(f"{path}: damaged: a name holds control characters")
    if len(set(labels)) != len(labels):
        raise RegionError(f"{path}: damaged: two places of one label")
    if places and sum(place.references for place in places) != references:
        raise RegionError(f"{path}: damaged: its places do not have {references} references")
    return places


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)

    label: Label
    country: Name
    admin1: Name
    city: Name
    lat_deg: float = Field(ge=-90, le=90)
    lon_deg: float = Field(ge=-180, le=180)
    radius_m: float = Field(gt=0, le=2.1e7)
    references: int = Field(ge=1)


_RECORDS = TypeAdapter(Annotated[list[_Record], Field(max_length=MAX_PLACES)])
