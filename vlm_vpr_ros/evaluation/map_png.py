"""A drawing as a picture."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

from vlm_vpr_ros.evaluation.drawing import Drawing, DrawnLayer
from vlm_vpr_ros.evaluation.map_furniture import furnish
from vlm_vpr_ros.evaluation.plane import Floats
from vlm_vpr_ros.evaluation.scene import Points

_DPI = 150
_AREA_IN2, _FRAME_IN = 48.0, 1.2
_MARGIN = 0.06
_LEAST_RATIO = 0.5
"""Of the short side to the long one: a straight road gets some ground beside it."""


def png(drawing: Drawing) -> bytes:
    """The drawing as a PNG file."""
    x0, y0, x1, y1 = _view(drawing)
    ratio = (y1 - y0) / (x1 - x0)
    width = (_AREA_IN2 / ratio) ** 0.5
    figure = Figure(figsize=(width, width * ratio + _FRAME_IN))
    axes = figure.add_subplot()
    axes.set_aspect("equal")
    axes.set_xlim(x0, x1)
    axes.set_ylim(y0, y1)
    for layer in drawing.layers:
        _draw_layer(axes, layer)
    furnish(axes, drawing)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight", pad_inches=0.15)
    return buffer.getvalue()


def _view(drawing: Drawing) -> tuple[float, float, float, float]:
    x0, y0, x1, y1 = drawing.box
    wide, high = x1 - x0, y1 - y0
    least = 40.0 / drawing.plane.metres_per_unit  # a single point gets some ground, too
    long = max(wide, high, least) * (1 + 2 * _MARGIN)
    half_x = max(wide * (1 + 2 * _MARGIN), long * _LEAST_RATIO) / 2
    half_y = max(high * (1 + 2 * _MARGIN), long * _LEAST_RATIO) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return x - half_x, y - half_y, x + half_x, y + half_y


def _draw_layer(axes: Axes, drawn: DrawnLayer) -> None:
    color = drawn.layer.color
    axes.add_collection(LineCollection(list(drawn.lines), colors=color, linewidths=1.2, alpha=0.6))
    axes.add_collection(
        LineCollection(list(drawn.outlines), colors=color, linewidths=0.6, alpha=0.5)
    )
    for points, xy in drawn.points:
        _draw_points(axes, points, xy, color)


def _draw_points(axes: Axes, points: Points, xy: Floats, color: str) -> None:
    x, y = xy[:, 0], xy[:, 1]
    if points.heading_deg is not None:
        heading = np.radians(points.heading_deg)
        known = np.isfinite(heading)
        axes.quiver(
            *(x[known], y[known], np.sin(heading[known]), np.cos(heading[known])),
            color=color,
            angles="uv",
            scale_units="dots",
            scale=0.07,
            units="dots",
            width=1.6,
            headwidth=1,
            headlength=0,
            headaxislength=0,
            alpha=0.8,
        )
    if points.mark == "dot":
        axes.scatter(x, y, s=_dot_size(len(x)), color=color, linewidths=0, zorder=3)
    elif points.mark == "cross":
        axes.scatter(x, y, s=22, color=color, marker="x", linewidths=1.0, zorder=4)
    elif points.mark == "ring":
        axes.scatter(x, y, s=14, facecolors="none", edgecolors=color, linewidths=0.6, zorder=3)
    else:
        face = "white" if points.mark == "start" else color
        shape = "o" if points.mark == "start" else "s"
        axes.scatter(
            x, y, s=46, facecolors=face, edgecolors=color, marker=shape, linewidths=1.8, zorder=5
        )


def _dot_size(count: int) -> float:
    return float(np.clip(4000 / max(count, 1), 2.0, 14.0))
