"""A scene laid out on its plane: what is left is to put ink on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.evaluation.plane import Plane, plane_around
from vlm_vpr_ros.evaluation.scene import Ellipses, Layer, Lines, Points, Scene, Shape
from vlm_vpr_ros.types import GAUSSIAN_RADII

Floats = npt.NDArray[np.float64]

CHI2_95 = GAUSSIAN_RADII[95] ** 2
"""95 % of a Gaussian in the plane lies within this squared Mahalanobis distance."""
_CORNERS = 48


@dataclass(frozen=True)
class DrawnLayer:
    """A layer in plane coordinates.

    Attributes:
        layer: what it is.
        points: the marks and where they are, (n, 2).
        lines: (m, 2) each.
        outlines: (m, 2) each, closed.
    """

    layer: Layer
    points: tuple[tuple[Points, Floats], ...]
    lines: tuple[Floats, ...]
    outlines: tuple[Floats, ...]


@dataclass(frozen=True)
class Drawing:
    """A scene in plane coordinates."""

    scene: Scene
    plane: Plane
    layers: tuple[DrawnLayer, ...]

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Least x, least y, greatest x, greatest y."""
        parts = [xy for layer in self.layers for _, xy in layer.points]
        parts += [xy for layer in self.layers for xy in (*layer.lines, *layer.outlines)]
        xy = np.concatenate(parts)
        low, high = xy.min(axis=0), xy.max(axis=0)
        return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def draw(scene: Scene, plane: Plane | None = None) -> Drawing:
    """Lay out a scene on a plane; None: on the one that shows best what must not be nothing."""
    if plane is None:
        positions = list(scene.positions())
        lat_deg = np.concatenate([lat for lat, _ in positions])
        lon_deg = np.concatenate([lon for _, lon in positions])
        plane = plane_around(lat_deg, lon_deg)
    return Drawing(scene, plane, tuple(_drawn(layer, plane) for layer in scene.layers))


def _drawn(layer: Layer, plane: Plane) -> DrawnLayer:
    return DrawnLayer(
        layer=layer,
        points=tuple(
            (shape, plane.xy(shape.lat_deg, shape.lon_deg))
            for shape in layer.shapes
            if isinstance(shape, Points)
        ),
        lines=tuple(xy for shape in layer.shapes for xy in _lines(shape, plane)),
        outlines=tuple(xy for shape in layer.shapes for xy in _outlines(shape, plane)),
    )


def _lines(shape: Shape, plane: Plane) -> list[Floats]:
    if not isinstance(shape, Lines):
        return []
    lines = [plane.xy(lat, lon) for lat, lon in zip(shape.lat_deg, shape.lon_deg, strict=True)]
    return [piece for line in lines for piece in _unwrapped(line, plane)]


def _unwrapped(line: Floats, plane: Plane) -> list[Floats]:
    """A line cut where it leaves a map of degrees at one side and comes back at the other."""
    if plane.local:
        return [line]
    jumps = np.flatnonzero(np.abs(np.diff(line[:, 0])) > 180.0 * plane.narrowing) + 1
    return [piece for piece in np.split(line, jumps) if len(piece) > 1]


def _outlines(shape: Shape, plane: Plane) -> list[Floats]:
    if not isinstance(shape, Ellipses):
        return []
    angles = np.linspace(0.0, 2 * np.pi, _CORNERS)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    variances, axes = np.linalg.eigh(shape.covariance_en_m2)
    radii_m = np.sqrt(CHI2_95 * np.maximum(variances, 0.0))
    offsets_m = np.einsum("nij,nj,cj->nci", axes, radii_m, circle)
    centres = plane.xy(shape.lat_deg, shape.lon_deg)
    return list(centres[:, None, :] + offsets_m / plane.metres_per_unit)
