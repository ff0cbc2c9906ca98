"""Pictures of the ground: paving, roads with their markings, crossings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from vlm_vpr_ros.sim import materials
from vlm_vpr_ros.sim.looks import Colour, StreetLook
from vlm_vpr_ros.sim.street_style import Crosswalk, StreetStyle
from vlm_vpr_ros.types import RgbImage

_ROAD_PX = (1024, 256)
_CROSSING_PX = 512
_SETT_M = 0.3
_WHITE: Colour = (208, 208, 204)
CROSSING_M = 16.0


@dataclass(frozen=True)
class Arm:
    """A street where it meets a crossing: half the width of its road, and its crosswalk."""

    road_half_m: float
    crosswalk: Crosswalk


def pavement(look: StreetLook, random: np.random.Generator) -> RgbImage:
    """4 m × 4 m of paving, (256, 256, 3), which repeats."""
    count = max(2, round(4.0 / look.slab_m))
    return materials.slabs(random, (256, 256), look.paving, count, count)


def road(
    look: StreetLook, style: StreetStyle, random: np.random.Generator, length_m: float
) -> RgbImage:
    """The road between two crossings: rows run along it from its end, columns across."""
    height, width = _ROAD_PX
    size_m = (length_m, 2 * style.road_half_m)
    image = _surface(look, style, random, _ROAD_PX, size_m)
    _middle_line(image, style, look.marking, size_m)
    _bays(image, style, size_m)
    _repairs(image, random, size_m)
    _wheels(image)
    return _worn(image, random, height, width)


def crossing(
    look: StreetLook, setts: bool, arms: Sequence[Arm | None], random: np.random.Generator
) -> RgbImage:
    """The square where streets meet; `arms` begin at its upper side and go clockwise."""
    side, scale = _CROSSING_PX, _CROSSING_PX / CROSSING_M
    size_m = (CROSSING_M, CROSSING_M)
    colour = look.asphalt
    image = (
        _setts(colour, random, (side, side), size_m)
        if setts
        else _asphalt(colour, random, (side, side))
    )
    _repairs(image, random, size_m)
    for arm in arms:
        if arm is not None:
            half = arm.road_half_m * scale
            _crosswalk(image, arm.crosswalk, half, scale)
        image = np.ascontiguousarray(np.rot90(image))  # the next arm comes up
    return _worn(image, random, side, side)


def _crosswalk(image: RgbImage, walk: Crosswalk, half: float, scale: float) -> None:
    """At the upper side; `half` the width of the road in pixels."""
    middle, depth = image.shape[1] / 2, round(walk.depth_m * scale)
    for stripe in range(walk.stripes):
        pitch = 2 * (half - 6) / walk.stripes
        left = middle - half + 6 + (stripe + 0.25) * pitch
        cv2.rectangle(image, (round(left), 16), (round(left + pitch / 2), 16 + depth), _WHITE, -1)
    if walk.stop_line:  # on the side of the road where one comes to the crossing
        cv2.rectangle(image, (round(middle - half + 8), 0), (round(middle - 4), 8), _WHITE, -1)


def _surface(
    look: StreetLook,
    style: StreetStyle,
    random: np.random.Generator,
    size: tuple[int, int],
    size_m: tuple[float, float],
) -> RgbImage:
    red, green, blue = (int(min(band * style.tone, 255)) for band in look.asphalt)
    if style.setts:
        return _setts((red, green, blue), random, size, size_m)
    return _asphalt((red, green, blue), random, size)


def _setts(
    colour: Colour,
    random: np.random.Generator,
    size: tuple[int, int],
    size_m: tuple[float, float],
) -> RgbImage:
    rows, columns = (max(2, round(length / _SETT_M)) for length in size_m)
    image = materials.slabs(random, size, colour, rows, columns)
    stains = 1 + 0.09 * materials.clouds(random, *size, 5)
    return materials.times(image, stains + 0.06 * materials.grain(random, *size))


def _asphalt(colour: Colour, random: np.random.Generator, size: tuple[int, int]) -> RgbImage:
    brightness = 1 + 0.07 * materials.grain(random, *size)
    brightness += 0.05 * materials.clouds(random, *size, 5)
    return materials.shaded(colour, brightness)


def _middle_line(
    image: RgbImage, style: StreetStyle, colour: Colour, size_m: tuple[float, float]
) -> None:
    paint = style.markings
    along, across = image.shape[0] / size_m[0], image.shape[1] / size_m[1]
    middle, half = image.shape[1] / 2, max(1.0, paint.width_m * across / 2)
    if paint.middle == "dashes":
        for begin in np.arange(-paint.phase_m, size_m[0], paint.dash_m + paint.gap_m):
            top, bottom = begin * along, (begin + paint.dash_m) * along
            ends = (round(middle - half), round(top)), (round(middle + half), round(bottom))
            cv2.rectangle(image, *ends, colour, -1)
        return
    shifts = {"none": (), "line": (0.0,), "double": (-2.2 * half, 2.2 * half)}[paint.middle]
    for shift in shifts:
        left, right = round(middle + shift - half), round(middle + shift + half)
        cv2.rectangle(image, (left, 0), (right, image.shape[0]), colour, -1)


def _bays(image: RgbImage, style: StreetStyle, size_m: tuple[float, float]) -> None:
    """What separates the parked cars from the road and from each other."""
    paint = style.markings
    along, across = image.shape[0] / size_m[0], image.shape[1] / size_m[1]
    deep = round(2.1 * across)
    for kerb, edge in ((0, deep), (image.shape[1] - 1, image.shape[1] - 1 - deep)):
        if paint.bays == "line":
            cv2.line(image, (edge, 0), (edge, image.shape[0]), _WHITE, 2)
        for begin in np.arange(paint.phase_m % paint.bay_m, size_m[0], paint.bay_m):
            row = round(begin * along)
            if paint.bays == "dashes":
                cv2.line(image, (edge, row), (edge, row + round(1.2 * along)), _WHITE, 2)
            elif paint.bays == "corners":
                cv2.line(image, (kerb, row), (edge, row), _WHITE, 2)
                reach = round(0.5 * along)
                cv2.line(image, (edge, row - reach), (edge, row + reach), _WHITE, 2)


def _wheels(image: RgbImage) -> None:
    """Wheels polish it."""
    width = image.shape[1]
    for share in (0.29, 0.42, 0.58, 0.71):
        column = int(share * width)
        lane = image[:, column - 7 : column + 7]
        lane[:] = lane * np.float32(0.95)


def _repairs(image: RgbImage, random: np.random.Generator, size_m: tuple[float, float]) -> None:
    """Patches, trenches, cracks, manholes."""
    height, width = image.shape[:2]
    area = size_m[0] * size_m[1]
    for _ in range(int(random.poisson(area / 40))):
        x, y = random.integers(0, width - 20), random.integers(0, height - 20)
        across, along = random.integers(14, 80, 2)
        patch = image[y : y + along, x : x + across]
        patch[:] = np.clip(patch * random.choice([random.uniform(0.6, 0.88), 1.2]), 0, 255)
    for _ in range(int(random.poisson(0.6))):
        x, across = int(random.integers(0, width - 30)), int(random.integers(10, 26))
        begin, end = np.sort(random.integers(0, height, 2))
        trench = image[begin:end, x : x + across]
        trench[:] = trench * np.float32(random.uniform(0.65, 0.85))
    for _ in range(int(random.poisson(area / 30))):
        start = random.uniform(0, 1, 2) * (width, height)
        steps = random.normal(0, 8, (14, 2)).cumsum(axis=0) + start
        cv2.polylines(image, [steps.astype(np.int32)], False, (42, 42, 44), 1)
    for _ in range(int(random.poisson(area / 90))):
        at = (int(random.uniform(0.15, 0.85) * width), int(random.uniform(0, 1) * height))
        if random.random() < 0.5:
            cv2.circle(image, at, 8, (58, 56, 54), -1)
            cv2.circle(image, at, 6, (80, 78, 76), 1)
        else:
            reach = (at[0] + int(random.integers(8, 20)), at[1] + int(random.integers(8, 16)))
            cv2.rectangle(image, at, reach, (50, 50, 50), -1)
            for row in range(at[1] + 2, reach[1], 3):
                cv2.line(image, (at[0] + 1, row), (reach[0] - 1, row), (96, 94, 92), 1)


def _worn(image: RgbImage, random: np.random.Generator, height: int, width: int) -> RgbImage:
    """Paint worn by wheels."""
    return materials.times(image, 1 + 0.07 * materials.grain(random, height, width))
