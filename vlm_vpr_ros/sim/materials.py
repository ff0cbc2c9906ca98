"""Surfaces drawn from random numbers: brick, plaster, boards, panels, roof tiles, paving."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.looks import Colour
from vlm_vpr_ros.types import RgbImage

Floats = npt.NDArray[np.float32]


@lru_cache(maxsize=1)
def _grains() -> Floats:
    return np.random.default_rng(0).standard_normal((1536, 1024)).astype(np.float32)


def grain(random: np.random.Generator, height: int, width: int) -> Floats:
    """White noise, (height, width): a part of one sheet, which costs less than making it anew."""
    sheet = _grains()
    top = int(random.integers(sheet.shape[0] - height + 1))
    left = int(random.integers(sheet.shape[1] - width + 1))
    return sheet[top : top + height, left : left + width]


def clouds(random: np.random.Generator, height: int, width: int, cells: int) -> Floats:
    """Soft noise, (height, width), mean 0 and deviation about 1; `cells` blobs across.

    Its left and right edges fit together.
    """
    rows = max(2, round(cells * height / width))
    coarse = random.standard_normal((rows + 2, cells)).astype(np.float32)
    around = np.hstack([coarse[:, -2:], coarse, coarse[:, :2]])
    margin = 2 * width // cells
    size = (width + 2 * margin, height)
    wide = cv2.resize(around, size, interpolation=cv2.INTER_CUBIC)
    return np.ascontiguousarray(wide[:, margin : margin + width], np.float32)


def shaded(colour: Colour, brightness: Floats) -> RgbImage:
    """A colour times a brightness, (height, width)."""
    bands = [cv2.convertScaleAbs(brightness, alpha=float(band)) for band in colour]
    return np.asarray(cv2.merge(bands), np.uint8)


def times(image: RgbImage, factor: Floats) -> RgbImage:
    """An image times a brightness, (height, width)."""
    return np.asarray(cv2.multiply(image, cv2.merge([factor] * 3), dtype=cv2.CV_8U), np.uint8)


def weathered(random: np.random.Generator, image: RgbImage) -> RgbImage:
    """The same with stains, and dirt near the ground."""
    height, width = image.shape[:2]
    stains: Floats = 1 + 0.07 * clouds(random, height, width, 4)
    stains += 0.06 * clouds(random, height, width, 24)
    rise = np.linspace(0, 1, height, dtype=np.float32)[:, None]
    stains *= 1 - 0.22 * np.clip((rise - 0.9) * 10, 0, 1)
    streaks = np.clip(random.standard_normal((1, width // 4)).astype(np.float32) - 1.2, 0, 1)
    stains *= 1 - 0.10 * cv2.resize(streaks, (width, 1)) * (1 - rise)
    return times(image, stains)


def brick(
    random: np.random.Generator, height: int, width: int, colour: Colour, course: float
) -> RgbImage:
    """Courses of brick, each `course` pixels high."""
    rows, columns = int(height / course) + 2, int(width / (3 * course)) + 3
    tone = 1 + 0.13 * random.standard_normal((rows, columns)).astype(np.float32)
    y = np.arange(height, dtype=np.float32) / course
    x = np.arange(width, dtype=np.float32) / (3 * course)
    row = y.astype(int)
    across = x[None, :] + 0.5 * (row[:, None] % 2)
    brightness = tone[row[:, None], across.astype(int)]
    joint = (y - row < 0.2)[:, None] | (across % 1 < 0.07)
    image = shaded(colour, brightness)
    image[joint] = np.clip(np.array(colour) * 0.55 + 60, 0, 255).astype(np.uint8)
    return image


def plaster(random: np.random.Generator, height: int, width: int, colour: Colour) -> RgbImage:
    """Rendered wall with patches where it was mended."""
    brightness = 1 + 0.025 * grain(random, height, width)
    brightness += 0.04 * clouds(random, height, width, 6)
    mended = clouds(random, height, width, 5) > 1.5
    brightness[mended] *= random.uniform(0.86, 0.94)
    return shaded(colour, brightness)


def boards(
    random: np.random.Generator, height: int, width: int, colour: Colour, board: float
) -> RgbImage:
    """Horizontal weatherboards, each `board` pixels high."""
    y = np.arange(height, dtype=np.float32) / board
    row = y.astype(int)
    tone = 1 + 0.05 * random.standard_normal(row[-1] + 1).astype(np.float32)
    profile = tone[row] * np.where(y - row < 0.22, 0.66, 1.02 - 0.1 * (y - row))
    brightness = np.repeat(profile[:, None].astype(np.float32), width, axis=1)
    brightness += 0.03 * grain(random, height, width)
    return shaded(colour, brightness)


def panels(
    random: np.random.Generator, size: tuple[int, int], colour: Colour, rows: int, columns: int
) -> RgbImage:
    """Cast panels with dark joints; `size` is height and width."""
    height, width = size
    tone = 1 + 0.05 * random.standard_normal((rows, columns)).astype(np.float32)
    wide = cv2.resize(tone, (width, height), interpolation=cv2.INTER_NEAREST)
    brightness: Floats = np.asarray(wide, np.float32)
    brightness += 0.02 * grain(random, height, width)
    for row in range(1, rows):
        brightness[round(row * height / rows)] *= 0.7
    for column in range(1, columns):
        brightness[:, round(column * width / columns)] *= 0.75
    return shaded(colour, brightness)


def slabs(
    random: np.random.Generator, size: tuple[int, int], colour: Colour, rows: int, columns: int
) -> RgbImage:
    """Paving: rows of slabs, every second one shifted; `size` is height and width."""
    height, width = size
    tone = 1 + 0.05 * random.standard_normal((rows, columns)).astype(np.float32)
    y = np.arange(height) * rows / height
    row = y.astype(int)
    x = (np.arange(width) * columns / width)[None, :] + 0.5 * (row[:, None] % 2)
    brightness = tone[row[:, None], x.astype(int) % columns]
    brightness[((y - row) * height / rows < 1.5)[:, None] | (x % 1 * width / columns < 1.5)] *= 0.86
    brightness += 0.03 * grain(random, height, width)
    return shaded(colour, brightness)


def roof_tiles(random: np.random.Generator, side: int, colour: Colour) -> RgbImage:
    """Rows of roof tiles, a square image that repeats."""
    rows = columns = 24
    tone = 1 + 0.12 * random.standard_normal((rows, columns)).astype(np.float32)
    brightness: Floats = np.asarray(
        cv2.resize(tone, (side, side), interpolation=cv2.INTER_NEAREST), np.float32
    )
    y = (np.arange(side) * rows / side) % 1
    x = (np.arange(side) * columns / side) % 1
    brightness *= (0.72 + 0.36 * y)[:, None] * (0.86 + 0.2 * np.sin(np.pi * x))[None, :]
    return shaded(colour, brightness.astype(np.float32))
