"""Pictures of what stands in a street: trees, cars, railings, awnings, hedges."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.looks import Colour

RgbaImage = npt.NDArray[np.uint8]
"""(height, width, 4) uint8: red, green, blue, opacity."""

_SIDE = 256

TREES = 12
"""Pictures of each kind of tree."""

TREE_SIZE_M: dict[str, tuple[float, float]] = {
    "linden": (6.0, 7.5),
    "palm": (5.2, 8.0),
    "birch": (4.2, 8.0),
    "maple": (6.5, 8.0),
    "cypress": (2.2, 8.5),
    "shrub": (2.4, 1.8),
}
"""Kind of tree -> width and height in metres."""

_LEAVES: dict[str, Colour] = {
    "linden": (74, 112, 46),
    "palm": (92, 122, 56),
    "birch": (128, 150, 66),
    "maple": (176, 96, 40),
    "cypress": (34, 62, 38),
    "shrub": (58, 92, 46),
}


def tree(kind: str, random: np.random.Generator) -> RgbaImage:
    """A tree, trunk at the middle of the lower edge."""
    image = np.zeros((_SIDE, _SIDE, 4), np.uint8)
    if kind == "palm":
        return _palm(image, random)
    trunk = (222, 220, 212, 255) if kind == "birch" else (74, 60, 48, 255)
    top = 200 if kind in {"cypress", "shrub"} else 120
    cv2.rectangle(image, (122, top), (134, _SIDE - 1), trunk, -1)
    if kind == "birch":
        for y in random.integers(120, 250, 16):
            cv2.line(image, (122, int(y)), (130, int(y)), (50, 48, 46, 255), 2)
    centre, radii = {
        "cypress": ((128, 128), (92, 122)),
        "birch": ((128, 108), (92, 104)),
        "shrub": ((128, 150), (116, 100)),
    }.get(kind, ((128, 104), (112, 92)))
    leaves = np.array(_LEAVES[kind], np.float64)
    count = 420
    angle, radius = random.uniform(0, 2 * np.pi, count), np.sqrt(random.random(count))
    if kind == "cypress":  # a flame: widest below the middle
        height = random.beta(1.3, 1.3, count) * 2 - 1
        across = random.uniform(-1, 1, count) * np.sqrt(np.clip(1 - height**2, 0, 1))
        across *= np.clip(0.65 + 0.45 * height, 0.1, 1)
    else:
        across, height = radius * np.cos(angle), radius * np.sin(angle)
    order = np.argsort(-height)
    for a, h in zip(across[order], height[order], strict=True):
        point = (int(centre[0] + a * radii[0]), int(centre[1] + h * radii[1]))
        shade = 0.78 - 0.38 * h + 0.12 * random.standard_normal() - 0.12 * a
        colour = np.clip(leaves * shade + random.normal(0, 5, 3), 0, 255)
        size = int(random.integers(5, 13) if kind != "birch" else random.integers(3, 8))
        axes = (size, max(2, size - 3))
        tilt = float(random.uniform(0, 180))
        cv2.ellipse(image, point, axes, tilt, 0, 360, (*map(int, colour), 255), -1)
    return image


def _palm(image: RgbaImage, random: np.random.Generator) -> RgbaImage:
    lean = random.uniform(-12, 12)
    heights = np.linspace(255, 84, 30)
    for step, y in enumerate(heights):
        x = 128 + lean * (1 - (y - 84) / 171) ** 2
        tone = 96 + 24 * (step % 2)
        cv2.ellipse(
            image, (int(x), int(y)), (9, 5), 0, 0, 360, (tone, tone - 16, tone - 38, 255), -1
        )
    crown = np.array([128 + lean, 84])
    for angle in np.linspace(-0.35, np.pi + 0.35, 17) + random.normal(0, 0.07, 17):
        length = random.uniform(88, 122)
        t = np.linspace(0, 1, 24)
        x = crown[0] + np.cos(angle) * length * t
        y = crown[1] - np.sin(angle) * length * 0.62 * t + 74 * t**2
        colour = np.clip(np.array(_LEAVES["palm"]) * random.uniform(0.65, 1.15), 0, 255)
        pen = (*map(int, colour), 255)
        for i in range(2, 24):
            hang = 16 * np.sin(np.pi * t[i]) + 3
            for side in (-1, 1):
                end = (int(x[i] + side * 5 + 5 * np.cos(angle)), int(y[i] + hang))
                cv2.line(image, (int(x[i]), int(y[i])), end, pen, 2)
        points = np.stack([x, y], axis=1).astype(np.int32)
        cv2.polylines(image, [points], False, (*map(int, colour * 0.8), 255), 3)
    return image


CAR_PROFILES: dict[str, tuple[tuple[float, float], ...]] = {
    "saloon": (
        (-2.2, 0.25), (-2.2, 0.85), (-1.5, 0.98), (-0.95, 1.42), (0.55, 1.45), (1.15, 0.98),
        (2.1, 0.85), (2.2, 0.25),
    ),
    "van": (
        (-2.4, 0.3), (-2.4, 1.1), (-2.3, 2.05), (1.2, 2.05), (1.75, 1.15), (2.35, 1.0), (2.4, 0.3),
    ),
    "hatchback": (
        (-1.9, 0.25), (-1.9, 0.9), (-1.65, 1.45), (0.35, 1.5), (1.0, 1.0), (1.85, 0.85),
        (1.9, 0.25),
    ),
    "estate": (
        (-2.35, 0.25), (-2.35, 0.9), (-2.1, 1.45), (0.5, 1.48), (1.15, 1.0), (2.2, 0.86),
        (2.3, 0.25),
    ),
    "off-roader": (
        (-2.2, 0.35), (-2.2, 1.05), (-2.05, 1.78), (0.5, 1.8), (1.0, 1.15), (2.1, 1.02),
        (2.2, 0.35),
    ),
    "city car": (
        (-1.45, 0.25), (-1.45, 0.95), (-1.3, 1.5), (0.35, 1.53), (0.95, 0.95), (1.35, 0.85),
        (1.4, 0.25),
    ),
    "lorry": (
        (-2.5, 0.4), (-2.5, 2.9), (0.9, 2.9), (0.95, 2.1), (2.0, 2.1), (2.4, 1.2), (2.45, 0.4),
    ),
    "pick-up": (
        (-2.45, 0.35), (-2.45, 1.0), (-0.7, 1.0), (-0.55, 1.7), (0.7, 1.72), (1.2, 1.1),
        (2.35, 0.98), (2.4, 0.35),
    ),
}  # fmt: skip
"""Kind of car -> its outline from rear to front over the roof: along and up, metres."""


CAR_PICTURE_M = 3.0
"""Height of the picture of a car's side."""
CAR_HALF_WIDTH_M = {"van": 0.98, "lorry": 1.05, "off-roader": 0.95, "city car": 0.8}
"""0.88 for the others."""


