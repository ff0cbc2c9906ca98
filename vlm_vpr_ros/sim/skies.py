"""The sky around a town and what stands against it: hills, towers, spires, the sea."""

from __future__ import annotations

import cv2
import numpy as np

from vlm_vpr_ros.sim import materials
from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.looks import Colour
from vlm_vpr_ros.sim.mesh import Mesh
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.towns import Town
from vlm_vpr_ros.types import RgbImage

WIDTH_PX, HEIGHT_PX = 2048, 512
HORIZON_ROW = 448
"""Rows above it are seen upwards: their distance from it is proportional to the tangent."""
_RADIUS_M, _SIDES = 100.0, 32

_SKYLINES: dict[str, Colour] = {
    "spires": (96, 92, 96),
    "sea": (62, 112, 160),
    "mountains": (84, 104, 104),
    "towers": (92, 100, 114),
    "hills": (112, 126, 86),
}


def panorama(town: Town, condition: Condition, seed: int, day: int) -> RgbImage:
    """The sky, (512, 2048, 3); columns go once around, the first row is 45° above the horizon.

    Args:
        town: what stands before the sky.
        condition: the light.
        seed: of the world, decides what stands there.
        day: seed of the clouds.
    """
    random = generator(day, "clouds", town.key)
    rise = np.clip(np.arange(HORIZON_ROW, HORIZON_ROW - HEIGHT_PX, -1) / HORIZON_ROW, 0, 1)
    rise = np.sqrt(rise)[:, None, None]
    sky = (1 - rise) * np.array(condition.horizon) + rise * np.array(condition.zenith)
    sky = np.repeat(sky, WIDTH_PX, axis=1).astype(np.float32)
    noise = materials.clouds(random, HEIGHT_PX, WIDTH_PX, 14)
    noise += 0.5 * materials.clouds(random, HEIGHT_PX, WIDTH_PX, 48)
    noise += 0.25 * materials.clouds(random, HEIGHT_PX, WIDTH_PX, 130)
    cover = np.clip((noise + 2.6 * (condition.clouds - 0.5)) * 0.9, 0, 1)[..., None]
    cover = cover * np.clip(rise * 3, 0.15, 0.85)
    sky += cover * (np.array(condition.cloud, np.float32) - sky)
    image = np.clip(sky, 0, 255).astype(np.uint8)
    if condition.name == "night":
        rows, columns = random.integers(0, 380, 160), random.integers(0, WIDTH_PX, 160)
        image[rows, columns] = random.integers(60, 190, (160, 1))
    _skyline(image, town, condition, generator(seed, "skyline", town.key))
    return image


def dome() -> Mesh:
    """What a panorama is drawn on: a cylinder around the camera."""
    mesh = Mesh()
    low = -_RADIUS_M * (HEIGHT_PX - HORIZON_ROW) / HORIZON_ROW
    for side in range(_SIDES):
        a, b = side / _SIDES, (side + 1) / _SIDES
        (x0, y0), (x1, y1) = (
            (_RADIUS_M * np.sin(2 * np.pi * turn), _RADIUS_M * np.cos(2 * np.pi * turn))
            for turn in (a, b)
        )
        ends = [(x0, y0, low), (x1, y1, low), (x1, y1, _RADIUS_M), (x0, y0, _RADIUS_M)]
        mesh.quad("sky", ends, uv=((a, 0), (b, 0), (b, 1), (a, 1)))
    return mesh


def _skyline(
    image: RgbImage, town: Town, condition: Condition, random: np.random.Generator
) -> None:
    """What is far away, in the colour of the haze before it."""
    light = np.array(condition.ambient) * 0.75 + 0.1 * np.array(condition.sun)
    far = 0.45 * np.array(condition.horizon) + 0.55 * np.array(_SKYLINES[town.skyline]) * light
    colour: Colour = (int(far[0]), int(far[1]), int(far[2]))
    x = np.arange(WIDTH_PX)
    wave = np.zeros(WIDTH_PX)
    for octave in range(7):
        phase = random.uniform(0, 2 * np.pi)
        wave += np.sin(x * 2 * np.pi * 2**octave / WIDTH_PX + phase) / 1.7**octave
    heights = {
        "mountains": 92 + 62 * wave,
        "hills": 34 + 20 * wave,
        "sea": np.full(WIDTH_PX, 7.0),
    }.get(town.skyline, 16 + 5 * wave)
    rows = np.arange(HEIGHT_PX)[:, None]
    image[rows > HORIZON_ROW - heights[None, :]] = colour
    for column in range(0, WIDTH_PX - 60, 30 if town.skyline == "towers" else 170):
        left = column + int(random.integers(0, 24))
        if town.skyline == "towers":
            width, height = int(random.integers(14, 34)), int(random.integers(30, 170))
            shade = random.uniform(0.85, 1.1)
            tone = tuple(int(c * shade) for c in colour)
            cv2.rectangle(image, (left, HORIZON_ROW - height), (left + width, HEIGHT_PX), tone, -1)
            if condition.windows:
                tower = image[HORIZON_ROW - height : HORIZON_ROW, left : left + width]
                _light(tower, condition.windows, random)
        elif town.skyline == "spires":
            height = int(random.integers(70, 130))
            cv2.rectangle(
                image, (left, HORIZON_ROW - height // 2), (left + 16, HEIGHT_PX), colour, -1
            )
            spire = np.array(
                [[left - 2, HORIZON_ROW - height // 2], [left + 8, HORIZON_ROW - height],
                 [left + 18, HORIZON_ROW - height // 2]]
            )  # fmt: skip
            cv2.fillPoly(
                image, [spire], tuple(int(c) for c in np.array([0.7, 0.95, 0.85]) * colour)
            )
        elif town.skyline == "hills":
            for _ in range(5):
                at = (left + int(random.integers(0, 150)), HORIZON_ROW - 16)
                dark = tuple(int(c * 0.7) for c in colour)
                cv2.ellipse(image, at, (3, int(random.integers(14, 30))), 0, 0, 360, dark, -1)


def _light(tower: RgbImage, brightness: float, random: np.random.Generator) -> None:
    """Light some windows of a tower."""
    for y in range(4, tower.shape[0] - 3, 7):
        for x in range(3, tower.shape[1] - 3, 5):
            if random.random() < 0.4 * brightness:
                tower[y : y + 3, x : x + 2] = (232, 196, 128)
