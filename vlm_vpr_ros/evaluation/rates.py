"""A share of few trials, and how far it may be from the true rate."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

CONFIDENCE = 0.95
_HALVINGS = 60


def exact_interval(
    count: int, trials: int, confidence: float = CONFIDENCE
) -> tuple[float, float] | None:
    """The interval of Clopper and Pearson (Biometrika 1934) for a rate.

    It holds the true rate with at least this confidence if the trials are independent. Frames of
    one drive are not: their interval is too narrow.

    Args:
        count: how often it happened.
        trials: of how many; of none nothing is known.
        confidence: of both sides together.
    """
    if not trials:
        return None
    tail = (1 - confidence) / 2
    at_most = _binomial_cdf(count, trials)
    at_most_one_less = _binomial_cdf(count - 1, trials)
    low = 0.0 if count == 0 else _crossing(at_most_one_less, 1 - tail)
    high = 1.0 if count == trials else _crossing(at_most, tail)
    return low, high


def _binomial_cdf(count: int, trials: int) -> Callable[[float], float]:
    """P(X <= count) of `trials` trials as a function of the rate, which it falls with."""
    k = np.arange(count + 1)
    log_ways = np.array(
        [
            math.lgamma(trials + 1) - math.lgamma(i + 1) - math.lgamma(trials - i + 1)
            for i in range(count + 1)
        ]
    )

    def cdf(rate: float) -> float:
        return float(np.exp(log_ways + k * math.log(rate) + (trials - k) * math.log1p(-rate)).sum())

    return cdf


def _crossing(falling: Callable[[float], float], level: float) -> float:
    """Where a function that falls on (0, 1) comes down to a level."""
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if not 0 < middle < 1:
            break
        low, high = (middle, high) if falling(middle) > level else (low, middle)
    return (low + high) / 2
