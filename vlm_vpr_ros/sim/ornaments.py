"""What makes a house front unlike any other: pipes, ivy, posters, plaques, repairs, cables."""

from __future__ import annotations

import cv2
import numpy as np

from vlm_vpr_ros.types import RgbImage


def ornament(image: RgbImage, random: np.random.Generator) -> None:
    """Draw some onto a front, in place; few fronts have all kinds."""
    for draw, chance in (
        (_patches, 0.85), (_ivy, 0.25), (_pipe, 0.5), (_mural, 0.2), (_plaques, 0.9),
        (_posters, 0.5), (_cables, 0.4),
    ):  # fmt: skip
        if random.random() < chance:
            draw(image, random)


def _patches(image: RgbImage, random: np.random.Generator) -> None:
    """Where the wall was mended in another tone, with ragged edges."""
    height, width = image.shape[:2]
    for _ in range(int(random.integers(3, 9))):
        centre = random.uniform(0, 1, 2) * (width, height)
        angles = np.sort(random.uniform(0, 2 * np.pi, 9))
        radii = random.uniform(0.5, 1, 9) * random.uniform(5, 34)
        ring = centre + np.stack([radii * np.cos(angles), radii * np.sin(angles)], axis=1)
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [ring.astype(np.int32)], (1,))
        tone = random.uniform(0.72, 1.2)
        image[mask > 0] = np.clip(image[mask > 0] * tone, 0, 255)


def _ivy(image: RgbImage, random: np.random.Generator) -> None:
    height, width = image.shape[:2]
    foot, spread = random.uniform(0, width), random.uniform(14, 40)
    top = random.uniform(0.35, 0.8)
    for _ in range(220):
        rise = random.beta(1, 1.6) * top
        x = foot + random.normal(0, spread * (1 - 0.6 * rise / top))
        green = int(random.integers(60, 130))
        colour = (green // 2 + 10, green, green // 3 + 10)
        size = (int(random.integers(2, 5)), int(random.integers(1, 4)))
        at = (int(x), int(height * (1 - rise)) - 1)
        cv2.ellipse(image, at, size, float(random.uniform(0, 180)), 0, 360, colour, -1)


def _pipe(image: RgbImage, random: np.random.Generator) -> None:
    """A rain pipe with its brackets."""
    height, width = image.shape[:2]
    x, tone = int(random.integers(4, width - 8)), int(random.integers(60, 190))
    bend = int(random.integers(height // 4, height * 3 // 4))
    shift = int(random.integers(-12, 13))
    way = np.array([[x, 0], [x, bend], [x + shift, bend + 10], [x + shift, height]], np.int32)
    cv2.polylines(image, [way + np.array([2, 0], np.int32)], False, (40, 40, 42), 2)
    cv2.polylines(image, [way], False, (tone, tone, tone - 8), 3)
    for y in range(int(random.integers(5, 40)), height, 42):
        left = x if y < bend else x + shift
        cv2.rectangle(image, (left - 3, y), (left + 4, y + 2), (50, 50, 52), -1)


def _mural(image: RgbImage, random: np.random.Generator) -> None:
    """An old advertisement, faded, on the upper wall."""
    height, width = image.shape[:2]
    across, along = random.integers(36, 90, 2)
    left, top = int(random.integers(0, width - across)), int(random.integers(0, height // 2))
    cells = random.uniform(30, 225, (int(random.integers(3, 6)), int(random.integers(3, 6)), 3))
    picture = cv2.resize(cells, (int(across), int(along)), interpolation=cv2.INTER_NEAREST)
    under = image[top : top + along, left : left + across]
    under[:] = 0.45 * under + 0.55 * picture[: under.shape[0], : under.shape[1]]


def _plaques(image: RgbImage, random: np.random.Generator) -> None:
    """House numbers, letter boxes, meters, reliefs: small things with an edge."""
    height, width = image.shape[:2]
    for _ in range(int(random.integers(3, 8))):
        left, top = int(random.integers(0, width - 14)), int(random.integers(height // 5, height))
        size = random.integers(5, 14, 2)
        tone = random.integers(30, 235, 3)
        colour = (int(tone[0]), int(tone[1]), int(tone[2]))
        corner = (left + int(size[0]), top + int(size[1]))
        cv2.rectangle(image, (left, top), corner, colour, -1)
        cv2.rectangle(image, (left, top), corner, (36, 34, 34), 1)


def _posters(image: RgbImage, random: np.random.Generator) -> None:
    """Bills beside the doors."""
    height, width = image.shape[:2]
    for _ in range(int(random.integers(2, 6))):
        across, along = int(random.integers(10, 22)), int(random.integers(14, 26))
        left = int(random.integers(0, width - across))
        top = height - along - int(random.integers(6, 26))
        cells = random.uniform(20, 245, (4, 3, 3))
        picture = cv2.resize(cells, (across, along), interpolation=cv2.INTER_NEAREST)
        image[top : top + along, left : left + across] = picture


def _cables(image: RgbImage, random: np.random.Generator) -> None:
    height, width = image.shape[:2]
    x = np.linspace(0, width, 12)
    for _ in range(int(random.integers(1, 3))):
        y = random.uniform(0.25, 0.85) * height + random.uniform(4, 14) * np.sin(x / width * np.pi)
        points = np.stack([x, y], axis=1).astype(np.int32)
        cv2.polylines(image, [points], False, (34, 32, 32), 1)
