"""Pairs descriptors of two images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MIN_COSINE = 0.7
"""Descriptors less alike than this are not of the same thing."""

Indices = npt.NDArray[np.int64]


def mutual_matches(
    a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]
) -> tuple[Indices, Indices]:
    """Match each descriptor to its nearest, where each is the other's nearest.

    Args:
        a: (n, dim) float32, unit length.
        b: (m, dim) float32, unit length.

    Returns:
        (k,) rows of `a`, ascending, and (k,) their rows of `b`, no row twice.
    """
    if not len(a) or not len(b):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    cosine = a @ b.T
    nearest = cosine.argmax(axis=1)
    best = cosine[np.arange(len(a)), nearest]
    rows = np.flatnonzero(best > MIN_COSINE)
    columns = nearest[rows]
    # An argmax along the columns, against the grain of the memory, costs as much as the product.
    # Their maxima cost little, and say the same: they are the very numbers found along the rows.
    mutual = best[rows] == cosine.max(axis=0)[columns]
    rows, columns = rows[mutual], columns[mutual]
    _, first = np.unique(columns, return_index=True)  # equal descriptors tie: the first one has it
    first.sort()
    return rows[first], columns[first]
