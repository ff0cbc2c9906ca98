"""A place that has a name, as data."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Kind(str, enum.Enum):
    """What a name may name, from coarse to fine."""

    COUNTRY = "country"
    REGION = "region"
    CITY = "city"


@dataclass(frozen=True)
class Toponym:
    """A place that has a name; what is finer than its kind is empty.

    Attributes:
        kind: of the place.
        name: for people.
        country: ISO 3166-1 code.
        population: of the place; of a region, that of its cities.
        admin1: GeoNames' code of the region, unique within the country.
        row: of the city in the table of cities.
    """

    kind: Kind
    name: str
    country: str
    population: float
    admin1: str = ""
    row: int = -1
