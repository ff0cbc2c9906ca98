from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.verification.keypoints import NMS_PIXELS, sample_cubic, strongest_keypoints


@given(seed=st.integers(0, 1000), limit=st.integers(1, 300))
def test_keypoints_are_the_strongest_local_maxima(seed: int, limit: int) -> None:
    rng = np.random.default_rng(seed)
    keypoint = rng.uniform(0, 1, (48, 64)).astype(np.float32)
    found = strongest_keypoints(keypoint, np.ones((6, 8), np.float32), 0.5, limit)
    padded = np.pad(keypoint, NMS_PIXELS // 2)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (NMS_PIXELS, NMS_PIXELS))
    rows, columns = np.nonzero((keypoint == windows.max(axis=(2, 3))) & (keypoint > 0.5))
    order = np.argsort(-keypoint[rows, columns], kind="stable")[:limit]
    np.testing.assert_array_equal(found, np.stack([columns, rows], axis=1)[order])


def test_reliability_counts() -> None:
    keypoint = np.zeros((16, 32), np.float32)
    keypoint[8, 4], keypoint[8, 28] = 0.9, 0.6
    reliability = np.full((2, 4), 0.1, np.float32)
    reliability[:, 2:] = 1
    assert strongest_keypoints(keypoint, reliability, 0.05, 5).tolist() == [[28, 8], [4, 8]]


def test_nothing_to_see() -> None:
    nothing = strongest_keypoints(
        np.zeros((32, 32), np.float32), np.ones((4, 4), np.float32), 0.05, 10
    )
    assert nothing.shape == (0, 2)
    grid = np.ones((4, 4, 64), np.float32)
    assert sample_cubic(grid, nothing.astype(np.float32)).shape == (0, 64)


def test_on_the_grid_the_vectors_come_back() -> None:
    grid = np.random.default_rng(0).normal(size=(5, 7, 3)).astype(np.float32)
    y, x = np.mgrid[0:5, 0:7]
    at = np.stack([x.ravel(), y.ravel()], axis=1).astype(np.float32)
    np.testing.assert_allclose(sample_cubic(grid, at).reshape(5, 7, 3), grid, atol=1e-6)


def test_linear_ramps_are_kept_inside() -> None:
    y, x = np.mgrid[0:12, 0:12].astype(np.float32)
    at = np.random.default_rng(0).uniform(2, 9, (50, 2)).astype(np.float32)
    sampled = sample_cubic(np.stack([x, y], axis=2), at)
    # The kernel's slope of -0.75 trades the exact reproduction of ramps for sharpness.
    np.testing.assert_allclose(sampled, at, atol=0.15)


@given(x=st.floats(-2, 6), y=st.floats(-2, 6))
def test_constants_are_kept_everywhere(x: float, y: float) -> None:
    sampled = sample_cubic(np.ones((4, 4, 2), np.float32), np.array([[x, y]], np.float32))
    np.testing.assert_allclose(sampled, 1, atol=1e-5)
