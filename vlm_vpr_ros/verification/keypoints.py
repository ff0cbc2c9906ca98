"""From the maps of a network to keypoints and their descriptors."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Map = npt.NDArray[np.float32]

NMS_PIXELS = 5
"""Side of the square in which only the strongest keypoint stays (XFeat's own)."""

_CUBIC = -0.75  # slope of the kernel, as in the interpolation that XFeat was trained with
_TAPS = np.arange(-1, 3)


def strongest_keypoints(
    keypoint: Map, reliability: Map, min_keypoint: float, limit: int
) -> npt.NDArray[np.int64]:
    """Pick local maxima of the keypoint map, best first.

    A keypoint counts by its probability times the reliability of its descriptor (Potje et al.,
    "XFeat", CVPR 2024, section 3).

    Args:
        keypoint: (h, w) probability that a pixel is a keypoint.
        reliability: (h / cell, w / cell), at the centres of square cells.
        min_keypoint: probability below which a pixel is none.
        limit: how many at most.

    Returns:
        (n, 2) column and row.
    """
    height, width = keypoint.shape
    # The maximum over a square: what dilation computes.
    neighbourhood = np.ones((NMS_PIXELS, NMS_PIXELS), np.uint8)
    is_peak = keypoint == cv2.dilate(keypoint, neighbourhood)
    at = np.flatnonzero(is_peak & (keypoint > min_keypoint))
    smooth = cv2.resize(reliability, (width, height), interpolation=cv2.INTER_LINEAR)
    score = keypoint.ravel()[at] * smooth.ravel()[at]
    at = at[np.argsort(-score, kind="stable")[:limit]]
    return np.stack([at % width, at // width], axis=1)


def sample_cubic(grid: Map, at: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Interpolate the vectors of a grid by cubic convolution (Keys, 1981); its border is repeated.

    Args:
        grid: (h, w, dim).
        at: (n, 2) x and y, in steps of the grid; (0, 0) is the first vector.

    Returns:
        (n, dim).
    """
    height, width, dim = grid.shape
    whole = np.floor(at)
    weights = _cubic_weights(at - whole)
    first = whole.astype(np.int64)
    columns = np.clip(first[:, :1] + _TAPS, 0, width - 1)
    rows = np.clip(first[:, 1:] + _TAPS, 0, height - 1)
    taps = (rows[:, :, None] * width + columns[:, None, :]).reshape(-1, 16)
    tap_weights = (weights[:, 1, :, None] * weights[:, 0, None, :]).reshape(-1, 16)
    sampled: npt.NDArray[np.float32] = np.einsum(
        "nk,nkd->nd", tap_weights, grid.reshape(-1, dim)[taps]
    )
    return sampled


def _cubic_weights(fraction: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Weights of the four neighbours of each coordinate: (..., 4) for fractions in [0, 1)."""
    distance = np.abs(fraction[..., None] - _TAPS.astype(np.float32))
    near = ((_CUBIC + 2) * distance - (_CUBIC + 3)) * distance * distance + 1
    far = ((_CUBIC * distance - 5 * _CUBIC) * distance + 8 * _CUBIC) * distance - 4 * _CUBIC
    return np.where(distance <= 1, near, far).astype(np.float32)
