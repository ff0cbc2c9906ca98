"""Thresholds and bounds as pure statistics."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from support.properties import given, st

from vlm_vpr_ros.calibration.risk import (
    DELTA,
    LEAST_DRIVES,
    Counts,
    design_effect,
    excess,
    highest_rate,
    loosest_threshold,
    needed_answers,
    needed_drives,
)


@pytest.mark.parametrize(
    ("target", "false", "needed"),
    [(0.01, 0, 230), (0.01, 1, 388), (0.01, 3, 667), (0.05, 0, 45), (0.05, 1, 77), (0.05, 3, 132)],
)
def test_answers_needed(target: float, false: int, needed: int) -> None:
    assert needed_answers(target, false) == needed
    assert highest_rate(needed, false, DELTA) <= target < highest_rate(needed - 1, false, DELTA)


@given(st.integers(1, 300), st.data())
def test_the_bound_is_that_of_clopper_and_pearson(accepted: int, data: st.DataObject) -> None:
    false = data.draw(st.integers(0, accepted))
    ends = stats.binomtest(false, accepted).proportion_ci(1 - 2 * DELTA, method="exact")
    assert highest_rate(accepted, false, DELTA) == pytest.approx(ends.high, abs=1e-9)


counts = st.tuples(st.integers(1, 300), st.floats(0, 1), st.floats(0, 1)).map(
    lambda c: Counts(c[0], int(c[0] * c[1]), int(c[0] * c[1] * c[2]))
)


@given(st.lists(counts, min_size=2, max_size=12), st.floats(0.005, 0.4), st.floats(0.001, 0.4))
def test_more_false_answers_are_never_better(
    drives: list[Counts], target: float, level: float
) -> None:
    everywhere = [
        Counts(d.decisions + 1, d.accepted + 1, d.false + (d.accepted + 1 - d.false))
        for d in drives
    ]
    assert excess(everywhere, target, level) > 0
    assert excess(drives, target, level) >= excess(drives, target, 0.49) - 1e-12
    mean = np.mean([(d.false - target * d.accepted) / d.decisions for d in drives])
    assert excess(drives, target, level) > mean


def test_drives_without_any_false_answer_are_not_certain() -> None:
    short = [Counts(10, 8, 0)] * LEAST_DRIVES
    assert excess(short, 0.01, DELTA / 4) > 0
    assert excess([Counts(200, 160, 0)] * LEAST_DRIVES, 0.01, DELTA / 4) < 0


def test_needed_drives_would_do() -> None:
    drives = [Counts(50, 40, false) for false in (0, 0, 1, 0, 2)]
    needed = needed_drives(drives, 0.05)
    assert needed is not None and needed > len(drives)
    assert needed_drives([Counts(50, 40, 8)] * 5, 0.05) is None


def test_the_loosest_threshold() -> None:
    """Right above 0, half of them wrong below."""
    scores = np.tile(np.linspace(-1, 1, 200), 10)

    def at(threshold: float) -> list[Counts]:
        kept = scores[:200] >= threshold
        return [Counts(200, int(kept.sum()), int((kept & (scores[:200] < 0))[::2].sum()))] * 10

    threshold = loosest_threshold(scores, at, 0.05)
    assert threshold is not None and -0.2 < threshold < 0
    assert loosest_threshold(scores, lambda _: [Counts(200, 100, 50)] * 10, 0.05) is None
    assert loosest_threshold(np.full(10, -np.inf), at, 0.05) is None


def test_design_effect() -> None:
    rng = np.random.default_rng(0)
    independent = [rng.normal(size=400) for _ in range(20)]
    assert design_effect(independent) == pytest.approx(1, abs=0.2)
    alike = [np.repeat(series, 5) for series in independent]
    assert design_effect(alike) == pytest.approx(5, abs=1)
    assert design_effect([np.zeros(50)]) == design_effect([]) == 1.0


@given(st.lists(st.lists(st.floats(-10, 10), max_size=30), max_size=4))
def test_design_effect_is_finite(series: list[list[float]]) -> None:
    effect = design_effect([np.array(values) for values in series])
    assert 1 <= effect < np.inf