def car_side(kind: str) -> RgbaImage:
    """The side of a car, front to the right, in grey: 5 m × 3 m on 256 × 128 pixels."""
    image = np.zeros((128, 256, 4), np.uint8)

    def pixel(along: float, up: float) -> tuple[int, int]:
        return round((along + 2.5) * 51.2), round(128 * (1 - up / CAR_PICTURE_M))

    profile = CAR_PROFILES[kind]
    outline = np.array([pixel(*point) for point in profile], np.int32)
    cv2.fillPoly(image, [outline], (238, 238, 238, 255))
    cv2.line(image, pixel(-2.1, 0.78), pixel(2.1, 0.72), (190, 190, 190, 255), 2)
    belt = {"van": 1.2, "lorry": 1.25, "off-roader": 1.15, "pick-up": 1.08}.get(kind, 0.98)
    roof = [(x, z) for x, z in profile if belt + 0.1 < z < 2.5]  # not the load of a lorry
    first, last = roof[0], roof[-1]
    glass = np.array(
        [
            pixel(first[0] - (0.3 if kind == "saloon" else 0.03), belt),
            pixel(first[0] + 0.1, first[1] - 0.1),
            pixel(last[0] - 0.05, last[1] - 0.1),
            pixel(last[0] + 0.45, belt),
        ],
        np.int32,
    )
    cv2.fillPoly(image, [glass], (44, 52, 60, 255))
    for x in (-0.35, 0.45):
        cv2.line(image, pixel(x, 0.35), pixel(x, roof[0][1] - 0.1), (150, 150, 150, 255), 2)
    for x in (profile[0][0] + 0.75, profile[-1][0] - 0.8):
        for radius, tone in ((0.37, 26), (0.2, 150), (0.08, 70)):
            axes = (round(radius * 51.2), round(radius * 128 / CAR_PICTURE_M))
            cv2.ellipse(image, pixel(x, 0.33), axes, 0, 0, 360, (tone, tone, tone + 3, 255), -1)
    return image


def railing() -> RgbaImage:
    """Bars of a balcony."""
    image = np.zeros((64, 64, 4), np.uint8)
    image[:, ::8] = image[:, 1::8] = (48, 48, 50, 255)
    image[:6] = image[-5:] = (40, 40, 42, 255)
    return image


def stripes() -> npt.NDArray[np.uint8]:
    """Cloth of an awning, white and grey stripes to be tinted."""
    image = np.full((64, 128, 3), 250, np.uint8)
    for x in range(0, 128, 32):
        image[:, x : x + 16] = 150
    image[-8:] = image[-8:] // 4 * 3
    return image


def disc(face: Colour, rim: Colour, bar: bool) -> RgbaImage:
    """A round traffic sign."""
    image = np.zeros((64, 64, 4), np.uint8)
    cv2.circle(image, (32, 32), 30, (*rim, 255), -1)
    cv2.circle(image, (32, 32), 23, (*face, 255), -1)
    if bar:
        cv2.rectangle(image, (14, 27), (50, 37), (250, 250, 250, 255), -1)
    return image
