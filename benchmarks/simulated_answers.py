"""What a vision-language model says of where a view was taken, as often right as published ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.simulated_towns import Floats, Rows, Towns, country_names, displaced
from vlm_vpr_ros.geodesy import unit_vectors
from vlm_vpr_ros.prior.answers import OpenAnswer
from vlm_vpr_ros.prior.geo_prior import EARTH_RADIUS_M

FAR_M = 2500e3
_HALF_ROUND_M = np.pi * EARTH_RADIUS_M
_NEAREST_M = 100.0


@dataclass(frozen=True)
class Errors:
    """How far answers are off: shares within 1, 25, 200, 750 and 2500 km, as they are published.

    Within a band the logarithm of the distance is uniform; beyond, the direction from the Earth's
    centre is. Bearings are uniform.
    """

    name: str
    within: tuple[float, float, float, float, float]

    def distances_m(self, count: int, rng: np.random.Generator) -> Floats:
        """Draw distances."""
        edges = np.log([_NEAREST_M, 1e3, 25e3, 200e3, 750e3, FAR_M])
        u = rng.uniform(size=count)
        near = np.exp(np.interp(u, [0.0, *self.within], edges))
        far = 1 - (u - self.within[-1]) / (1 - self.within[-1])  # 1 at the edge, 0 at the antipode
        cosine = far * (1 + np.cos(FAR_M / EARTH_RADIUS_M)) - 1
        return np.where(u < self.within[-1], near, EARTH_RADIUS_M * np.arccos(cosine.clip(-1, 1)))

    def log_density(self, distance_m: Floats) -> Floats:
        """Logarithm of the density of answers, per steradian, at a distance from the truth."""
        edges = np.array([_NEAREST_M, 1e3, 25e3, 200e3, 750e3, FAR_M])
        shares = np.diff([0.0, *self.within])
        d = distance_m.clip(_NEAREST_M, _HALF_ROUND_M * (1 - 1e-9))
        band = np.searchsorted(edges, d, side="right").clip(1, 5) - 1
        per_m = shares[band] / (d * np.log(edges[band + 1] / edges[band]))
        angle = d / EARTH_RADIUS_M
        near = per_m * EARTH_RADIUS_M / (2 * np.pi * np.sin(angle))
        far = (1 - self.within[-1]) / (2 * np.pi * (1 + np.cos(FAR_M / EARTH_RADIUS_M)))
        return np.asarray(np.log(np.where(d < FAR_M, near, far)))


STREET_VIEWS = Errors("street-view errors", (0.005, 0.096, 0.323, 0.652, 0.872))
PHOTOS = Errors("photo errors", (0.189, 0.461, 0.598, 0.737, 0.860))

COUNTRY_RIGHT = 0.70
"""Share of answers that name the right country, and nothing else."""


@dataclass(frozen=True)
class Answers:
    """One for each of m queries.

    Attributes:
        said: what the model says.
        log_likelihood: (m, T) of saying it in each of the T towns.
        apart_m: (m, T) from what was said to each town; a country is 0 from its towns.
    """

    said: tuple[OpenAnswer, ...]
    log_likelihood: Floats
    apart_m: Floats


def pointing(towns: Towns, at: Rows, errors: Errors, seed: int) -> Answers:
    """Coordinates, off by `errors` from the towns `at`."""
    rng = np.random.default_rng(seed)
    off_m = errors.distances_m(len(at), rng)
    return pointed(towns, at, off_m, errors, rng)


def pointed(
    towns: Towns, at: Rows, off_m: Floats, errors: Errors, rng: np.random.Generator
) -> Answers:
    """Coordinates, so far off from the towns `at`; taken by the ideal observer for `errors`."""
    bearing = rng.uniform(0, 2 * np.pi, len(at))
    lat, lon = displaced(
        towns.lat_deg[at], towns.lon_deg[at], off_m * np.sin(bearing), off_m * np.cos(bearing)
    )
    said = tuple(
        OpenAnswer(lat_deg=float(y), lon_deg=float(x)) for y, x in zip(lat, lon, strict=True)
    )
    apart_m = _apart_m(lat, lon, towns)
    return Answers(said, errors.log_density(apart_m), apart_m)


def naming_countries(towns: Towns, at: Rows, world: Sequence[str], seed: int) -> Answers:
    """The name of a country of the `world`: of the right one in 70 % of the cases."""
    rng = np.random.default_rng(seed)
    names = sorted({*world, *country_names(towns)})
    number = np.array([names.index(country) for country in towns.country])
    shift = rng.integers(1, len(names), len(at))
    right = rng.uniform(size=len(at)) < COUNTRY_RIGHT
    chosen = (number[at] + np.where(right, 0, shift)) % len(names)
    same = chosen[:, None] == number
    share = np.where(same, COUNTRY_RIGHT, (1 - COUNTRY_RIGHT) / (len(names) - 1))
    said = tuple(OpenAnswer(country=names[i]) for i in chosen)
    return Answers(said, np.log(share), np.where(same, 0.0, np.inf))


def far_off(count: int, rng: np.random.Generator) -> Floats:
    """Distances of more than 2,500 km, all directions from the Earth's centre alike."""
    cosine = rng.uniform(-1, np.cos(FAR_M / EARTH_RADIUS_M), count)
    return np.asarray(EARTH_RADIUS_M * np.arccos(cosine))


def _apart_m(lat: Floats, lon: Floats, towns: Towns) -> Floats:
    cosine = unit_vectors(lat, lon) @ unit_vectors(towns.lat_deg, towns.lon_deg).T
    return np.asarray(EARTH_RADIUS_M * np.arccos(cosine.clip(-1, 1)))
