"""Scores as pure functions of distances: no localizer, no files.

A share of nothing is None, never 0 or 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

RADII_M = (5, 12, 25, 100)
RANKS = (1, 5, 10)
PERCENTILES = (50, 90, 95)


@dataclass(frozen=True)
class Score:
    """How one query went, in distances from the truth.

    Attributes:
        nearest_reference_m: of the reference nearest to the truth: nobody can do better.
        candidates_m: (k,) of the ranked candidates, best first.
        error_m: of the fix; None when refused.
    """

    nearest_reference_m: float
    candidates_m: Floats
    error_m: float | None


@dataclass(frozen=True)
class FixCounts:
    """What was answered and what of it was wrong.

    Attributes:
        queries: accepted + refused.
        accepted: queries with a fix.
        refused: queries without.
        false: fixes too far from the truth.
        false_rate: false / accepted; None when none is accepted.
    """

    queries: int
    accepted: int
    refused: int
    false: int
    false_rate: float | None


def recall(scores: Sequence[Score], radius_m: float, rank: int, solvable: bool) -> float | None:
    """Share of the queries with a right reference among the first `rank` candidates.

    Args:
        scores: of all queries.
        radius_m: a reference this near to the truth is right.
        rank: how many candidates count.
        solvable: only over queries that have a right reference at all; else over all queries.
    """
    counted = [s for s in scores if not solvable or s.nearest_reference_m <= radius_m]
    if not counted:
        return None
    return sum(bool(np.any(s.candidates_m[:rank] <= radius_m)) for s in counted) / len(counted)


def recall_table(
    scores: Sequence[Score], solvable: bool = True
) -> dict[str, dict[str, float | None]]:
    """Recall by radius in metres and rank, both as the strings that JSON keys are."""
    return {
        str(radius): {str(rank): recall(scores, radius, rank, solvable) for rank in RANKS}
        for radius in RADII_M
    }


def solvable_counts(scores: Sequence[Score]) -> dict[str, int]:
    """By radius: how many queries have a reference within it."""
    return {str(r): sum(s.nearest_reference_m <= r for s in scores) for r in RADII_M}


def percentiles(
    values: Sequence[float], wanted: Sequence[int] = PERCENTILES
) -> dict[str, float | None]:
    """Percentiles as {"p50": ...}, linearly interpolated; None of no values."""
    if not len(values):
        return {f"p{p}": None for p in wanted}
    return {f"p{p}": float(np.percentile(values, p)) for p in wanted}


def is_false(error_m: float, false_fix_m: float) -> bool:
    """Whether a fix is false: *farther* from the truth than `false_fix_m`."""
    return error_m > false_fix_m


def fix_counts(scores: Sequence[Score], false_fix_m: float) -> FixCounts:
    """Count the fixes, and those of them that are false."""
    errors = [s.error_m for s in scores if s.error_m is not None]
    false = sum(is_false(error, false_fix_m) for error in errors)
    return FixCounts(
        queries=len(scores),
        accepted=len(errors),
        refused=len(scores) - len(errors),
        false=false,
        false_rate=false / len(errors) if errors else None,
    )


def latency_percentiles(
    latencies_ms: Sequence[dict[str, float]],
) -> dict[str, dict[str, float | None]]:
    """By stage, over the frames that came to that stage."""
    stages = dict.fromkeys(stage for laps in latencies_ms for stage in laps)
    return {
        stage: percentiles([laps[stage] for laps in latencies_ms if stage in laps], (50, 95))
        for stage in stages
    }
