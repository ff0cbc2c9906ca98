"""Frames in which nothing can be recognised, told apart before they are searched."""

from __future__ import annotations

import cv2
import numpy as np

from vlm_vpr_ros.types import Reason, RgbImage

_STEP = 4
_SIDE = 64
_BRIGHTEST = round(0.99 * _SIDE * _SIDE)
DARK_LEVEL = 16.0
"""Brightness, of 255, below which 99 % of a dark frame lies."""
FLAT_SIGMA = 4.0
"""Standard deviation of brightness, of 255, below which a frame shows no structure."""


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
    return None
