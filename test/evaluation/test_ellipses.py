from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.evaluation.ellipses import Nees, mahalanobis, nees, share_within
from vlm_vpr_ros.geodesy import displaced
from vlm_vpr_ros.types import GAUSSIAN_RADII, Fix, GeoPoint


def fix(covariance: list[list[float]]) -> Fix:
    whole = np.diag([0.0, 0.0, 100.0])
    whole[:2, :2] = covariance
    return Fix(GeoPoint(-16.8, 180.0), whole)


def truth(east_m: float, north_m: float) -> GeoPoint:
    return GeoPoint(*displaced(-16.8, 180.0, east_m, north_m))


def test_known_distances_across_the_antimeridian() -> None:
    assert mahalanobis(fix([[4, 0], [0, 25]]), truth(4, 0)) == pytest.approx(2, abs=1e-6)
    assert mahalanobis(fix([[4, 0], [0, 25]]), truth(0, 5)) == pytest.approx(1, abs=1e-6)
    # e^T C^-1 e = (5 * 9 - 2 * 4 * 3 * 2 + 4 * 4) / 16 for e = (3, 2), C = [[4, 4], [4, 8]]
    tilted = mahalanobis(fix([[4, 4], [4, 8]]), truth(3, 2))
    assert tilted**2 == pytest.approx((8 * 9 - 2 * 4 * 3 * 2 + 4 * 4) / 16, abs=1e-5)


def test_a_true_gaussian_fills_its_ellipses_and_has_nees_2() -> None:
    rng = np.random.default_rng(0)
    distances = np.linalg.norm(rng.normal(size=(20_000, 2)), axis=1)
    for per_cent, radius in GAUSSIAN_RADII.items():
        share = share_within(distances, [radius] * len(distances))
        assert share == pytest.approx(per_cent / 100, abs=0.01)
    summary = nees(distances)
    assert summary.mean == pytest.approx(2, abs=0.05)
    assert summary.median == pytest.approx(2 * np.log(2), abs=0.05)


def test_one_wild_error_rules_the_mean_alone() -> None:
    summary = nees([1.0] * 39 + [1000.0])
    assert summary.mean == pytest.approx((39 + 1e6) / 40)
    assert summary.median == summary.trimmed_mean == 1.0


def test_of_nothing_nothing_is_known() -> None:
    assert nees([]) == Nees(None, None, None)
    assert share_within([], []) is None


@given(st.lists(st.floats(0, 100), min_size=1), st.floats(0, 100), st.floats(0, 10))
def test_a_wider_ellipse_holds_no_less(distances: list[float], radius: float, more: float) -> None:
    narrow = share_within(distances, [radius] * len(distances))
    wide = share_within(distances, [radius + more] * len(distances))
    assert narrow is not None and wide is not None and 0 <= narrow <= wide <= 1
