"""Scenes whose matches and geometry are known."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.verification.local_features import LocalFeatures

LONG_SIDE = 640.0


def unit(vectors: npt.NDArray[np.float64]) -> npt.NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def random_features(count: int, seed: int, dim: int = 64) -> LocalFeatures:
    rng = np.random.default_rng(seed)
    return LocalFeatures(
        keypoints=rng.uniform(0, (640, 360), (count, 2)).astype(np.float32),
        descriptors=unit(rng.normal(size=(count, dim))),
    )


def two_views(
    count: int, seed: int, noise_px: float = 0.3
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Projections, (count, 2) each, of points 4 to 20 m ahead, before and after a step aside."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((-6, -3, 4), (6, 3, 20), (count, 3))
    angle = 0.1
    turn = np.array(
        [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    )
    views = []
    for seen in (points, points @ turn.T + (0.8, 0.05, 0.4)):
        pixels = 300 * seen[:, :2] / seen[:, 2:] + (320, 180)
        views.append((pixels + rng.normal(0, noise_px, pixels.shape)).astype(np.float32))
    return views[0], views[1]


def view_pair(
    count: int, outliers: int, seed: int, clutter: int = 0
) -> tuple[LocalFeatures, LocalFeatures]:
    """Features of two views of one scene, in different order.

    `count` features are of the same points, `outliers` look alike but are of different ones, and
    `clutter` resemble nothing. Coordinates are clipped to the frame.
    """
    rng = np.random.default_rng(seed)
    a, b = two_views(count, seed)
    wrong = rng.uniform(0, (640, 360), (2, outliers + clutter, 2))
    shared = rng.normal(size=(count + outliers, 64))
    views = []
    for points, elsewhere in ((a, wrong[0]), (b, wrong[1])):
        looks = np.concatenate(
            [shared + rng.normal(0, 0.3, shared.shape), rng.normal(size=(clutter, 64))]
        )
        keypoints = np.clip(np.concatenate([points, elsewhere]), 0, LONG_SIDE)
        order = rng.permutation(len(keypoints))
        views.append(LocalFeatures(keypoints[order].astype(np.float32), unit(looks[order])))
    return views[0], views[1]


def textured_image(height: int, width: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """Coloured rectangles over a gradient: corners at many scales."""
    rng = np.random.default_rng(seed)
    image = np.full((height, width, 3), 90, np.uint8)
    image += np.linspace(0, 60, width).astype(np.uint8)[None, :, None]
    for _ in range(150):
        y, x = rng.integers(0, height), rng.integers(0, width)
        h, w = rng.integers(2, max(3, height // 5)), rng.integers(2, max(3, width // 5))
        image[y : y + h, x : x + w] = rng.integers(0, 255, 3)
    return image
