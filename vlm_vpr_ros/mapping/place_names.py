"""Reverse geocoding of references: in which towns they are, offline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.geodesy import lat_lon, unit_vectors
from vlm_vpr_ros.mapping.neighbourhoods import (
    Blocks,
    arc_m,
    blocks_of,
    merged_towns,
    middles,
    nearest_city,
)
from vlm_vpr_ros.prior.extent import city_radius_m
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.geo_prior import EARTH_RADIUS_M
from vlm_vpr_ros.region.places import MAX_PLACES, Place
from vlm_vpr_ros.region.references import References

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_UNDIVIDED_M = 15e3
"""References of one city that reach farther than this from their centre are told by quarters."""
_MIN_RADIUS_M = 100.0
_QUARTERS = (
    "north",
    "north-east",
    "east",
    "south-east",
    "south",
    "south-west",
    "west",
    "north-west",
)


def places_of(references: References) -> tuple[Place, ...]:
    """The places in which references are, those with most references first, at most `MAX_PLACES`.

    They are told by part of a city where one is large, by town, or, where these are too many, by
    region or country.

    Raises:
        ModelError: the gazetteer cannot be read.
    """
    gazetteer = Gazetteer.load()
    blocks = blocks_of(references)
    city = merged_towns(gazetteer.cities, nearest_city(gazetteer.cities, blocks.points))
    names = _at_most(MAX_PLACES, _names(gazetteer, blocks, city))
    known = list(dict.fromkeys(names))
    number = {name: i for i, name in enumerate(known)}
    place_of_block = np.array([number[name] for name in names])
    extents = _extents(references, place_of_block[blocks.of_reference])
    labels = _unique_labels(gazetteer, known, [middle for middle, _, _ in extents])
    places = [
        _place(gazetteer, name, label, extent)
        for name, label, extent in zip(known, labels, extents, strict=True)
    ]
    return tuple(sorted(places, key=lambda place: (-place.references, place.label)))


@dataclass(frozen=True)
class _Name:
    """What tells a place from another; what does not is empty.

    Attributes:
        country: its code.
        admin1: code of the region.
        city: row of the city in the table, -1 for none.
        part: of the city, or where it is if there is none.
    """

    country: str
    admin1: str
    city: int
    part: str


def _names(gazetteer: Gazetteer, blocks: Blocks, city: Ints) -> list[_Name]:
    cities = gazetteer.cities
    parts = [""] * len(city)
    for row in np.unique(city):
        own = np.flatnonzero(city == row)
        if row < 0:
            for block in own:
                parts[block] = _degrees(*lat_lon(blocks.points[block]), digits=0)
            continue
        middle = middles(blocks.points[own], np.zeros(len(own), np.int64))
        if arc_m(blocks.points[own], middle).max() > _UNDIVIDED_M:
            lat, lon = float(cities.lat_deg[row]), float(cities.lon_deg[row])
            centre_m = float(city_radius_m(cities.population[row])) / 3
            for block in own:
                parts[block] = _quarter(lat, lon, *lat_lon(blocks.points[block]), centre_m)
    return [
        _Name(str(cities.country[row]), str(cities.admin1[row]), int(row), part)
        if row >= 0
        else _Name("", "", -1, part)
        for row, part in zip(city, parts, strict=True)
    ]


def _quarter(lat0: float, lon0: float, lat: float, lon: float, centre_m: float) -> str:
    north = lat - lat0
    east = ((lon - lon0 + 180) % 360 - 180) * np.cos(np.radians(lat0))
    if EARTH_RADIUS_M * np.radians(np.hypot(north, east)) <= centre_m:
        return "centre"
    return _QUARTERS[round(float(np.degrees(np.arctan2(east, north))) / 45) % 8]


def _at_most(most: int, names: list[_Name]) -> list[_Name]:
    """The same told as coarsely as it takes: by part of a city, city, region or country."""
    for coarser in (
        {},
        {"part": ""},
        {"part": "", "city": -1},
        {"part": "", "city": -1, "admin1": ""},
    ):
        told = [replace(name, **coarser) for name in names]
        if len(set(told)) <= most:
            break
    return told


def _unique_labels(
    gazetteer: Gazetteer, names: Sequence[_Name], middle: Sequence[Floats]
) -> list[str]:
    """Labels as short as they can be without two being the same."""
    areas = gazetteer.areas
    labels = [_label(gazetteer, name) for name in names]
    for index in _repeated(labels):
        name = names[index]
        region = areas.region_name(name.country, name.admin1)
        if region and region not in labels[index]:
            town, _, country = labels[index].rpartition(", ")
            labels[index] = f"{town}, {region}, {country}"
    for index in _repeated(labels):
        labels[index] += f" ({_degrees(*lat_lon(middle[index]), digits=2)})"
    return labels


def _label(gazetteer: Gazetteer, name: _Name) -> str:
    areas = gazetteer.areas
    country = areas.country_name(name.country)
    if name.city >= 0:
        city = gazetteer.city(name.city)
        part = f" ({name.part})" if name.part else ""
        return city.name + part + gazetteer.label(city).removeprefix(city.name)
    if name.admin1:
        region = areas.region_name(name.country, name.admin1)
        return f"{region or areas.main_city(name.country, name.admin1)}, {country}"
    return country or name.part or "far from any town"


def _repeated(labels: Iterable[str]) -> list[int]:
    labels = list(labels)
    counts = Counter(labels)
    return [index for index, label in enumerate(labels) if counts[label] > 1]


def _place(
    gazetteer: Gazetteer, name: _Name, label: str, extent: tuple[Floats, float, int]
) -> Place:
    middle, radius_m, count = extent
    lat, lon = lat_lon(middle)
    areas = gazetteer.areas
    return Place(
        label=label,
        country=areas.country_name(name.country),
        admin1=areas.region_name(name.country, name.admin1),
        city=gazetteer.city(name.city).name if name.city >= 0 else "",
        lat_deg=lat,
        lon_deg=lon,
        radius_m=max(radius_m, _MIN_RADIUS_M),
        references=count,
    )


def _extents(references: References, place: Ints) -> list[tuple[Floats, float, int]]:
    """Of each place the middle of its references, how far the farthest is off, their number."""
    points = unit_vectors(references.lat_deg, references.lon_deg)
    centres = middles(points, place)
    radius_m = np.zeros(len(centres))
    np.maximum.at(radius_m, place, arc_m(points, centres[place]))
    counts = np.bincount(place).tolist()
    return list(zip(centres, radius_m.tolist(), counts, strict=True))


def _degrees(lat_deg: float, lon_deg: float, digits: int) -> str:
    north, east = "NS"[lat_deg < 0], "EW"[lon_deg < 0]
    return f"{abs(lat_deg):.{digits}f}° {north}, {abs(lon_deg):.{digits}f}° {east}"
