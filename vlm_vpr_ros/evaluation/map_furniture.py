"""What a picture of a map needs beside the map: title, grid, scale, north, legend."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MultipleLocator

from vlm_vpr_ros.evaluation.drawing import Drawing
from vlm_vpr_ros.evaluation.plane import Plane
from vlm_vpr_ros.evaluation.scene import Layer, Points
from vlm_vpr_ros.text import plain

_LEGEND_ENTRIES = 12
_LEGEND_CHARACTERS = 40
_INK, _FAINT = "#2b2f36", "#e3e6ea"


def furnish(axes: Axes, drawing: Drawing) -> None:
    """Put all that onto axes whose limits are set."""
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
    _legend(axes, drawing)


def _square_grid(axes: Axes) -> None:
    (x0, x1), (y0, y1) = axes.get_xlim(), axes.get_ylim()
    step = _round_length(max(x1 - x0, y1 - y0) / 5)
    axes.xaxis.set_major_locator(MultipleLocator(step))
    axes.yaxis.set_major_locator(MultipleLocator(step))


def _graticule(axes: Axes, plane: Plane) -> None:
    west, east = (x / plane.narrowing + plane.lon0_deg for x in axes.get_xlim())
    south, north = (max(-90.0, min(90.0, y + plane.lat0_deg)) for y in axes.get_ylim())
    step = _round_length(max(east - west, north - south) / 5)
    lon = np.arange(np.ceil(west / step), np.floor(east / step) + 1) * step
    lat = np.arange(np.ceil(south / step), np.floor(north / step) + 1) * step
    names = [f"{(v + 180) % 360 - 180:.6g}°" for v in lon]
    axes.set_xticks((lon - plane.lon0_deg) * plane.narrowing, labels=names)
    axes.set_yticks(lat - plane.lat0_deg, labels=[f"{v:.6g}°" for v in lat])
    axes.set_xlabel("longitude", fontsize=8, color=_INK)
    axes.set_ylabel("latitude", fontsize=8, color=_INK)


def _scale_bar(axes: Axes) -> None:
    x0, x1 = axes.get_xlim()
    length = _round_length((x1 - x0) / 5)
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


def _round_length(length: float) -> float:
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
