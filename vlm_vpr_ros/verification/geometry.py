"""How many matches agree with two cameras that look at one rigid scene."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

MAX_ERROR_PX = 2.0
"""Sampson distance to the epipolar geometry, in pixels of the common scale of the keypoints."""
MAX_ITERATIONS = 500
CONFIDENCE = 0.999
MIN_MATCHES = 8
"""Seven points lie on an epipolar geometry whatever they are; only the eighth can agree with it."""

Points = npt.NDArray[np.float32]


def epipolar_inliers(a: Points, b: Points) -> npt.NDArray[np.bool_]:
    """Find the matches that agree with one fundamental matrix.

    RANSAC with the settings "USAC_FAST" of OpenCV (Raguram et al., "USAC", PAMI 2013). It draws
    from a generator that it seeds itself: equal points give equal inliers.

    Args:
        a: (n, 2) float32, pixels.
        b: (n, 2) float32, what each of `a` was matched to.

    Returns:
        (n,) True for an inlier. All False where there is no geometry to be found: few points, or
        all of them on one spot.
    """
    nothing = np.zeros(len(a), np.bool_)
    if len(a) < MIN_MATCHES:
        return nothing
    try:
        matrix, mask = cv2.findFundamentalMat(
            a, b, cv2.USAC_FAST, MAX_ERROR_PX, CONFIDENCE, MAX_ITERATIONS
        )
    except cv2.error:  # raised for some degenerate points, where others end without a matrix
        return nothing
    if matrix is None or mask is None or not np.isfinite(matrix).all():
        return nothing
    return np.asarray(mask.ravel(), np.bool_)
