"""Which matches move as those beside them do.

An epipolar line lets a point slide: down a street, where all lines meet in the vanishing point,
windows that were matched at random agree with one geometry by the dozen. In two views of one scene
neighbouring points also move alike (Bian et al., "GMS", CVPR 2017; Ma et al., "Locality Preserving
Matching", IJCV 2019).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

NEIGHBOURS = 5
MIN_SHARE = 0.5
"""Of the neighbours, that must move alike."""
MAX_STRETCH = 0.2
"""Difference of two motions per distance of the points: a fifth of scale, or 11 degrees of roll."""
SLACK_PX = 3.0
"""Difference of two motions whatever the distance, in pixels of the common scale."""

Points = npt.NDArray[np.float32]


def coherent(a: Points, b: Points) -> npt.NDArray[np.bool_]:
    """Find the matches whose neighbours in `a` mostly move as they do.

    Args:
        a: (n, 2) float32, pixels.
        b: (n, 2) float32, what each of `a` was matched to.

    Returns:
        (n,) True for a match that moves with its neighbours. All False for NEIGHBOURS or fewer.
    """
    if len(a) <= NEIGHBOURS:
        return np.zeros(len(a), np.bool_)
    # The nearest to a point is the point itself, or one on the same spot, which is as good.
    distance_px, beside = cKDTree(a).query(a, k=NEIGHBOURS + 1)
    motion = b - a
    apart_px = np.linalg.norm(motion[beside[:, 1:]] - motion[:, None], axis=2)
    alike = apart_px <= SLACK_PX + MAX_STRETCH * distance_px[:, 1:]
    return np.asarray(alike.mean(axis=1) >= MIN_SHARE)
