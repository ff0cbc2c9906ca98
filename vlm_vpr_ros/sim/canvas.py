"""The picture of a house front while it is drawn, in metres."""

from __future__ import annotations

import cv2
import numpy as np

from vlm_vpr_ros.sim.looks import Colour
from vlm_vpr_ros.types import RgbImage

WIDTH_PX = 256


class Canvas:
    """A front, and the light from its rooms; x and z in metres from its lower left corner.

    Attributes:
        image: (rows, 256, 3) what is seen by daylight.
        light: (rows, 256, 3) what lamps inside add at night.
        width_m, height_m: its size.
    """

    def __init__(self, image: RgbImage, width_m: float, height_m: float) -> None:
        self.image = image
        self.light = np.zeros_like(image)
        self.width_m, self.height_m = width_m, height_m

    def box(self, x0: float, x1: float, z0: float, z1: float) -> tuple[int, int, int, int]:
        """Pixel corners (left, top, right, bottom) of a rectangle."""
        rows = len(self.image)
        across, up = WIDTH_PX / self.width_m, rows / self.height_m
        return (
            round(x0 * across),
            round(rows - z1 * up),
            round(x1 * across) - 1,
            round(rows - z0 * up) - 1,
        )

    def fill(self, x0: float, x1: float, z0: float, z1: float, colour: Colour) -> None:
        """Fill a rectangle."""
        left, top, right, bottom = self.box(x0, x1, z0, z1)
        cv2.rectangle(self.image, (left, top), (right, bottom), colour, -1)

    def polygon(self, points: list[tuple[float, float]], colour: Colour) -> None:
        """Fill a polygon with corners (x, z)."""
        corners = [self.box(x, x, z, z)[:2] for x, z in points]
        cv2.fillPoly(self.image, [np.array(corners, np.int32)], colour)


def darker(colour: Colour, factor: float) -> Colour:
    """A colour times a factor of at most 1."""
    return (int(colour[0] * factor), int(colour[1] * factor), int(colour[2] * factor))


def varied(colour: Colour, random: np.random.Generator, sigma: float) -> Colour:
    """A colour with noise of that deviation."""
    shift = random.normal(0, sigma, 3).tolist()
    red, green, blue = (min(max(int(c + s), 0), 255) for c, s in zip(colour, shift, strict=True))
    return (red, green, blue)
