"""Streets from above: pavements, kerbs, asphalt with its markings, crossings."""

from __future__ import annotations

import cv2
import numpy as np

from vlm_vpr_ros.sim import materials
from vlm_vpr_ros.sim.towns import Town
from vlm_vpr_ros.types import RgbImage

_PX_M = 25.0
"""About; the sides of a picture must be powers of two."""
_ROAD_PX = (1024, 256)
_CROSSING_PX = 512


def pavement(town: Town, random: np.random.Generator) -> RgbImage:
    """4 m × 4 m of the town's paving, (256, 256, 3), which repeats."""
    count = max(2, round(4.0 / town.slab_m))
    return materials.slabs(random, (256, 256), town.paving, count, count)


def road(town: Town, random: np.random.Generator) -> RgbImage:
    """The road between two crossings: rows run along it, columns across."""
    height, width = _ROAD_PX
    image = _asphalt(town, random, height, width)
    middle = width // 2
    for row in range(0, height, 100):
        cv2.rectangle(image, (middle - 2, row), (middle + 2, row + 55), town.marking, -1)
    for edge_m in (-2.55, 2.55):  # where the parking lane begins
        column = round(middle + edge_m * _PX_M)
        cv2.line(image, (column, 0), (column, height), (190, 190, 186), 2)
    return _worn(image, random)


def crossing(town: Town, random: np.random.Generator) -> RgbImage:
    """The square where streets meet, with zebra crossings on its four sides."""
    image = _asphalt(town, random, _CROSSING_PX, _CROSSING_PX)
    for turn in range(4):
        image = np.ascontiguousarray(np.rot90(image, turn))
        for x in range(118, 396, 26):
            cv2.rectangle(image, (x, 4), (x + 13, 62), (224, 224, 220), -1)
    return _worn(image, random)


def _asphalt(town: Town, random: np.random.Generator, height: int, width: int) -> RgbImage:
    brightness = 1 + 0.07 * materials.grain(random, height, width)
    brightness += 0.05 * materials.clouds(random, height, width, 5)
    for share in (0.29, 0.42, 0.58, 0.71):  # wheels polish it
        column = int(share * width)
        brightness[:, column - 7 : column + 7] *= 0.95
    image = materials.shaded(town.asphalt, brightness)
    area = height * width / _PX_M**2
    for _ in range(int(random.poisson(area / 45))):
        x, y = random.integers(0, width - 20), random.integers(0, height - 20)
        across, along = random.integers(14, 60, 2)
        patch = image[y : y + along, x : x + across]
        patch[:] = (patch * random.uniform(0.68, 0.92)).astype(np.uint8)
    for _ in range(int(random.poisson(area / 40))):
        start = random.uniform(0, 1, 2) * (width, height)
        steps = random.normal(0, 7, (12, 2)).cumsum(axis=0) + start
        cv2.polylines(image, [steps.astype(np.int32)], False, (46, 46, 48), 1)
    for _ in range(int(random.poisson(area / 110))):
        at = (int(random.uniform(0.2, 0.8) * width), int(random.uniform(0, 1) * height))
        cv2.circle(image, at, 8, (58, 56, 54), -1)
        cv2.circle(image, at, 6, (80, 78, 76), 1)
    return image


def _worn(image: RgbImage, random: np.random.Generator) -> RgbImage:
    """Paint worn by wheels."""
    grain = 1 + 0.07 * materials.grain(random, *image.shape[:2])
    return materials.times(image, grain)
