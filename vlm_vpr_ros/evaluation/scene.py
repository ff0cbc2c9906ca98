"""A map as data: what lies where, what colour it has and what is said about it.

A scene knows neither pixels nor projections. Pictures, pages and other outputs draw the same scene.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

Mark = Literal["dot", "cross", "ring", "start", "end"]


@dataclass(frozen=True)
class Points:
    """Marks at positions.

    Attributes:
        lat_deg: (n,).
        lon_deg: (n,).
        labels: (n,) what is said about each; may have several lines; not to be trusted as HTML.
        heading_deg: (n,) direction of view clockwise from north, NaN where unknown; None: nowhere.
        mark: how they look.
    """

    lat_deg: Floats
    lon_deg: Floats
    labels: tuple[str, ...]
    heading_deg: Floats | None = None
    mark: Mark = "dot"


@dataclass(frozen=True)
class Lines:
    """Polylines.

    Attributes:
        lat_deg: of each line the (m,) latitudes of its corners.
        lon_deg: of each line the (m,) longitudes of its corners.
    """

    lat_deg: tuple[Floats, ...]
    lon_deg: tuple[Floats, ...]


@dataclass(frozen=True)
class Ellipses:
    """Regions that hold 95 % of a Gaussian.

    Attributes:
        lat_deg: (n,) centres.
        lon_deg: (n,) centres.
        covariance_en_m2: (n, 2, 2) east-north, square metres.
    """

    lat_deg: Floats
    lon_deg: Floats
    covariance_en_m2: Floats


Shape = Points | Lines | Ellipses


@dataclass(frozen=True)
class Layer:
    """Shapes that are shown or hidden together.

    Attributes:
        name: for the legend; not to be trusted as HTML.
        color: #rrggbb.
        shapes: drawn in this order.
    """

    name: str
    color: str
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Scene:
    """A map.

    Attributes:
        title: one line.
        subtitle: one line that says what is shown.
        layers: drawn in this order, the last on top.
    """

    title: str
    subtitle: str
    layers: tuple[Layer, ...]

    def positions(self) -> Iterator[tuple[Floats, Floats]]:
        """Latitudes and longitudes of everything that is shown."""
        for layer in self.layers:
            for shape in layer.shapes:
                if isinstance(shape, Lines):
                    yield from zip(shape.lat_deg, shape.lon_deg, strict=True)
                else:
                    yield shape.lat_deg, shape.lon_deg
