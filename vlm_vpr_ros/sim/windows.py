"""Windows of a house: each house has its own kind, each window its own curtains and light."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np

from vlm_vpr_ros.sim.canvas import Canvas, darker, varied
from vlm_vpr_ros.sim.looks import Architecture, Colour
from vlm_vpr_ros.types import RgbImage

Surround = Literal["none", "frame", "lintel", "pediment", "arch"]
_SURROUNDS: tuple[Surround, ...] = ("none", "frame", "lintel", "pediment", "arch")
_PAINTED: tuple[Colour, ...] = ((58, 44, 36), (62, 66, 70), (196, 188, 170))
"""Frames in other than the town's usual colour."""
_FLOWERS: tuple[Colour, ...] = ((52, 96, 44), (196, 52, 60), (226, 190, 70))


@dataclass(frozen=True)
class WindowStyle:
    """The kind of windows that a house has.

    Attributes:
        frame: colour of the frames.
        surround: what is around a window.
        stone: colour of that.
        border_m: width of the frame.
        sill_m: how far the sill stands out sideways.
        panes: columns and rows of panes.
        bar_px: width of the bars between them.
        shutter: colour of the shutters, None without.
        curtains, blinds, flowers: share of the windows that have them.
        cloth: colour of curtains and blinds.
    """

    frame: Colour
    surround: Surround
    stone: Colour
    border_m: float
    sill_m: float
    panes: tuple[int, int]
    bar_px: int
    shutter: Colour | None
    curtains: float
    blinds: float
    flowers: float
    cloth: Colour


def draw_window_style(
    architecture: Architecture, wall: Colour, random: np.random.Generator
) -> WindowStyle:
    """Draw the kind of windows of a house whose wall has that colour."""
    modern = architecture.material == "panels"
    frame = varied(architecture.frame, random, 10)
    if random.random() < 0.3:  # somebody painted them
        frame = varied(_PAINTED[int(random.integers(len(_PAINTED)))], random, 12)
    shutter = None
    if architecture.shutters and random.random() < 0.75:
        shutter = architecture.shutters[int(random.integers(len(architecture.shutters)))]
    weights = (0.4, 0.4, 0.2, 0.0, 0.0) if modern else (0.2, 0.2, 0.25, 0.15, 0.2)
    surround = _SURROUNDS[int(random.choice(5, p=weights))]
    if architecture.arched and random.random() < 0.5:
        surround = "arch"
    return WindowStyle(
        frame,
        surround,
        varied(darker(wall, float(random.uniform(0.5, 0.85))), random, 8)
        if random.random() < 0.5
        else frame,
        float(random.uniform(0.04, 0.16)),
        float(random.uniform(0.0, 0.2)),
        (int(random.integers(1, 4)), int(random.integers(1, 5))),
        int(random.integers(1, 4)),
        shutter,
        float(random.uniform(0, 0.8)),
        float(random.choice([0.0, random.uniform(0.2, 0.8)])),
        float(random.choice([0.0, random.uniform(0.3, 1.0)], p=[0.7, 0.3])),
        varied((206, 198, 184), random, 24),
    )


def draw_window(
    canvas: Canvas,
    style: WindowStyle,
    random: np.random.Generator,
    x: tuple[float, float],
    z: tuple[float, float],
) -> None:
    """Draw a window from `x[0]` to `x[1]` and from `z[0]` up to `z[1]`."""
    (x0, x1), (z0, z1) = x, z
    if style.shutter is not None:
        _shutters(canvas, varied(style.shutter, random, 6), x, z, closed=random.random() < 0.12)
    _surround(canvas, style, x, z)
    border = style.border_m
    canvas.fill(x0 - border, x1 + border, z0 - border, z1 + border, style.frame)
    sill = border + style.sill_m
    canvas.fill(x0 - sill, x1 + sill, z0 - border - 0.12, z0 - border, darker(style.frame, 0.78))
    left, top, right, bottom = canvas.box(x0, x1, z0, z1)
    if right - left < 2 or bottom - top < 2:
        return
    pane = canvas.image[top : bottom + 1, left : right + 1]
    pane[:] = _glass(pane.shape[0], pane.shape[1], random)
    _curtains(pane, style, random)
    if random.random() < 0.42:
        warm = np.array([255, 206, 128]) * random.uniform(0.5, 1.0)
        glow = canvas.light[top : bottom + 1, left : right + 1]
        seen = pane.astype(np.float32).mean(axis=2, keepdims=True) / 255
        glow[:] = np.clip(warm * (0.55 + 0.5 * seen), 0, 255)  # the room is seen as by day
    _bars(canvas, style, (left, top), (right, bottom))
    if random.random() < style.flowers:
        for column in range(left, right, 3):
            colour = _FLOWERS[int(random.integers(3))]
            cv2.circle(canvas.image, (column, bottom + 2), 2, colour, -1)


