"""A scene as GeoJSON (RFC 7946): for QGIS, Foxglove and everything else that shows maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from vlm_vpr_ros.evaluation.drawing import CHI2_95
from vlm_vpr_ros.evaluation.scene import Ellipses, Floats, Layer, Lines, Points, Scene
from vlm_vpr_ros.geodesy import displaced
from vlm_vpr_ros.outcome_json import DEGREE_DIGITS, number

_CORNERS = 36


def feature_collection(scene: Scene) -> dict[str, Any]:
    """The scene as a FeatureCollection with its title and subtitle.

    Marks become Points, ways LineStrings, the ellipses that hold 95 % Polygons. Properties: `layer`
    and `color` of all, `label`, `mark` and `heading_deg` of marks. What crosses the antimeridian is
    not cut: longitudes then go beyond 180°, which viewers show in one piece.
    """
    return {
        "type": "FeatureCollection",
        "title": scene.title,
        "subtitle": scene.subtitle,
        "features": [feature for layer in scene.layers for feature in _features(layer)],
    }


def _features(layer: Layer) -> Iterator[dict[str, Any]]:
    for shape in layer.shapes:
        if isinstance(shape, Points):
            yield from _marks(layer, shape)
        elif isinstance(shape, Lines):
            for lat, lon in zip(shape.lat_deg, shape.lon_deg, strict=True):
                yield _feature(layer, "LineString", _positions(lat, lon))
        else:
            yield from _ellipses(layer, shape)


def _marks(layer: Layer, points: Points) -> Iterator[dict[str, Any]]:
    headings = points.heading_deg
    for i, label in enumerate(points.labels):
        (position,) = _positions(points.lat_deg[[i]], points.lon_deg[[i]])
        heading = None if headings is None else number(float(headings[i]), 1)
        yield _feature(layer, "Point", position, label=label, mark=points.mark, heading_deg=heading)


def _ellipses(layer: Layer, ellipses: Ellipses) -> Iterator[dict[str, Any]]:
    angles = np.linspace(0.0, 2 * np.pi, _CORNERS)[::-1]  # a ring turns to the left
    circle = np.stack([np.sin(angles), np.cos(angles)], axis=-1)
    for lat, lon, covariance in zip(
        ellipses.lat_deg, ellipses.lon_deg, ellipses.covariance_en_m2, strict=True
    ):
        variances, axes = np.linalg.eigh(covariance)
        # The symmetric root, so that the ring keeps its sense of rotation.
        root = axes * np.sqrt(CHI2_95 * np.maximum(variances, 0.0)) @ axes.T
        corners = np.array([displaced(lat, lon, *offset) for offset in circle @ root])
        yield _feature(layer, "Polygon", [_positions(corners[:, 0], corners[:, 1])])


def _positions(lat_deg: Floats, lon_deg: Floats) -> list[list[float | None]]:
    """[longitude, latitude] of each, longitudes without a jump from one to the next."""
    lon = np.unwrap(lon_deg, period=360.0)
    return [
        [number(x, DEGREE_DIGITS), number(y, DEGREE_DIGITS)]
        for x, y in zip(lon, lat_deg, strict=True)
    ]


def _feature(layer: Layer, kind: str, coordinates: object, **properties: object) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": kind, "coordinates": coordinates},
        "properties": {"layer": layer.name, "color": layer.color, **properties},
    }
