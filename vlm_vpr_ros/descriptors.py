"""Descriptors are compared by direction alone, and without what all of them have in common."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

NOTHING_LEFT = 1e-4
"""A descriptor this close to the mean is the mean: what is left of it is rounding (fp32, fp16)."""


def unit_rows(vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Vectors along the last axis scaled to unit length; zero vectors stay zero."""
    exact = vectors.astype(np.float64)  # squares of float32 overflow and underflow
    norms = np.linalg.norm(exact, axis=-1, keepdims=True)
    return np.asarray(exact / np.where(norms > 0, norms, 1), np.float32)


def without_mean(
    descriptors: npt.NDArray[np.float32], mean: npt.NDArray[np.float32 | np.float64]
) -> npt.NDArray[np.float32]:
    """Raw descriptors (..., dim) centred, unit length; zero where nothing but rounding is left."""
    rest = (descriptors - mean).astype(np.float32)
    rest[np.linalg.norm(rest, axis=-1) < NOTHING_LEFT] = 0
    return unit_rows(rest)
