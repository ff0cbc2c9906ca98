from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.verification.coherence import NEIGHBOURS, coherent
from vlm_vpr_ros.verification.geometry import epipolar_inliers

SIZE_PX = (640, 360)


def scattered(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).uniform(0, SIZE_PX, (count, 2)).astype(np.float32)


@pytest.mark.parametrize(
    ("scale", "turn_deg"), [(1.0, 0.0), (1.9, 0.0), (0.6, 0.0), (1.0, 9.0), (1.3, -7.0)]
)
def test_another_angle_of_view_or_a_tilt_does_no_harm(scale: float, turn_deg: float) -> None:
    a = scattered(200, 0)
    turn = np.radians(turn_deg)
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    b = (scale * a @ rotation.T + (30, -12)).astype(np.float32)
    assert coherent(a, b).all()


def test_points_that_slide_along_their_epipolar_lines_do_not() -> None:
    """Down a street all lines meet in the vanishing point, and random matches fit them."""
    random = np.random.default_rng(1)
    centre = np.array([320.0, 180.0])
    ray = random.normal(size=(150, 2))
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    near, far = random.uniform(40, 170, (2, 150, 1))
    a, b = (centre + ray * near).astype(np.float32), (centre + ray * far).astype(np.float32)
    assert epipolar_inliers(a, b).mean() > 0.95
    assert coherent(a, b).mean() < 0.15


def test_wrong_matches_among_right_ones_are_found_out() -> None:
    a = scattered(300, 2)
    b = a + np.float32(8)
    b[:60] = scattered(60, 3)
    found = coherent(a, b)
    assert found[60:].mean() > 0.9
    assert found[:60].mean() < 0.05


def test_random_matches_are_not() -> None:
    for seed in range(20):
        assert coherent(scattered(60, seed), scattered(60, seed + 100)).mean() < 0.1


@pytest.mark.parametrize("count", range(NEIGHBOURS + 2))
def test_few_points(count: int) -> None:
    a = scattered(count, 4)
    assert coherent(a, a).tolist() == [count > NEIGHBOURS] * count


@given(
    count=st.integers(0, 40),
    seed=st.integers(0, 1000),
    shift=st.tuples(st.integers(-500, 500), st.integers(-500, 500)),
)
def test_where_the_images_lie_does_not_matter(
    count: int, seed: int, shift: tuple[int, int]
) -> None:
    # Halves, which floats hold exactly wherever the image lies.
    a, b = (np.round(2 * scattered(count, s)) / 2 for s in (seed, seed + 1))
    a, b = a.astype(np.float32), b.astype(np.float32)
    assert (coherent(a, b + np.float32(shift)) == coherent(a, b)).all()


@given(count=st.integers(0, 60), seed=st.integers(0, 1000))
def test_points_on_one_spot_do_no_harm(count: int, seed: int) -> None:
    a = np.random.default_rng(seed).integers(0, 3, (count, 2)).astype(np.float32)
    found = coherent(a, a)
    assert found.shape == (count,)
    assert found.all() == (count > NEIGHBOURS or not count)
