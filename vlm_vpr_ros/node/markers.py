"""A scene as markers for RViz."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from geometry_msgs.msg import Point
from std_msgs.msg import ColorRGBA
from visualization_msgs.msg import Marker, MarkerArray

from vlm_vpr_ros.evaluation.drawing import DrawnLayer, draw
from vlm_vpr_ros.evaluation.plane import Plane
from vlm_vpr_ros.evaluation.scene import Floats, Scene
from vlm_vpr_ros.node.conversions import header
from vlm_vpr_ros.node.map_frame import MapFrame

_LINE_M, _DOT_M, _TEXT_M = 0.3, 1.5, 1.5


def markers(scene: Scene, stamp_ns: int, frame: MapFrame) -> MarkerArray:
    """The points, texts, lines and 95 % ellipses of a scene, in place of all that was shown before.

    The namespace of a marker is the name of its layer, so that RViz can hide it.
    """
    drawing = draw(scene, Plane(frame.origin.lat_deg, frame.origin.lon_deg, local=True))
    made = [Marker(action=Marker.DELETEALL)]
    for layer in drawing.layers:
        made += _layer(layer, frame)
    for number, marker in enumerate(made):
        marker.header = header(stamp_ns, frame.name)
        marker.id = number
    return MarkerArray(markers=made)


def _layer(drawn: DrawnLayer, frame: MapFrame) -> Iterator[Marker]:
    paths = [frame.turned(path) for path in (*drawn.lines, *drawn.outlines)]
    if paths:
        lines = _marker(drawn, Marker.LINE_LIST, _LINE_M)
        ends = [np.stack([path[:-1], path[1:]], axis=1).reshape(-1, 2) for path in paths]
        lines.points = _points(np.concatenate(ends))
        yield lines
    for points, east_north_m in drawn.points:
        places = frame.turned(east_north_m)
        dots = _marker(drawn, Marker.SPHERE_LIST, _DOT_M)
        dots.points = _points(places)
        yield dots
        for place, label in zip(_points(places), points.labels, strict=True):
            text = _marker(drawn, Marker.TEXT_VIEW_FACING, _TEXT_M)
            text.text = label
            text.pose.position = place
            yield text


def _marker(drawn: DrawnLayer, kind: int, size_m: float) -> Marker:
    layer = drawn.layer
    marker = Marker(ns=layer.name, type=kind, action=Marker.ADD, color=_color(layer.color))
    marker.scale.x = marker.scale.y = marker.scale.z = size_m
    marker.pose.orientation.w = 1.0
    return marker


def _points(places: Floats) -> list[Point]:
    return [Point(x=float(x), y=float(y)) for x, y in places]


def _color(text: str) -> ColorRGBA:
    """Of #rrggbb."""
    red, green, blue = (int(text[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return ColorRGBA(r=red, g=green, b=blue, a=1.0)