def _glass(height: int, width: int, random: np.random.Generator) -> RgbImage:
    """Sky and houses across the street in the panes, a dark room behind them."""
    rows = np.linspace(60 + 110 * random.uniform(0.2, 0.9), random.uniform(20, 60), height)
    glass = rows[:, None, None] * np.array([0.86, 0.96, 1.06]) * random.uniform(0.6, 1.2)
    glass = np.repeat(glass, width, axis=1)
    skyline = random.uniform(0.15, 0.9)
    step = int(random.integers(1, max(2, width)))
    glass[int(skyline * height) :, :step] *= random.uniform(0.5, 0.8)
    return np.asarray(np.clip(glass, 0, 235), np.uint8)


def _curtains(pane: RgbImage, style: WindowStyle, random: np.random.Generator) -> None:
    height, width = pane.shape[:2]
    tone = float(random.uniform(0.65, 1.0))
    if random.random() < style.blinds:
        hang = max(2, round(float(random.uniform(0.15, 0.9)) * height))
        pane[:hang] = darker(style.cloth, tone)
        pane[1:hang:3] = darker(style.cloth, tone * 0.8)
    elif random.random() < style.curtains:
        left, right = (max(1, int(width * share)) for share in random.uniform(0.08, 0.42, 2))
        pane[:, :left] = pane[:, -right:] = darker(style.cloth, tone)


def _bars(
    canvas: Canvas, style: WindowStyle, first: tuple[int, int], last: tuple[int, int]
) -> None:
    """The bars between the panes, from one pixel corner to the opposite one."""
    (left, top), (right, bottom) = first, last
    across, down = style.panes
    for image, colour in ((canvas.image, style.frame), (canvas.light, (20, 14, 8))):
        for part in range(1, across):
            x = left + (right - left) * part // across
            cv2.line(image, (x, top), (x, bottom), colour, style.bar_px)
        for part in range(1, down):
            y = top + (bottom - top) * part // down
            cv2.line(image, (left, y), (right, y), colour, style.bar_px)


def _surround(
    canvas: Canvas, style: WindowStyle, x: tuple[float, float], z: tuple[float, float]
) -> None:
    (x0, x1), (z0, z1) = x, z
    stone, border = style.stone, style.border_m
    match style.surround:
        case "frame":
            wide = border + 0.14
            canvas.fill(x0 - wide, x1 + wide, z0 - wide, z1 + wide, stone)
        case "lintel":
            canvas.fill(x0 - 0.25, x1 + 0.25, z1 + border, z1 + border + 0.26, stone)
        case "pediment":
            foot, middle = z1 + border, (x0 + x1) / 2
            canvas.fill(x0 - 0.22, x1 + 0.22, foot, foot + 0.1, stone)
            roof = [(x0 - 0.3, foot + 0.1), (x1 + 0.3, foot + 0.1), (middle, foot + 0.5)]
            canvas.polygon(roof, stone)
        case "arch":
            angle = np.linspace(0, np.pi, 9)
            half, middle = (x1 - x0) / 2 + border + 0.08, (x0 + x1) / 2
            ring = [(float(middle + half * np.cos(a)), float(z1 + 0.42 * np.sin(a))) for a in angle]
            canvas.polygon(ring, stone)
        case "none":
            pass


def _shutters(
    canvas: Canvas, colour: Colour, x: tuple[float, float], z: tuple[float, float], closed: bool
) -> None:
    (x0, x1), (z0, z1) = x, z
    leaf = 0.46 * (x1 - x0)
    left, right = (x0 - leaf - 0.1, x0 - 0.1), (x1 + 0.1, x1 + leaf + 0.1)
    for a, b in (left, right) if not closed else (left,):
        canvas.fill(a, b, z0 - 0.05, z1 + 0.05, colour)
        first, top, last, bottom = canvas.box(a, b, z0, z1)
        for y in range(top + 2, bottom, 4):
            cv2.line(canvas.image, (first + 1, y), (last - 1, y), darker(colour, 0.75), 1)
