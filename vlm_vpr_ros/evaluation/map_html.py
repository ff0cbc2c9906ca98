"""A drawing as one self-contained page: nothing is fetched, offline or not."""

from __future__ import annotations

import html
import json
from typing import Any

import numpy as np

from vlm_vpr_ros.evaluation.drawing import Drawing, DrawnLayer
from vlm_vpr_ros.evaluation.map_page import PAGE
from vlm_vpr_ros.evaluation.plane import Floats
from vlm_vpr_ros.evaluation.scene import Points


def page(drawing: Drawing) -> str:
    """The drawing as an HTML page that can be moved, zoomed and asked."""
    # Split, not replaced one after the other: a title that holds a placeholder stays a title.
    before, between, after = PAGE.split("@@")[0], PAGE.split("@@")[1::2], PAGE.split("@@")[2::2]
    values = {
        "title": html.escape(drawing.scene.title),
        "subtitle": html.escape(drawing.scene.subtitle),
        "data": _script_json(_record(drawing)),
    }
    return before + "".join(values[name] + text for name, text in zip(between, after, strict=True))


def _script_json(record: Any) -> str:
    """JSON that cannot end the script element it stands in."""
    text = json.dumps(record, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _record(drawing: Drawing) -> dict[str, Any]:
    plane = drawing.plane
    digits = 2 if plane.local else 6
    return {
        "local": plane.local,
        "lat0": plane.lat0_deg,
        "lon0": plane.lon0_deg,
        "narrowing": plane.narrowing,
        "box": [round(v, digits) for v in drawing.box],
        "layers": [_layer(drawn, digits) for drawn in drawing.layers],
    }


def _layer(drawn: DrawnLayer, digits: int) -> dict[str, Any]:
    return {
        "name": drawn.layer.name,
        "color": drawn.layer.color,
        "points": [_points(points, xy, digits) for points, xy in drawn.points],
        "lines": [_flat(xy, digits) for xy in drawn.lines],
        "outlines": [_flat(xy, digits) for xy in drawn.outlines],
    }


def _points(points: Points, xy: Floats, digits: int) -> dict[str, Any]:
    headings = points.heading_deg
    return {
        "mark": points.mark,
        "xy": _flat(xy, digits),
        "labels": points.labels,
        "headings": None
        if headings is None
        else [None if np.isnan(h) else round(float(h), 1) for h in headings],
    }


def _flat(xy: Floats, digits: int) -> list[float]:
    """x, y, x, y, ..."""
    return [float(v) for v in np.round(xy, digits).ravel()]
