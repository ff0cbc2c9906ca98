"""Whether the stated probabilities are worth believing: ranking, calibration, sharpness.

All functions take the same two arrays, one entry a frame: the probability that was stated for the
best place, and whether that place was right. None stands for what cannot be known of no frames.
Results do not depend on the order of the frames.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.calibration.risk import LEAST_DRIVES

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

MAX_BINS = 10
LEAST_IN_BIN = 10
"""Frames; fewer say nothing about a share."""

_LEAST_PROBABILITY = 1e-6
"""One certain and wrong answer would make the log loss infinite."""
_RESAMPLES = 1000


@dataclass(frozen=True)
class Curve:
    """What would have been answered, and how rightly, at every threshold of the probability.

    Attributes:
        threshold: (k,) descending, each value once.
        coverage: (k,) share of all frames that reach it.
        precision: (k,) share of those that are right.
    """

    threshold: Floats
    coverage: Floats
    precision: Floats


@dataclass(frozen=True)
class Bin:
    """Frames of similar probability.

    Attributes:
        count: how many.
        probability: their mean.
        right: the share of them that is right.
    """

    count: int
    probability: float
    right: float


def precision_coverage(probability: Floats, right: Flags, frames: int) -> Curve:
    """Precision against coverage.

    Args:
        probability: (n,) of the frames with a place.
        right: (n,).
        frames: all frames, also those without any place, which no threshold answers.
    """
    order = np.argsort(-probability, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(probability[order]) != 0, True))[: len(order)]
    answered = ends + 1
    return Curve(
        threshold=probability[order][ends],
        coverage=answered / max(frames, 1),
        precision=np.cumsum(right[order])[ends] / answered,
    )


def average_precision(probability: Floats, right: Flags) -> float | None:
    """Area under the precision-recall curve, by steps; recall counts the frames that are right.

    1 if every right frame has a higher probability than every wrong one; None if none is right.
    """
    if not right.any():
        return None
    curve = precision_coverage(probability, right, len(right))
    recalled = curve.precision * curve.coverage * len(right) / right.sum()
    return float(np.sum(np.diff(recalled, prepend=0.0) * curve.precision))


def reliability(probability: Floats, right: Flags) -> list[Bin]:
    """Bins of about equal mass, at most MAX_BINS, ascending; equal probabilities stay together."""
    bins = min(MAX_BINS, max(1, len(probability) // LEAST_IN_BIN))
    values, counts = np.unique(probability, return_counts=True)
    ends = np.cumsum(counts)
    # A value belongs to the bin in which the middle one of its frames lies.
    number = ((ends - counts / 2) * bins / max(len(probability), 1)).astype(int)
    of_frame = number[np.searchsorted(values, probability)]
    return [
        Bin(
            int((of_frame == i).sum()),
            float(probability[of_frame == i].mean()),
            float(right[of_frame == i].mean()),
        )
        for i in np.unique(number)
    ]


def calibration_error(probability: Floats, right: Flags) -> float | None:
    """Expected calibration error over the bins of `reliability`, less its bias.

    Even perfect probabilities differ from the shares of finite bins. What a repetition with the
    shares found would differ more is subtracted (Kumar, Liang and Ma, "Verified uncertainty
    calibration", NeurIPS 2019), which can leave nothing. Of 200 frames perfect probabilities still
    show an error of 0.04 instead of 0.07.
    """
    if not len(probability):
        return None
    plain = repeated = 0.0
    for part in reliability(probability, right):
        weight = part.count / len(probability)
        gap = part.probability - part.right
        sigma = math.sqrt(part.right * (1 - part.right) / part.count)
        plain += weight * abs(gap)
        repeated += weight * _mean_of_folded_normal(gap, sigma)
    return max(0.0, 2 * plain - repeated)


def log_loss(probability: Floats, right: Flags) -> float | None:
    """Mean of -ln of the probability that was given to what turned out, in nats."""
    if not len(probability):
        return None
    given = np.where(right, probability, 1 - probability)
    return float(-np.log(np.maximum(given, _LEAST_PROBABILITY)).mean())


def drive_interval(
    statistic: Callable[[Floats, Flags], float | None],
    probability: Floats,
    right: Flags,
    drives: Sequence[Hashable],
) -> tuple[float, float] | None:
    """95 % interval of a statistic, by drawing whole drives again and again.

    Frames of one drive are alike, so the drives are what there is many of. None of fewer than
    LEAST_DRIVES, or where the statistic is undefined for some draws.

    Args:
        statistic: of probabilities and rights.
        probability: (n,).
        right: (n,).
        drives: (n,) the drive of each frame.
    """
    rows_of: dict[Hashable, list[int]] = {}
    for row, drive in enumerate(drives):
        rows_of.setdefault(drive, []).append(row)
    if len(rows_of) < LEAST_DRIVES:
        return None
    groups = [np.array(rows) for rows in rows_of.values()]
    rng = np.random.default_rng(0)  # the same figures again from the same frames
    found = []
    for _ in range(_RESAMPLES):
        rows = np.concatenate([groups[i] for i in rng.integers(0, len(groups), len(groups))])
        value = statistic(probability[rows], right[rows])
        if value is None:
            return None
        found.append(value)
    low, high = np.quantile(found, [0.025, 0.975])
    return float(low), float(high)


def _mean_of_folded_normal(mean: float, sigma: float) -> float:
    """Expected |x| of a Gaussian x."""
    if sigma == 0:
        return abs(mean)
    z = mean / sigma
    density = math.sqrt(2 / math.pi) * math.exp(-(z**2) / 2)
    return sigma * density + mean * math.erf(z / math.sqrt(2))
