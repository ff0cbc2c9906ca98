"""How loose a threshold may be so that few enough of the answers are false, with confidence.

The rate of false answers does not fall steadily as the threshold rises, so the loosest threshold
that looks good is too loose (its rate exceeded the target in a third to two thirds of simulated
calibrations). *Learn then test* (Angelopoulos, Bates, Candès, Jordan and Lei, 2021) takes each
threshold for a hypothesis "too many are false" and keeps what a test rejects. Several starts share
the doubt DELTA; from each, thresholds are loosened until a test fails.

Frames of one drive are alike: with LEAST_DRIVES or more the drives are the sample, with fewer the
frames are, and count for less (`design_effect`).
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import special, stats

DELTA = 0.1
"""Probability that a threshold is kept although it lets through more than the target."""
LEAST_DRIVES = 5
"""Fewer drives say nothing about how drives differ."""
START_COVERAGES = (0.15, 0.3, 0.5, 0.65, 0.8)
"""Shares of the decisions that are answered at the thresholds from which to loosen."""

_STEPS = 100
_MAX_NEEDED = 1_000_000
_MAX_DRIVES = 500

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """What a threshold did on one drive.

    Attributes:
        decisions: how often an answer was asked for, at least once.
        accepted: how often it was given.
        false: how many of these were false.
    """

    decisions: int
    accepted: int
    false: int


def loosest_threshold(
    scores: Floats, at: Callable[[float], Sequence[Counts]], target: float
) -> float | None:
    """The lowest threshold at which at most `target` of the answers are false.

    Holds with confidence 1 - DELTA for further drives like these.

    Args:
        scores: (n,) of all decisions of all drives; -inf for those that nothing can answer.
        at: what a threshold does on each of LEAST_DRIVES or more drives.
        target: share of the answers that may be false.

    Returns:
        The threshold; None if no test succeeds.
    """
    known = np.sort(scores[np.isfinite(scores)])[::-1]

    @functools.cache
    def succeeds(threshold: float) -> bool:
        return excess(at(threshold), target, DELTA / len(START_COVERAGES)) <= 0

    loosened = [_loosened(known, len(scores), start, succeeds) for start in START_COVERAGES]
    return min((threshold for start in loosened for threshold in start), default=None)


def _loosened(
    descending: Floats, decisions: int, coverage: float, succeeds: Callable[[float], bool]
) -> Iterator[float]:
    """Thresholds from one start on, as long as the test succeeds."""
    for step in range(round(coverage * _STEPS), _STEPS + 1):
        row = math.ceil(step / _STEPS * decisions) - 1
        if row >= len(descending) or not succeeds(float(descending[row])):
            return
        yield float(descending[row])


def excess(drives: Sequence[Counts], target: float, level: float) -> float:
    """Upper bound of the mean over drives of (false - target * accepted) / decisions.

    At most 0 where few enough are false. Student's t over the drives, after one false answer more
    than was seen: without it, drives without any would have no spread, and seem certain. The worst
    drive counts twice: false answers come in runs, and a few drives have most of them, so that the
    worst of all drives was seldom among those that were seen.

    Args:
        drives: two or more.
        target: share of the answers that may be false.
        level: probability that the bound is too low.
    """
    seen = [(d.false - target * d.accepted) / d.decisions for d in drives]
    unseen = (1 - target) / sum(d.decisions for d in drives)
    return _upper_bound(np.array([*seen, max(seen)]), len(seen) + 1, level) + unseen


def highest_rate(accepted: float, false: float, level: float) -> float:
    """Upper bound of a rate (Clopper and Pearson, Biometrika 1934); counts need not be whole.

    Args:
        accepted: independent answers.
        false: how many of them were.
        level: probability that the bound is too low.
    """
    if false >= accepted:
        return 1.0
    return float(special.betaincinv(false + 1, accepted - false, 1 - level))


def needed_answers(target: float, false: float) -> int:
    """Independent answers needed for a target, with so many false ones among them."""
    low, high = math.ceil(false) + 1, _MAX_NEEDED
    while low < high:
        middle = (low + high) // 2
        if highest_rate(middle, false, DELTA) <= target:
            high = middle
        else:
            low = middle + 1
    return low


def design_effect(series: Sequence[Floats]) -> float:
    """How many successive values of a drive are worth one independent one, 1 or more.

    The variance of a mean of blocks of the drive over that of as many independent values: the limit
    of a moving-block bootstrap (Künsch 1989), with blocks as long as the square root of the drive.

    Args:
        series: the values of each drive, in the order of time.
    """
    drives = [drive for drive in series if len(drive)]
    if not drives:
        return 1.0
    mean = np.concatenate(drives).mean()
    of_blocks = of_values = 0.0
    for drive in drives:
        length = max(1, round(math.sqrt(len(drive))))
        blocks = np.convolve(drive - mean, np.ones(length), "valid")
        of_blocks += len(drive) * float(np.mean(blocks**2)) / length
        of_values += float(np.sum((drive - mean) ** 2))
    return max(1.0, of_blocks / of_values) if of_values > 0 else 1.0


def needed_drives(drives: Sequence[Counts], target: float) -> int | None:
    """How many drives like these a target would need; None if no number of them will do."""
    seen = np.array([(d.false - target * d.accepted) / d.decisions for d in drives])
    if len(seen) < 2 or seen.mean() >= 0:
        return None
    per_drive = float(np.mean([d.decisions for d in drives]))
    for count in range(max(LEAST_DRIVES, len(seen) + 1), _MAX_DRIVES + 1):
        unseen = (1 - target) / (count * per_drive)
        worst_again = (seen.max() - seen.mean()) / (count + 1)
        bound = _upper_bound(seen, count + 1, DELTA / len(START_COVERAGES))
        if bound + worst_again + unseen <= 0:
            return count
    return None


def _upper_bound(values: Floats, count: int, level: float) -> float:
    """Student's bound of a mean, as it would be of so many values like these."""
    quantile = float(stats.t.ppf(1 - level, count - 1))
    return float(values.mean() + quantile * values.std(ddof=1) / math.sqrt(count))
