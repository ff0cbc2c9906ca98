"""Frames in which nothing can be recognised, told apart before they are searched."""

from __future__ import annotations

import cv2
import numpy as np

from vlm_vpr_ros.types import Reason, RgbImage

_STEP = 4
_SIDE = 64
DARK_LEVEL = 16.0
"""Brightness, of 255, below which 99 % of a dark frame lies."""
FLAT_SIGMA = 4.0
"""Standard deviation of brightness, of 255, below which a frame shows no structure."""


def flaw(image: RgbImage) -> tuple[Reason, str] | None:
    """Why nothing can be recognised in an image, with its numbers; None if something may be."""
    coarse = image[::_STEP, ::_STEP]
    small = cv2.resize(
        cv2.cvtColor(coarse, cv2.COLOR_RGB2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA
    )
    brightest = float(np.percentile(small, 99))
    if brightest < DARK_LEVEL:
        return Reason.DARK_IMAGE, f"99 % of the image is darker than {brightest:.0f} of 255"
    sigma = float(small.std())
    if sigma < FLAT_SIGMA:
        return (
            Reason.FEATURELESS_IMAGE,
            f"the image is even (brightness varies by {sigma:.1f} of 255): covered or fogged lens?",
        )
    return None
