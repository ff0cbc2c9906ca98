"""What the names in an answer mean together: the country says which Springfield."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlm_vpr_ros.prior.extent import Disc
from vlm_vpr_ros.prior.gazetteer import Gazetteer, Referent
from vlm_vpr_ros.prior.toponym import Kind, Toponym

_COARSER = 0.05
"""Share that a place keeps beside the finer one in it that was named as well."""
_MISTAKEN = 0.03
"""Share that a field's name leaves to everywhere else: models name wrong countries, too."""
_MISSING = 0.1
"""How likely a city that really lies in the country is not in the gazetteer under that name."""

_NAMES_COUNTRY = {Kind.COUNTRY: 1.0, Kind.REGION: 0.5, Kind.CITY: 0.02}
_NAMES_REGION = {Kind.REGION: 1.0, Kind.COUNTRY: 0.1, Kind.CITY: 0.1}
_NAMES_CITY = {Kind.CITY: 1.0, Kind.REGION: 0.1, Kind.COUNTRY: 0.1}

Weights = Mapping[Toponym | None, float]
"""Of the places that names may mean, None for anywhere."""


@dataclass(frozen=True)
class Reading:
    """One place that names may mean.

    Attributes:
        place: what it is.
        label: for people.
        discs: where it is; their shares sum to one.
        weight: of this reading; those of all readings and of "anywhere" sum to one.
    """

    place: Toponym
    label: str
    discs: tuple[Disc, ...]
    weight: float


def readings_of(
    gazetteer: Gazetteer, country: str = "", region: str = "", city: str = ""
) -> tuple[Reading, ...]:
    """What an answer's names mean together, most probable first; empty if they mean nothing known.

    From coarse to fine, each name shares out the weight of the places so far among those in them
    that it may mean. A place in which the name means nothing loses most of its weight, since the
    name speaks for another one: names that contradict each other are both kept, with less.
    """
    if not region and "," in city:  # "Springfield, Illinois"
        city, region = (part.strip() for part in city.split(",", 1))
    state: Weights = {None: 1.0}
    for name, kinds in (
        (country, _NAMES_COUNTRY),
        (region, _NAMES_REGION),
        (city, _NAMES_CITY),
    ):
        state = _narrowed(gazetteer, state, gazetteer.referents(name, kinds))
    return _sorted(gazetteer, state)


def _narrowed(gazetteer: Gazetteer, state: Weights, found: list[Referent]) -> Weights:
    if not found:
        return state  # a name that nobody knows says nothing
    anywhere: dict[Toponym | None, float] = {c.place: c.prominence for c in found}
    anywhere[None] = gazetteer.unlisted(found)
    narrowed: defaultdict[Toponym | None, float] = defaultdict(float)
    for outer, weight in state.items():
        if outer is None:
            _share_out(narrowed, weight * (1 - _MISTAKEN), anywhere)
            narrowed[None] += weight * _MISTAKEN
            continue
        _share_out(narrowed, weight * _MISTAKEN, anywhere)
        sure = weight * (1 - _MISTAKEN)
        within = [c for c in found if gazetteer.contains(outer, c.place)]
        if not within:
            narrowed[outer] += sure * _MISSING
            continue
        narrowed[outer] += sure * _COARSER
        inside = {c.place: c.prominence for c in within}
        inside.setdefault(outer, _MISSING * gazetteer.unlisted(within))
        _share_out(narrowed, sure * (1 - _COARSER), inside)
    total = sum(narrowed.values())
    return {place: weight / total for place, weight in narrowed.items()}


def _share_out(
    state: dict[Toponym | None, float], weight: float, among: Mapping[Any, float]
) -> None:
    total = sum(among.values())
    for place, prominence in among.items():
        state[place] += weight * prominence / total


def _sorted(gazetteer: Gazetteer, state: Weights) -> tuple[Reading, ...]:
    readings = [
        Reading(place, gazetteer.label(place), gazetteer.extent(place), weight)
        for place, weight in state.items()
        if place is not None
    ]
    return tuple(sorted(readings, key=lambda reading: (-reading.weight, reading.label)))
