from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.evaluation.rates import exact_interval


@pytest.mark.parametrize(
    "count, trials, low, high",
    [  # tables of Clopper and Pearson, 95 %
        (0, 10, 0.0, 0.30850),
        (1, 10, 0.00253, 0.44502),
        (5, 10, 0.18709, 0.81291),
        (10, 10, 0.69150, 1.0),
        (0, 133, 0.0, 1 - 0.025 ** (1 / 133)),
        (3, 1000, 0.00062, 0.00874),
    ],
)
def test_known_intervals(count: int, trials: int, low: float, high: float) -> None:
    assert exact_interval(count, trials) == pytest.approx((low, high), abs=1e-5)


def test_nothing_is_known_of_no_trial() -> None:
    assert exact_interval(0, 0) is None


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_share_is_inside_and_the_tails_are_what_was_asked(case: tuple[int, int]) -> None:
    count, trials = case
    interval = exact_interval(count, trials)
    assert interval is not None
    low, high = interval
    assert 0 <= low <= count / trials <= high <= 1

    def at_most(k: int, rate: float) -> float:
        return sum(
            math.comb(trials, i) * rate**i * (1 - rate) ** (trials - i) for i in range(k + 1)
        )

    if count < trials:
        assert at_most(count, high) == pytest.approx(0.025, abs=1e-6)
    if count:
        assert 1 - at_most(count - 1, low) == pytest.approx(0.025, abs=1e-6)
