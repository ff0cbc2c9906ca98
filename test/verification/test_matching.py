from __future__ import annotations

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st
from scenes import random_features, unit

from vlm_vpr_ros.verification.matching import MIN_COSINE, mutual_matches


def brute_force(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> list[tuple[int, int]]:
    cosine = a @ b.T
    return [
        (i, int(j))
        for i, j in enumerate(cosine.argmax(axis=1))
        if cosine[i, j] > MIN_COSINE and cosine[:, j].argmax() == i
    ]


@given(
    seed=st.integers(0, 10_000),
    n=st.integers(1, 40),
    m=st.integers(1, 40),
    dim=st.sampled_from([2, 4, 64]),
)
def test_equals_brute_force(seed: int, n: int, m: int, dim: int) -> None:
    a = random_features(n, seed, dim).descriptors
    b = random_features(m, seed + 1, dim).descriptors
    rows, columns = mutual_matches(a, b)
    assert list(zip(rows, columns, strict=True)) == brute_force(a, b)


@given(
    picks_a=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    picks_b=st.lists(st.integers(0, 3), min_size=1, max_size=12),
)
def test_equal_descriptors_are_matched_once(picks_a: list[int], picks_b: list[int]) -> None:
    """Walls of equal bricks: no descriptor may be used twice."""
    bricks = np.eye(4, dtype=np.float32)
    rows, columns = mutual_matches(bricks[picks_a], bricks[picks_b])
    assert len(set(rows)) == len(rows) == len(set(columns))
    assert (bricks[picks_a][rows] == bricks[picks_b][columns]).all()
    assert len(rows) == len(set(picks_a) & set(picks_b))


def test_nothing_matches_nothing() -> None:
    none, some = random_features(0, 0).descriptors, random_features(5, 0).descriptors
    for a, b in ((none, some), (some, none), (none, none)):
        rows, columns = mutual_matches(a, b)
        assert rows.shape == columns.shape == (0,)


def test_a_single_descriptor() -> None:
    one = random_features(1, 0).descriptors
    assert mutual_matches(one, one) == (np.array([0]), np.array([0]))
    assert not len(mutual_matches(one, -one)[0])


def test_unlike_descriptors_do_not_match() -> None:
    a = unit(np.array([[1.0, 0.0]]))
    b = unit(np.array([[0.69, np.sqrt(1 - 0.69**2)]]))
    assert not len(mutual_matches(a, b)[0])
