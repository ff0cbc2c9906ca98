from __future__ import annotations

import math

import pytest
from bags import fix

from vlm_vpr_ros.mapping.coordinates import NOT_NUMBERS, NOT_ON_EARTH, NULL_ISLAND, UNKNOWN_PLACE
from vlm_vpr_ros.mapping.navsat import (
    BAD_COVARIANCE,
    NO_FIX,
    covariance_problem,
    fix_from_message,
    fix_problem,
    stamp_of,
)


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        (fix(1, 55.0, 13.0), None),
        (fix(1, 55.0, 13.0, status=2), None),
        (fix(1, 55.0, 13.0, status=-1), NO_FIX),
        (fix(1, 55.0, 13.0, status=-2), NO_FIX),
        (fix(1, math.nan, 13.0), f"fix: {NOT_NUMBERS}"),
        (fix(1, 0.0, 0.0), f"fix: {NULL_ISLAND}"),
        (fix(1, 55.0, 13.0, alt=1e9), f"fix: {NOT_ON_EARTH}"),
        (fix(1, 55.0, 13.0, kind=2, covariance=(1e18, 1e18)), f"fix: {UNKNOWN_PLACE}"),
    ],
)
def test_problems(message: object, problem: str | None) -> None:
    assert fix_problem(message) == problem


@pytest.mark.parametrize(
    ("kind", "covariance", "sigma"),
    [
        (2, (4.0, 9.0), math.sqrt(6.5)),
        (1, (1.0, 1.0), 1.0),
        (0, (4.0, 9.0), None),
        (2, (0.0, 0.0), None),
        (2, (4.0, 0.0), None),
        (2, (-1.0, 4.0), None),
        (2, (math.nan, 4.0), None),
        (3, (math.inf, 4.0), None),
    ],
)
def test_sigma(kind: int, covariance: tuple[float, float], sigma: float | None) -> None:
    message = fix(7, 55.0, 13.0, kind=kind, covariance=covariance)
    assert covariance_problem(message) == (BAD_COVARIANCE if kind and sigma is None else None)
    found = fix_from_message(message, 7)
    assert found.sigma_m == (None if sigma is None else pytest.approx(sigma))


def test_altitude_and_stamp() -> None:
    assert fix_from_message(fix(7, 55.0, 13.0), 7).position.alt_m is None
    assert fix_from_message(fix(7, 55.0, 13.0, alt=-3.0), 7).position.alt_m == -3.0
    assert stamp_of(fix(5 * 10**9 + 7, 1.0, 1.0), 99) == (5 * 10**9 + 7, True)
    assert stamp_of(fix(0, 1.0, 1.0), 99) == (99, False)
