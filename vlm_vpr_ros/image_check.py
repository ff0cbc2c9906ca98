"""Frames in which nothing can be recognised, told apart before they are searched."""

from __future__ import annotations

import math

import cv2
import numpy as np

from vlm_vpr_ros.types import Frame, Reason, RgbImage

_STEP = 4
_SIDE = 64
_BRIGHTEST = round(0.99 * _SIDE * _SIDE)
DARK_LEVEL = 16.0
"""Brightness, of 255, below which 99 % of a dark frame lies."""
FLAT_SIGMA = 4.0
"""Standard deviation of brightness, of 255, below which a frame shows no structure."""
BLURRED = 0.75
"""Share of the contrast between neighbouring pixels that a blur takes no more of, above which a
frame is blurred. 500 sharp photographs by day and night reach 0.53, blurred by 10 of 640 pixels
they have 0.80 or more."""
FROZEN_AFTER_M = 1.0
"""Motion after which no camera shows the same pixels."""
_LONG_SIDE = 160


def flaw(image: RgbImage) -> tuple[Reason, str] | None:
    """Why nothing can be recognised in an image, with its numbers; None if something may be.

    Whether it is an RGB image at all is checked first.
    """
    if image.ndim != 3 or image.shape[2] != 3 or not image.size or image.dtype != np.uint8:
        return Reason.CORRUPT_IMAGE, f"not an RGB image: {image.dtype} of shape {image.shape}"
    coarse = np.ascontiguousarray(image[::_STEP, ::_STEP])
    small = cv2.cvtColor(
        cv2.resize(coarse, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY
    )
    brightest = float(np.partition(small, _BRIGHTEST, axis=None)[_BRIGHTEST])
    if brightest < DARK_LEVEL:
        return Reason.DARK_IMAGE, f"99 % of the image is darker than {brightest:.0f} of 255"
    sigma = float(cv2.meanStdDev(small)[1].item())
    if sigma < FLAT_SIGMA:
        return (
            Reason.FEATURELESS_IMAGE,
            f"the image is even (brightness varies by {sigma:.1f} of 255): covered or fogged lens?",
        )
    share = blurredness(coarse)
    if share > BLURRED:
        return (
            Reason.BLURRED_IMAGE,
            f"the image is blurred ({share:.2f} of its contrast would survive more blur): motion, "
            "focus, a drop on the lens?",
        )
    return None


def blurredness(image: RgbImage) -> float:
    """How much of the contrast of neighbouring pixels a further blur leaves, 0 (sharp) to 1.

    Crete, Dolmiere, Ladret and Nicolas, "The blur effect" (2007), the larger of both directions.
    """
    height, width = image.shape[:2]
    scale = min(1.0, _LONG_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    resized = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(resized, cv2.COLOR_RGB2GRAY).astype(np.float32)
    shares = []
    for axis, kernel in ((0, (1, 5)), (1, (5, 1))):
        before = np.abs(np.diff(grey, axis=axis))
        lost = np.maximum(before - np.abs(np.diff(cv2.blur(grey, kernel), axis=axis)), 0)
        total = float(before.sum())
        shares.append(1 - float(lost.sum()) / total if total else 0.0)
    return max(shares)


class FrozenCamera:
    """Tells a driver that repeats its last frame from a robot that stands still.

    Equal pixels alone say nothing: simulated cameras have no noise.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the frames."""
        self._first: Frame | None = None

    def flaw(self, frame: Frame) -> tuple[Reason, str] | None:
        """Why a frame is no new one; None if it may be."""
        first = self._first
        if first is None or not np.array_equal(first.image, frame.image):
            self._first = frame
            return None
        a, b = first.odometry, frame.odometry
        moved_m = math.hypot(b.x_m - a.x_m, b.y_m - a.y_m) if a and b else 0.0
        if moved_m <= FROZEN_AFTER_M:
            return None
        return (
            Reason.FROZEN_IMAGE,
            f"the image is the same, pixel by pixel, as {moved_m:.1f} m ago by odometry: "
            "the camera or its driver hangs",
        )
