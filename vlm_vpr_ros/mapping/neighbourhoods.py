"""References by neighbourhood, and the town that each neighbourhood belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import h3
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.prior.city_table import CityTable
from vlm_vpr_ros.prior.extent import city_radius_m
from vlm_vpr_ros.prior.geo_prior import EARTH_RADIUS_M, unit_vectors
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
    nearest = np.empty(len(points), np.int64)
    for chunk, away_m in _distances_m(points, unit_vectors(cities.lat_deg, cities.lon_deg)):
        best = np.argmin(np.where(away_m <= _FARTHEST_M, away_m / reach_m, np.inf), axis=1)
        found = np.take_along_axis(away_m, best[:, None], axis=1)[:, 0] <= _FARTHEST_M
        nearest[chunk] = np.where(found, best, -1)
    return nearest


def merged_towns(cities: CityTable, city: Ints) -> Ints:
    """The same with towns close to a larger one, or within it, told as that one."""
    reach_m = np.maximum(city_radius_m(cities.population), _APART_M)
    everywhere = unit_vectors(cities.lat_deg, cities.lon_deg)
    rows = np.unique(city[city >= 0])
    largest = rows.copy()
    for chunk, away_m in _distances_m(everywhere[rows], everywhere):
        near = (away_m < reach_m) & (cities.country == cities.country[rows[chunk], None])
        largest[chunk] = np.argmax(np.where(near, cities.population, 0.0), axis=1)
    merged = city.copy()
    merged[city >= 0] = largest[np.searchsorted(rows, city[city >= 0])]
    return merged


def middles(points: Floats, group: Ints) -> Floats:
    """The middle of the points of each group, as unit vectors."""
    sums = np.stack([np.bincount(group, points[:, axis]) for axis in range(3)], axis=1)
    return np.asarray(sums / np.linalg.norm(sums, axis=1, keepdims=True))


def arc_m(points: Floats, others: Floats) -> Floats:
    """Great-circle distances between unit vectors, pair by pair."""
    chord = np.linalg.norm(points - others, axis=1)
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.minimum(chord / 2, 1.0)))


def _distances_m(points: Floats, others: Floats) -> Iterator[tuple[slice, Floats]]:
    """Chords between points and all others, some points at a time."""
    for first in range(0, len(points), _CHUNK):
        chunk = slice(first, min(first + _CHUNK, len(points)))
        square = np.maximum(2 - 2 * points[chunk] @ others.T, 0.0)
        yield chunk, EARTH_RADIUS_M * np.sqrt(square)
