"""Scores as pure functions of distances: no localizer, no files.

A share of nothing is None, never 0 or 1.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.types import GAUSSIAN_RADII

Floats = npt.NDArray[np.float64]

RADII_M = (5, 12, 25, 100)
RANKS = (1, 5, 10)
PERCENTILES = (50, 90, 95)

STAGES = ("retrieval", "verification", "evidence", "prior")
"""The order in which stages run; others that an outcome may name come after them."""


@dataclass(frozen=True)
class FixScore:
    """How far off a fix was, and how far it was said to be.

    Attributes:
        error_m: its distance from the truth.
        sigmas: the same in standard deviations of its covariance (Mahalanobis distance).
        ellipse_radii: per cent -> how many of them are said to hold that share of the errors.
    """

    error_m: float
    sigmas: float
    ellipse_radii: Mapping[int, float] = field(default_factory=lambda: GAUSSIAN_RADII)


@dataclass(frozen=True)
class Score:
    """How one query went, in distances from the truth.

    Attributes:
        nearest_reference_m: of the reference nearest to the truth: nobody can do better.
        candidates_m: (k,) of the ranked candidates, best first.
        fix: how good the fix was; None when refused.
        best_m: of the most probable place; None when there is none.
        probability: that was stated for that place.
        stages_m: (k,) of the candidates after each stage that ran, best first.
    """

    nearest_reference_m: float
    candidates_m: Floats
    fix: FixScore | None
    best_m: float | None = None
    probability: float = 0.0
    stages_m: Mapping[str, Floats] = field(default_factory=dict)

    @property
    def error_m(self) -> float | None:
        """Of the fix; None when refused."""
        return self.fix.error_m if self.fix else None

    def after(self, stage: str) -> Floats:
        """Distances of the candidates once a stage was over, whether it ran on this frame or not.

        A stage that did not run leaves the candidates of the one before it.
        """
        run = [s for s in _stage_order(self.stages_m) if _rank(s) <= _rank(stage)]
        return self.stages_m[run[-1]] if run else np.empty(0)


@dataclass(frozen=True)
class FixCounts:
    """What was answered and what of it was wrong.

    Attributes:
        queries: accepted + refused.
        accepted: queries with a fix.
        refused: queries without.
        false: fixes too far from the truth.
        false_rate: false / accepted; None when none is accepted.
        outside: queries so far from every reference that any fix from these would be false.
        outside_accepted: those of them with a fix.
    """

    queries: int
    accepted: int
    refused: int
    false: int
    false_rate: float | None
    outside: int
    outside_accepted: int


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


def stage_scores(scores: Sequence[Score]) -> dict[str, list[Score]]:
    """By stage: the scores as they would be if it had been the last one."""
    return {
        stage: [replace(s, candidates_m=s.after(stage)) for s in scores]
        for stage in _stage_order(stage for s in scores for stage in s.stages_m)
    }


def _stage_order(stages: Iterable[str]) -> list[str]:
    """Names of stages, each once, in the order in which they run."""
    return sorted(dict.fromkeys(stages), key=_rank)


def _rank(stage: str) -> int:
    return STAGES.index(stage) if stage in STAGES else len(STAGES)


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
    errors = [s.fix.error_m for s in scores if s.fix]
    false = sum(is_false(error, false_fix_m) for error in errors)
    outside = [s for s in scores if is_false(s.nearest_reference_m, false_fix_m)]
    return FixCounts(
        queries=len(scores),
        accepted=len(errors),
        refused=len(scores) - len(errors),
        false=false,
        false_rate=false / len(errors) if errors else None,
        outside=len(outside),
        outside_accepted=sum(s.fix is not None for s in outside),
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
