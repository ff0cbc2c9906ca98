from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.calibration.risk import LEAST_DRIVES
from vlm_vpr_ros.evaluation.confidence import (
    MAX_BINS,
    average_precision,
    calibration_error,
    drive_interval,
    log_loss,
    precision_coverage,
    reliability,
)

NONE = np.empty(0), np.empty(0, bool)


def frames(*pairs: tuple[float, bool]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([p for p, _ in pairs]), np.array([r for _, r in pairs], bool)


def test_precision_against_coverage() -> None:
    probability, right = frames((0.9, True), (0.5, False), (0.7, True), (0.5, True))
    curve = precision_coverage(probability, right, frames=5)  # one frame without any place
    assert curve.threshold.tolist() == [0.9, 0.7, 0.5]
    assert curve.coverage == pytest.approx([0.2, 0.4, 0.8])
    assert curve.precision == pytest.approx([1.0, 1.0, 0.75])


def test_average_precision_of_known_rankings() -> None:
    assert average_precision(*frames((0.9, True), (0.8, True), (0.1, False))) == 1.0
    assert average_precision(*frames((0.9, False), (0.8, True))) == 0.5
    # right at rank 1 and 3: (1/1 + 2/3) / 2
    mixed = frames((0.9, True), (0.8, False), (0.7, True))
    assert average_precision(*mixed) == pytest.approx(5 / 6)
    # tied: whatever their order, the precision of the whole tie
    assert average_precision(*frames((0.5, True), (0.5, False))) == 0.5


def test_of_no_frames_nothing_is_known() -> None:
    assert average_precision(*NONE) is None
    assert calibration_error(*NONE) is None
    assert log_loss(*NONE) is None
    assert reliability(*NONE) == []
    assert len(precision_coverage(*NONE, frames=3).coverage) == 0
    assert average_precision(*frames((0.9, False))) is None


def test_log_loss_of_known_frames() -> None:
    assert log_loss(*frames((0.8, True), (0.4, False))) == pytest.approx(
        -(math.log(0.8) + math.log(0.6)) / 2
    )
    assert log_loss(*frames((1.0, False))) == pytest.approx(-math.log(1e-6))


def test_the_error_of_a_constant_overclaim_is_the_overclaim() -> None:
    right = np.arange(10_000) % 10 < 6
    assert calibration_error(np.full(10_000, 0.9), right) == pytest.approx(0.3, abs=1e-6)


def test_much_of_what_few_frames_show_of_perfect_probabilities_is_subtracted() -> None:
    rng = np.random.default_rng(1)
    found = []
    plain = []
    for _ in range(200):
        probability = rng.uniform(0, 1, 200)
        right = rng.uniform(0, 1, 200) < probability
        found.append(calibration_error(probability, right))
        plain.append(
            sum(
                b.count * abs(b.probability - b.right) / 200
                for b in reliability(probability, right)
            )
        )
    assert np.mean(plain) > 0.05  # what small bins show of nothing
    assert np.mean(found) < 0.65 * np.mean(plain)


def test_equal_probabilities_share_a_bin() -> None:
    probability = np.repeat([0.2, 0.99], [15, 185])
    bins = reliability(probability, np.ones(200, bool))
    assert [(b.count, b.probability) for b in bins] == [(15, pytest.approx(0.2)), (185, 0.99)]


some_frames = st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60)


@given(some_frames, st.randoms())
def test_the_order_of_the_frames_does_not_matter(pairs: list[tuple[float, bool]], shuffle) -> None:
    mixed = list(pairs)
    shuffle.shuffle(mixed)
    for statistic in (average_precision, calibration_error, log_loss):
        a, b = statistic(*frames(*pairs)), statistic(*frames(*mixed))
        assert a == (None if b is None else pytest.approx(b, abs=1e-12))


@given(some_frames)
def test_bounds_and_masses(pairs: list[tuple[float, bool]]) -> None:
    probability, right = frames(*pairs)
    bins = reliability(probability, right)
    assert sum(b.count for b in bins) == len(pairs) and 1 <= len(bins) <= MAX_BINS
    assert [b.probability for b in bins] == sorted(b.probability for b in bins)
    curve = precision_coverage(probability, right, len(pairs))
    assert (np.diff(curve.threshold) < 0).all() and (np.diff(curve.coverage) > 0).all()
    assert curve.coverage[-1] == 1.0
    assert curve.precision[-1] == pytest.approx(right.mean())
    error = calibration_error(probability, right)
    assert error is not None and 0 <= error <= 1
    area = average_precision(probability, right)
    assert area is None or 0 < area <= 1 + 1e-12


def test_the_interval_draws_drives_not_frames() -> None:
    # Of ten drives half are wholly wrong: a thousand frames, but only ten throws of a coin.
    right = np.repeat(np.arange(10) % 2 == 0, 100)
    drives = np.repeat(np.arange(10), 100).tolist()

    def share(_: np.ndarray, flags: np.ndarray) -> float:
        return float(flags.mean())

    ends = drive_interval(share, np.full(1000, 0.9), right, drives)
    assert ends is not None and ends[0] <= 0.2 and ends[1] >= 0.8
    assert ends == drive_interval(share, np.full(1000, 0.9), right, drives)


def test_few_drives_give_no_interval() -> None:
    count = LEAST_DRIVES - 1
    assert drive_interval(log_loss, np.ones(count), np.ones(count, bool), range(count)) is None
