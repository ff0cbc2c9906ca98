"""How far a place reaches: discs that hold it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.geodesy import lat_lon, unit_vectors
from vlm_vpr_ros.prior.geo_prior import EARTH_RADIUS_M

Floats = npt.NDArray[np.float64]

_PEOPLE_PER_KM2 = 3000.0
"""Of a built-up area; cities of the world lie between 1,000 and 20,000."""
_MIN_CITY_RADIUS_M = 1500.0
_ITERATIONS = 10


@dataclass(frozen=True)
class Disc:
    """A disc on the Earth and its share of the place that it is a part of."""

    lat_deg: float
    lon_deg: float
    radius_m: float
    share: float = 1.0

    @property
    def sigma_m(self) -> float:
        """Standard deviation of one axis of a point anywhere in it."""
        return self.radius_m / 2


def city_radius_m(population: npt.ArrayLike) -> Floats:
    """Radius of the built-up area of cities: their people, evenly dense."""
    people = np.asarray(population, np.float64)
    radius_m = 1000 * np.sqrt(people / (_PEOPLE_PER_KM2 * np.pi))
    return np.asarray(np.maximum(_MIN_CITY_RADIUS_M, radius_m))


def discs_around(
    lat_deg: Floats, lon_deg: Floats, mass: Floats, *, area_km2: float, parts: int
) -> tuple[Disc, ...]:
    """Discs that hold an area whose cities are given: k-means on the sphere, the same every time.

    A long or vast country is poorly told by one disc: its people live in several clusters.

    Args:
        lat_deg: (n,) of its cities, n > 0.
        lon_deg: (n,) of its cities.
        mass: (n,) how much each counts.
        area_km2: of all; a disc is never smaller than its part of it.
        parts: how many discs at most.
    """
    points = unit_vectors(lat_deg, lon_deg)
    centres = _spread_out(points, mass, parts)
    for _ in range(_ITERATIONS):
        nearest = np.argmax(points @ centres.T, axis=1)
        sums = np.stack(
            [(mass * points.T)[:, nearest == k].sum(axis=1) for k in np.unique(nearest)]
        )
        centres = sums / np.linalg.norm(sums, axis=1, keepdims=True)
    nearest = np.argmax(points @ centres.T, axis=1)
    parts_used = np.unique(nearest)
    smallest_m = 1000 * np.sqrt(area_km2 / (np.pi * len(parts_used)))
    discs = []
    for k in parts_used:
        own = nearest == k
        lat, lon = lat_lon(centres[k])
        square_m2 = EARTH_RADIUS_M**2 * np.sum((points[own] - centres[k]) ** 2, axis=1)
        variance_m2 = float(np.average(square_m2, weights=mass[own])) / 2  # of one axis
        radius_m = max(2 * variance_m2**0.5, smallest_m, _MIN_CITY_RADIUS_M)
        discs.append(Disc(lat, lon, radius_m, float(mass[own].sum() / mass.sum())))
    return tuple(discs)


def _spread_out(points: Floats, mass: Floats, count: int) -> Floats:
    """Starting centres: the heaviest point, then again and again the heaviest far from all."""
    chosen = [int(np.argmax(mass))]
    while len(chosen) < min(count, len(points)):
        square = np.min(2 - 2 * points @ points[chosen].T, axis=1)
        chosen.append(int(np.argmax(mass * square)))
    return points[chosen]
