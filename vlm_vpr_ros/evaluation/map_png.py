"""A drawing as a picture."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from vlm_vpr_ros.evaluation.drawing import Drawing, DrawnLayer
from vlm_vpr_ros.evaluation.plane import Floats, Plane
from vlm_vpr_ros.evaluation.scene import Layer, Points
from vlm_vpr_ros.text import plain

_DPI = 150
_AREA_IN2, _FRAME_IN = 48.0, 1.2
_MARGIN = 0.06
_LEAST_RATIO = 0.5
"""Of the short side to the long one: a straight road gets some ground beside it."""
_LEGEND_ENTRIES = 12
_LEGEND_CHARACTERS = 40
_INK, _FAINT = "#2b2f36", "#e3e6ea"


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
    _furnish(axes, drawing)
    _legend(axes, drawing)
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


def _furnish(axes: Axes, drawing: Drawing) -> None:
    axes.set_title(
        _short(drawing.scene.title, 80),
        loc="left",
        fontsize=12,
        color=_INK,
        fontweight="bold",
        pad=20,
    )
    axes.text(
        *(0.0, 1.012, _short(drawing.scene.subtitle, 130)),
        transform=axes.transAxes,
        fontsize=8.5,
        color=_INK,
        va="bottom",
    )
    axes.grid(color=_FAINT, linewidth=0.7)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_color("#b9bec6")
    axes.tick_params(labelsize=8, colors=_INK, length=3)
    plane = drawing.plane
    if plane.local:
        centre = f"{plane.lat0_deg:.5f}, {plane.lon0_deg:.5f}"
        axes.set_xlabel(f"metres east of {centre}", fontsize=8, color=_INK)
        axes.set_ylabel("metres north", fontsize=8, color=_INK)
        _square_grid(axes)
        _scale_bar(axes)
    else:
        _graticule(axes, plane)
    _north(axes)


def _square_grid(axes: Axes) -> None:
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    step = round_length(max(x1 - x0, y1 - y0) / 5)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.yaxis.set_major_locator(MultipleLocator(step))


def _graticule(axes: Axes, plane: Plane) -> None:
    west, east = (x / plane.narrowing + plane.lon0_deg for x in axes.get_xlim())
    south, north = (max(-90.0, min(90.0, y + plane.lat0_deg)) for y in axes.get_ylim())
    step = round_length(max(east - west, north - south) / 5)
    lon = np.arange(np.ceil(west / step), np.floor(east / step) + 1) * step
    lat = np.arange(np.ceil(south / step), np.floor(north / step) + 1) * step
    names = [f"{(v + 180) % 360 - 180:.6g}°" for v in lon]
    axes.set_xticks((lon - plane.lon0_deg) * plane.narrowing, labels=names)
    axes.set_yticks(lat - plane.lat0_deg, labels=[f"{v:.6g}°" for v in lat])
    axes.set_xlabel("longitude", fontsize=8, color=_INK)
    axes.set_ylabel("latitude", fontsize=8, color=_INK)


def _scale_bar(axes: Axes) -> None:
    x0, x1 = axes.get_xlim()
    length = round_length((x1 - x0) / 5)
    text = f"{length / 1000:g} km" if length >= 1000 else f"{length:g} m"
    share = length / (x1 - x0)
    style: dict[str, Any] = {"transform": axes.transAxes, "color": _INK, "zorder": 6}
    axes.plot([0.03, 0.03 + share], [0.045, 0.045], linewidth=3, solid_capstyle="butt", **style)
    axes.text(0.03 + share / 2, 0.06, text, ha="center", va="bottom", fontsize=8, **style)


def _north(axes: Axes) -> None:
    axes.annotate(
        "N",
        xy=(0.965, 0.965),
        xytext=(0.965, 0.865),
        xycoords="axes fraction",
        ha="center",
        va="center",
        fontsize=9,
        color=_INK,
        arrowprops={"arrowstyle": "-|>", "color": _INK, "linewidth": 1.4},
        zorder=6,
    )


def round_length(length: float) -> float:
    """The greatest of 1, 2, 5, 10, 20, ... that is not greater."""
    power = 10.0 ** np.floor(np.log10(length))
    return float(max(step * power for step in (1, 2, 5) if step * power <= length))


def _legend(axes: Axes, drawing: Drawing) -> None:
    layers = [drawn.layer for drawn in drawing.layers]
    listed = layers if len(layers) <= _LEGEND_ENTRIES else layers[: _LEGEND_ENTRIES - 1]
    handles = [_handle(layer) for layer in listed]
    if len(listed) < len(layers):
        more = f"and {len(layers) - len(listed)} more"
        handles.append(Line2D([], [], color="none", label=more))
    axes.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.0, -0.1),
        ncol=min(3, len(handles)),
        fontsize=8,
        frameon=False,
    )


def _handle(layer: Layer) -> Line2D:
    crossed = any(isinstance(s, Points) and s.mark == "cross" for s in layer.shapes)
    return Line2D(
        *([], []),
        color=layer.color,
        marker="x" if crossed else "o",
        linestyle="" if crossed else "-",
        markersize=4,
        label=_entry(layer.name),
    )


def _entry(name: str) -> str:
    # matplotlib leaves labels that begin with an underscore out of legends.
    return _short(name.lstrip("_") or name.replace("_", "-"), _LEGEND_CHARACTERS)


def _short(text: str, limit: int) -> str:
    text = " ".join(plain(text).split())
    text = text if len(text) <= limit else text[: limit - 1] + "…"
    return text.replace("$", r"\$")  # a name like "$x$" of a drive is a name, not a formula
