"""References by neighbourhood, and the town that each neighbourhood belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import h3
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.geodesy import unit_vectors
from vlm_vpr_ros.prior.city_table import CityTable
from vlm_vpr_ros.prior.extent import city_radius_m
from vlm_vpr_ros.prior.geo_prior import EARTH_RADIUS_M
from vlm_vpr_ros.region.references import References

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FARTHEST_M = 100e3
"""A town farther off than this names nothing."""
_APART_M = 10e3
"""Of two towns nearer than this to each other the smaller one is told as the larger one: nobody,
and no model, tells them apart by a photo."""
_MIN_CITY_M = 3e3
_MAX_BLOCKS = 5000
_RESOLUTIONS = (7, 6, 5, 4, 3)
"""H3; blocks of about 1, 4, 10, 26 and 69 km edge."""
_CHUNK = 64


@dataclass(frozen=True)
class Blocks:
    """References put together by neighbourhood: n blocks.

    Attributes:
        points: (n, 3) unit vectors of their middles.
        counts: (n,) references in each.
        of_reference: (references,) the block of each.
    """

    points: Floats
    counts: Ints
    of_reference: Ints


def blocks_of(references: References) -> Blocks:
    """Neighbourhoods as small as they can be with at most 5,000 of them."""
    cells = np.unique(references.cell)
    for resolution in _RESOLUTIONS:
        block_of_cell = np.array([_parent(int(cell), resolution) for cell in cells], np.uint64)
        if len(np.unique(block_of_cell)) <= _MAX_BLOCKS:
            break
    of_reference = block_of_cell[np.searchsorted(cells, references.cell)]
    _, block, counts = np.unique(of_reference, return_inverse=True, return_counts=True)
    points = unit_vectors(references.lat_deg, references.lon_deg)
    return Blocks(middles(points, block), counts.astype(np.int64), block)


def _parent(cell: int, resolution: int) -> int:
    return int(h3.str_to_int(h3.cell_to_parent(h3.int_to_str(cell), resolution)))


def nearest_city(cities: CityTable, points: Floats) -> Ints:
    """Row of the city that each point belongs to, -1 far from any.

    It is the one whose built-up radius, as its population suggests, the point is the fewest times
    away from.
    """
    reach_m = np.maximum(city_radius_m(cities.population), _MIN_CITY_M)
    nearest = np.full(len(points), -1, np.int64)
    for some, rows, away_m in _nearby(points, cities, _FARTHEST_M):
        times = np.where(away_m <= _FARTHEST_M, away_m / reach_m[rows], np.inf)
        found = np.isfinite(times.min(axis=1))
        nearest[some[found]] = rows[np.argmin(times[found], axis=1)]
    return nearest


def merged_towns(cities: CityTable, city: Ints) -> Ints:
    """The same with towns close to a larger one, or within it, told as that one."""
    reach_m = np.maximum(city_radius_m(cities.population), _APART_M)
    named = city >= 0
    merged = city.copy()
    while True:  # a suburb of a suburb; populations rise, so it ends
        towns = np.unique(merged[named])
        points = unit_vectors(cities.lat_deg[towns], cities.lon_deg[towns])
        largest = towns.copy()
        for some, rows, away_m in _nearby(points, cities, float(reach_m.max())):
            near = (away_m < reach_m[rows]) & (
                cities.country[rows] == cities.country[towns[some], None]
            )
            largest[some] = rows[np.argmax(np.where(near, cities.population[rows], 0.0), axis=1)]
        if np.array_equal(largest, towns):
            return merged
        merged[named] = largest[np.searchsorted(towns, merged[named])]


def middles(points: Floats, group: Ints) -> Floats:
    """The middle of the points of each group, as unit vectors."""
    sums = np.stack([np.bincount(group, points[:, axis]) for axis in range(3)], axis=1)
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True))


def arc_m(points: Floats, others: Floats) -> Floats:
    """Great-circle distances between unit vectors, pair by pair."""
    chord = np.linalg.norm(points - others, axis=1)
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord / 2, 1.0)))


def _nearby(
    points: Floats, cities: CityTable, within_m: float
) -> Iterator[tuple[Ints, Ints, Floats]]:
    """Yield some points, the cities that may be within a distance of them, and all distances."""
    latitude_deg = np.degrees(np.arcsin(np.clip(points[:, 2], -1, 1)))
    southern_first = np.argsort(latitude_deg, kind="stable")
    by_latitude = np.argsort(cities.lat_deg, kind="stable")
    margin_deg = np.degrees(within_m / EARTH_RADIUS_M)
    for first in range(0, len(points), _CHUNK):
        some = southern_first[first : first + _CHUNK]
        edges = latitude_deg[some[[0, -1]]] + [-margin_deg, margin_deg]
        low, high = np.searchsorted(cities.lat_deg[by_latitude], edges)
        rows = np.sort(by_latitude[low:high])
        if len(rows):
            others = unit_vectors(cities.lat_deg[rows], cities.lon_deg[rows])
            square = np.maximum(2 - 2 * points[some] @ others.T, 0.0)
            yield some, rows, EARTH_RADIUS_M * np.sqrt(square)
