"""A prior as GeoJSON (RFC 7946), written for maps and read from the user's own.

Points become Gaussians. Areas become one Gaussian for each of the H3 cells that tile them, so any
outline will do, islands and holes included.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import h3

from vlm_vpr_ros.errors import PriorError
from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior

_MAX_BYTES = 16 << 20
_MAX_FEATURES = 200
_FEW_CELLS = 30
"""An area is tiled more finely until this many cells lie in it."""
_AROUND_DEG = 359.999
"""A longer edge is meant to go around the Earth, and goes nowhere: more than 180 degrees apart, two
longitudes are joined across the date line."""
_AREAS = ("Polygon", "MultiPolygon")


def features(prior: GeoPrior) -> list[dict[str, Any]]:
    """One Feature for each component: a Point with the properties prior, sigma_m, weight, label."""
    return [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [part.lon_deg, part.lat_deg]},
            "properties": {
                "prior": prior.source,
                "sigma_m": part.sigma_m,
                "weight": part.weight,
                "label": part.label,
            },
        }
        for part in prior.components
    ]


def read_components(path: Path, sigma_m: float) -> list[Component]:
    """The points and areas of a GeoJSON file as components of a prior.

    A feature may have the properties `sigma_m` (of a point, one axis), `weight` (default 1, shared
    by all of its parts) and `label` or `name`.

    Args:
        path: a FeatureCollection, a Feature or a geometry.
        sigma_m: of points that have none of their own.

    Raises:
        PriorError: the file cannot be read, or holds neither points nor areas.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise ValueError(f"larger than {_MAX_BYTES >> 20} MB")
        tree = json.loads(path.read_text(encoding="utf-8"))
        parts = [part for feature in _features(tree) for part in _parts(feature, sigma_m)]
        GeoPrior.mixture(parts, 0.0, "")  # checks every number
    except (OSError, ValueError, RecursionError, PriorError) as error:
        raise PriorError(f"{path}: cannot be used as a geographic prior: {error}") from None
    if not parts:
        raise PriorError(f"{path}: holds neither points nor areas")
    return parts


def _features(tree: Any) -> list[dict[str, Any]]:
    kind = tree.get("type") if isinstance(tree, dict) else None
    if kind == "FeatureCollection":
        found = tree.get("features")
    else:
        found = [tree if kind == "Feature" else {"geometry": tree}]
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise ValueError("its features are no list of objects")
    if len(found) > _MAX_FEATURES:
        raise ValueError(f"{len(found)} features, at most {_MAX_FEATURES} are read")
    return found


def _parts(feature: dict[str, Any], sigma_m: float) -> Iterator[Component]:
    properties = feature.get("properties") or {}
    geometry = feature.get("geometry")
    if not isinstance(properties, dict) or not isinstance(geometry, dict):
        raise ValueError("a feature without a geometry")
    weight = _number(properties.get("weight", 1.0), "weight")
    label = str(properties.get("label", properties.get("name", "")))[:200]
    kind, coordinates = geometry.get("type"), geometry.get("coordinates")
    if kind == "Point":
        spots = [(*_position(coordinates), _number(properties.get("sigma_m", sigma_m), "sigma_m"))]
    elif kind in _AREAS:
        spots = _tiles(geometry)
    else:
        raise ValueError(f"geometry {kind!r}: expected Point, Polygon or MultiPolygon")
    for lat_deg, lon_deg, width_m in spots:
        yield Component(lat_deg, lon_deg, width_m, weight / len(spots), label)


def _tiles(geometry: dict[str, Any]) -> list[tuple[float, float, float]]:
    """(latitude, longitude, sigma) of the cells of the coarsest tiling with enough of them."""
    polygons = geometry.get("coordinates")
    polygons = [polygons] if geometry["type"] == "Polygon" else polygons
    if not isinstance(polygons, list) or not polygons:
        raise ValueError("an area without an outline")
    for polygon in polygons:
        if not isinstance(polygon, list) or not polygon:
            raise ValueError("an area without an outline")
        for ring in polygon:
            if not isinstance(ring, list) or len(ring) < 4:
                raise ValueError("an outline of fewer than four positions")
            lons_deg = [_position(position)[1] for position in ring]
            if any(abs(b - a) > _AROUND_DEG for a, b in pairwise(lons_deg)):
                raise ValueError(
                    "an edge from longitude -180 to 180, which ends where it begins: an area "
                    "around the Earth is a MultiPolygon of two halves"
                )
    try:
        for resolution in range(16):
            cells = h3.geo_to_cells(geometry, resolution)
            if len(cells) >= _FEW_CELLS:
                break
    except (h3.H3BaseException, MemoryError):
        cells = []
    if not cells:
        raise ValueError("an area without extent")
    return [
        # Neighbours a little wider than the cells: their sum has no ripples.
        (*h3.cell_to_latlng(cell), math.sqrt(h3.cell_area(cell, "m^2") / (2 * math.pi)))
        for cell in sorted(cells)
    ]


def _position(coordinates: Any) -> tuple[float, float]:
    """(latitude, longitude)."""
    if not isinstance(coordinates, list) or not 2 <= len(coordinates) <= 3:
        raise ValueError("a position is [longitude, latitude]")
    lon_deg, lat_deg = (_number(value, "coordinate") for value in coordinates[:2])
    if not (abs(lat_deg) <= 90 and abs(lon_deg) <= 180):
        raise ValueError(f"[{lon_deg:g}, {lat_deg:g}] is no [longitude, latitude]")
    return lat_deg, lon_deg


def _number(value: Any, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError(f"{what} {value!r} is no number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{what} is too large") from None
