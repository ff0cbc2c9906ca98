"""Which matches lie to those beside them as in the other image.

An epipolar line lets a point slide: down a street, where all lines meet in the vanishing point,
windows that were matched at random agree with one geometry by the dozen. In two views of one scene
neighbouring points also stay neighbours, at the same distance and in the same direction (Bian et
al., "GMS", CVPR 2017; Ma et al., "Locality Preserving Matching", IJCV 2019).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

NEIGHBOURS = 5
MIN_SHARE = 0.5
"""Of the neighbours, that must have stayed where they were."""
MAX_ZOOM = 2.0
"""Of one image to the other, either way: the two cameras may have different angles of view."""
STRETCH = 0.2
"""How far a neighbour may have moved, per distance: a fifth nearer, or a roll by 11 degrees."""
SLACK_PX = 3.0
"""How far it may have moved whatever the distance, in pixels of the common scale."""

Points = npt.NDArray[np.float32]


def coherent(a: Points, b: Points) -> npt.NDArray[np.bool_]:
    """Find the matches whose neighbours in `a` lie to them in the same way in `b`.

    Args:
        a: (n, 2) float32, pixels.
        b: (n, 2) float32, what each of `a` was matched to.

    Returns:
        (n,) True for a match that stayed with its neighbours. All False for NEIGHBOURS or fewer.
    """
    if len(a) <= NEIGHBOURS:
        return np.zeros(len(a), np.bool_)
    # The nearest to a point is the point itself, or one on the same spot, which is as good.
    beside = cKDTree(a).query(a, k=NEIGHBOURS + 1)[1][:, 1:]
    here, there = a[beside] - a[:, None], b[beside] - b[:, None]
    here_px = np.linalg.norm(here, axis=2)

    def stayed(zoom: float) -> npt.NDArray[np.bool_]:
        moved_px = np.linalg.norm(there - zoom * here, axis=2)
        alike = moved_px <= SLACK_PX + STRETCH * zoom * here_px
        return np.asarray(alike.mean(axis=1) >= MIN_SHARE)

    # Where most matches are wrong, so is the zoom they give, while the right ones may need none.
    zoom = _zoom(here_px, np.linalg.norm(there, axis=2))
    return max(stayed(1.0), stayed(zoom), key=np.sum)


def _zoom(here_px: Points, there_px: Points) -> float:
    """That of most neighbours, within reason; both (n, k) distances to them."""
    apart = here_px > 0
    zoom = np.median(there_px[apart] / here_px[apart]) if apart.any() else 1.0
    return float(np.clip(zoom, 1 / MAX_ZOOM, MAX_ZOOM))
