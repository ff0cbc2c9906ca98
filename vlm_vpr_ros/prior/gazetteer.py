"""From the name of a place to the places that it may mean, and where they are; offline."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from vlm_vpr_ros.prior.area_table import AreaTable
from vlm_vpr_ros.prior.city_table import CityTable
from vlm_vpr_ros.prior.extent import Disc, city_radius_m, discs_around
from vlm_vpr_ros.prior.folding import folded
from vlm_vpr_ros.prior.toponym import Kind, Toponym

PROMINENCE = 0.7
"""A name means a place in proportion to this power of its population: large cities are in more
photographs, but in fewer for each of their people."""
_UNLISTED = 20_000
"""Population of what a name may mean beside the cities we know: a village, a landscape."""
_OTHER_NAME = 0.3
"""A city that a name is only another name of, against one that is called so first of all."""
_MOST_OTHER = 2.0
"""All cities that a name is only another name of, against all that are called so first of all."""
_PART_KM2 = 500_000
"""A country is told by one disc for each such area, at most `_MAX_PARTS`."""
_MAX_PARTS = 8
_WITH_REGION = ("US", "CA", "AU")
"""Countries in which a city is told with its region by custom."""
_KINDS_OF_PLACE = (
    "area|city|county|department|district|emirate|kingdom|krai|municipality|oblast|prefecture|"
    "principality|province|region|republic|state|territory|town"
)
_BEFORE_NAME = re.compile(rf"^(greater |([a-z]+ )*({_KINDS_OF_PLACE}) of )")
_AFTER_NAME = re.compile(rf"( metropolitan)? ({_KINDS_OF_PLACE})$")


@dataclass(frozen=True)
class Referent:
    """A place that a name may mean, and how readily: comparable among the referents of a name."""

    place: Toponym
    prominence: float


class Gazetteer:
    """Finds the places that names may mean.

    Attributes:
        cities: those it knows.
        areas: the countries and regions it knows.
    """

    def __init__(self, areas: AreaTable) -> None:
        self.areas = areas
        self.cities = areas.cities

    @staticmethod
    @cache
    def load() -> Gazetteer:
        """The gazetteer, made once a process, in about half a second.

        Raises:
            ModelError: the data of the cities cannot be read.
        """
        return Gazetteer(AreaTable(CityTable.load()))

    def warm_up(self) -> None:
        """Fold all names now, which else takes the first look-up 0.7 s."""
        next(self.cities.named("-"), None)

    def referents(self, name: str, kinds: Mapping[Kind, float]) -> list[Referent]:
        """The places a name may mean, most prominent first.

        Args:
            name: in whatever spelling; what follows a comma is not looked at, and "Province of X"
                is X, if nothing is called so in full.
            kinds: how readily it names a country, a region, a city; kinds left out are not looked
                for.
        """
        for spelling in _spellings(name):
            found = [
                Referent(c.place, kinds[c.place.kind] * c.prominence)
                for c in (*self._areas_named(spelling), *self._cities_named(spelling))
                if c.place.kind in kinds
            ]
            if found:
                return sorted(found, key=lambda c: -c.prominence)
        return []

    @staticmethod
    def unlisted(found: list[Referent]) -> float:
        """Prominence of what a name may mean beside the referents; 0 if one is no city."""
        only_cities = all(candidate.place.kind is Kind.CITY for candidate in found)
        return float(_UNLISTED**PROMINENCE) if only_cities else 0.0

    def contains(self, outer: Toponym, inner: Toponym) -> bool:
        """Whether a place lies in another one, or is it."""
        if outer.kind is Kind.COUNTRY:
            return self.areas.is_country(outer.country, inner)
        if outer.kind is Kind.REGION:
            same = (outer.country, outer.admin1) == (inner.country, inner.admin1)
            return same and inner.kind is not Kind.COUNTRY
        return outer.row == inner.row

    def extent(self, place: Toponym) -> tuple[Disc, ...]:
        """Discs that hold a place; their shares sum to one."""
        cities = self.cities
        if place.kind is Kind.CITY:
            lat, lon = float(cities.lat_deg[place.row]), float(cities.lon_deg[place.row])
            return (Disc(lat, lon, float(city_radius_m(place.population))),)
        rows, area_km2 = self.areas.rows(place), self.areas.area_km2(place)
        return discs_around(
            cities.lat_deg[rows],
            cities.lon_deg[rows],
            cities.population[rows] ** PROMINENCE,
            area_km2=area_km2,
            parts=min(_MAX_PARTS, 1 + int(area_km2 // _PART_KM2)),
        )

    def city(self, row: int) -> Toponym:
        """A city of the table as a place."""
        cities = self.cities
        return Toponym(
            Kind.CITY,
            cities.name[row],
            str(cities.country[row]),
            float(cities.population[row]),
            str(cities.admin1[row]),
            row,
        )

    def label(self, place: Toponym) -> str:
        """The place for people: "Lund, Sweden"; "Springfield, Illinois, United States"."""
        parts = [place.name]
        if place.kind is Kind.CITY and place.country in _WITH_REGION:
            parts.append(self.areas.region_name(place.country, place.admin1))
        if place.kind is not Kind.COUNTRY:
            parts.append(self.areas.country_name(place.country))
        return ", ".join(part for part in dict.fromkeys(parts) if part)

    def _areas_named(self, spelling: str) -> Iterator[Referent]:
        """Countries and regions of that name; two Congos, two Punjabs are meant equally often."""
        named = self.areas.named(spelling)
        for kind in (Kind.COUNTRY, Kind.REGION):
            places = [place for place in named if place.kind is kind]
            total = sum(place.population**PROMINENCE for place in places)
            yield from (Referent(place, total / len(places)) for place in places)

    def _cities_named(self, spelling: str) -> list[Referent]:
        """Cities of that name; one that is listed as a whole and by its centre counts once."""
        matches = list(self.cities.named(spelling))
        first = {row for row, is_first in matches if is_first}
        first |= self.areas.first_names.get(spelling, set())
        own: list[Referent] = []
        others: list[Referent] = []
        for row in sorted((row for row, _ in matches), key=lambda r: -self.cities.population[r]):
            place = self.city(row)
            if not any(self._same_city(place, known.place) for known in (*own, *others)):
                prominence = place.population**PROMINENCE
                (own if row in first else others).append(Referent(place, prominence))
        if own and others:
            most = _MOST_OTHER * sum(c.prominence for c in own)
            scale = min(_OTHER_NAME, most / sum(c.prominence for c in others))
            others = [Referent(c.place, scale * c.prominence) for c in others]
        return own + others

    def _same_city(self, one: Toponym, larger: Toponym) -> bool:
        if (one.country, one.admin1) != (larger.country, larger.admin1):
            return False
        (here,), (there,) = self.extent(one), self.extent(larger)
        north_deg = here.lat_deg - there.lat_deg
        east_deg = (here.lon_deg - there.lon_deg) * np.cos(np.radians(here.lat_deg))
        return bool(111_000 * np.hypot(north_deg, east_deg) < here.radius_m + there.radius_m)


def _spellings(name: str) -> list[str]:
    """Folded forms of a name, most literal first."""
    before_comma = name.split(",", maxsplit=1)[0]
    plain = folded(before_comma.split("(", maxsplit=1)[0])
    bare = folded(_BEFORE_NAME.sub("", plain))
    forms = [folded(name), folded(before_comma), plain, bare, _AFTER_NAME.sub("", bare)]
    return [form for form in dict.fromkeys(forms) if form]
