from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scenes import two_views

from vlm_vpr_ros.verification.geometry import epipolar_inliers


@pytest.mark.parametrize("seed", range(5))
def test_finds_the_matches_of_one_scene(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = two_views(100, seed)
    outliers = rng.uniform(0, (640, 360), (2, 150, 2)).astype(np.float32)
    inliers = epipolar_inliers(np.concatenate([a, outliers[0]]), np.concatenate([b, outliers[1]]))
    assert inliers.shape == (250,)
    assert inliers[:100].mean() > 0.9
    # An outlier is an inlier by chance when its point happens to lie near the epipolar line.
    assert inliers[100:].mean() < 0.1


def test_random_matches_have_few_inliers() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.uniform(0, (640, 360), (2, 200, 2)).astype(np.float32)
    assert epipolar_inliers(a, b).sum() < 40


def test_finds_a_plane() -> None:
    """A facade seen from two places: related by a homography, and by many fundamental matrices."""
    rng = np.random.default_rng(0)
    a = rng.uniform(0, (640, 360), (80, 2))
    homography = np.array([[0.9, 0.05, 20], [-0.03, 1.1, -10], [1e-4, 2e-5, 1]])
    mapped = np.column_stack([a, np.ones(80)]) @ homography.T
    b = mapped[:, :2] / mapped[:, 2:]
    assert epipolar_inliers(a.astype(np.float32), b.astype(np.float32)).mean() > 0.9


def test_equal_points_give_equal_inliers() -> None:
    a, b = two_views(60, 1)
    rng = np.random.default_rng(0)
    a = np.concatenate([a, rng.uniform(0, 360, (120, 2))]).astype(np.float32)
    b = np.concatenate([b, rng.uniform(0, 360, (120, 2))]).astype(np.float32)
    first = epipolar_inliers(a, b)
    other, _ = two_views(90, 2)
    epipolar_inliers(other, other)  # whatever was computed in between
    assert (epipolar_inliers(a, b) == first).all()


@pytest.mark.parametrize("count", range(8))
def test_too_few_points(count: int) -> None:
    a, b = two_views(count, 0)
    assert epipolar_inliers(a, b).tolist() == [False] * count


@given(
    count=st.integers(0, 30),
    kind=st.sampled_from(["one spot", "line", "grid of two values", "same points"]),
    seed=st.integers(0, 100),
)
@settings(max_examples=60)
def test_degenerate_points_do_no_harm(count: int, kind: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.uniform(0, 640, (2, count, 2)).astype(np.float32)
    if kind == "one spot":
        a[:] = 5
    elif kind == "line":
        a[:, 1] = 2 * a[:, 0]
        b[:, 1] = 3
    elif kind == "grid of two values":
        a, b = np.round(a / 640), np.round(b / 640)
    else:
        b = a.copy()
    inliers = epipolar_inliers(a, b)
    assert inliers.shape == (count,)
    assert inliers.dtype == np.bool_
