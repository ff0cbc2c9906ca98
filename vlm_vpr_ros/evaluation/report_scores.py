"""The part of a report's JSON that is told of one way of asking: causal, cold, stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from vlm_vpr_ros.evaluation.confidence import (
    average_precision,
    calibration_error,
    drive_interval,
    log_loss,
    precision_coverage,
    reliability,
)
from vlm_vpr_ros.evaluation.ellipses import PER_CENTS, nees, share_within
from vlm_vpr_ros.evaluation.metrics import (
    FixScore,
    Score,
    fix_counts,
    is_false,
    percentiles,
    recall_table,
    stage_scores,
)
from vlm_vpr_ros.evaluation.rates import exact_interval
from vlm_vpr_ros.outcome_json import number
from vlm_vpr_ros.types import GAUSSIAN_RADII, Outcome

_CURVE_POINTS = 200


def scores_record(
    scores: Sequence[Score],
    outcomes: Sequence[Outcome],
    drives: Sequence[str],
    false_fix_m: float,
) -> dict[str, Any]:
    """All scores of the queries.

    Args:
        scores: (n,) of the queries.
        outcomes: (n,) of the queries.
        drives: (n,) the drive of each.
        false_fix_m: a fix farther from the truth is false.
    """
    return {
        "recall": rounded(recall_table(scores), 4),
        "recall_all": rounded(recall_table(scores, solvable=False), 4),
        "stages": {
            stage: {
                "recall": rounded(recall_table(staged), 4),
                "error_m": rounded(
                    percentiles([s.candidates_m[0] for s in staged if len(s.candidates_m)]), 3
                ),
            }
            for stage, staged in stage_scores(scores).items()
        },
        "error_m": rounded(percentiles([s.fix.error_m for s in scores if s.fix]), 3),
        "fixes": _fixes(scores, outcomes, false_fix_m),
        **_confidence(scores, drives, false_fix_m),
        **_covariance(scores, false_fix_m),
    }


def _fixes(
    scores: Sequence[Score], outcomes: Sequence[Outcome], false_fix_m: float
) -> dict[str, Any]:
    counts = fix_counts(scores, false_fix_m)
    return {
        "queries": counts.queries,
        "accepted": counts.accepted,
        "refused": counts.refused,
        "false": counts.false,
        "answered_share": number(counts.accepted / counts.queries, 4) if counts.queries else None,
        "false_rate": number(counts.false_rate, 4),
        "false_rate_interval": _interval(exact_interval(counts.false, counts.accepted)),
        "outside": counts.outside,
        "outside_accepted": counts.outside_accepted,
        "calibrated": sum(o.fix is not None and o.fix.calibrated for o in outcomes),
        "refused_reasons": dict(
            Counter(o.reason.value for o in outcomes if not o.accepted).most_common()
        ),
    }


def _confidence(
    scores: Sequence[Score], drives: Sequence[str], false_fix_m: float
) -> dict[str, Any]:
    """Of the stated probabilities, over the frames for which a place was considered at all."""
    judged = [
        (s.probability, not is_false(s.best_m, false_fix_m), drive)
        for s, drive in zip(scores, drives, strict=True)
        if s.best_m is not None
    ]
    probability = np.array([p for p, _, _ in judged], np.float64)
    right = np.array([r for _, r, _ in judged], np.bool_)
    of_drive = [drive for _, _, drive in judged]
    curve = precision_coverage(probability, right, len(scores))
    shown = np.unique(np.linspace(0, len(curve.threshold) - 1, _CURVE_POINTS).round().astype(int))
    return {
        "auc_pr": number(average_precision(probability, right), 4),
        "ece": number(calibration_error(probability, right), 4),
        "ece_interval": _interval(drive_interval(calibration_error, probability, right, of_drive)),
        "log_loss": number(log_loss(probability, right), 4),
        "reliability": [rounded(asdict(b), 4) for b in reliability(probability, right)],
        "precision_coverage": [
            {
                "probability": number(curve.threshold[i], 6),
                "coverage": number(curve.coverage[i], 4),
                "precision": number(curve.precision[i], 4),
            }
            for i in (shown if len(curve.threshold) else ())
        ],
    }


def _covariance(scores: Sequence[Score], false_fix_m: float) -> dict[str, Any]:
    fixed = [s.fix for s in scores if s.fix]
    right = [fix for fix in fixed if not is_false(fix.error_m, false_fix_m)]
    summary = nees([fix.sigmas for fix in right])
    return {
        "coverage": _coverage(fixed),
        "coverage_right": _coverage(right),
        "coverage_gaussian": {
            str(p): number(
                share_within([f.sigmas for f in fixed], [GAUSSIAN_RADII[p]] * len(fixed)), 4
            )
            for p in PER_CENTS
        },
        "nees_mean": number(summary.mean, 4),
        "nees_median": number(summary.median, 4),
        "nees_trimmed_mean": number(summary.trimmed_mean, 4),
    }


def _coverage(fixed: Sequence[FixScore]) -> dict[str, float | None]:
    distances = [fix.sigmas for fix in fixed]
    return {
        str(p): number(share_within(distances, [fix.ellipse_radii[p] for fix in fixed]), 4)
        for p in PER_CENTS
    }


def drive_records(
    scores: Sequence[Score], drives: Sequence[str], false_fix_m: float
) -> dict[str, dict[str, Any]]:
    """The scores of each drive for itself."""
    scores_of: dict[str, list[Score]] = {}
    for drive, score in zip(drives, scores, strict=True):
        scores_of.setdefault(drive, []).append(score)
    return {drive: _drive(own, false_fix_m) for drive, own in scores_of.items()}


def _drive(scores: Sequence[Score], false_fix_m: float) -> dict[str, Any]:
    counts = fix_counts(scores, false_fix_m)
    return {
        "queries": counts.queries,
        "accepted": counts.accepted,
        "false": counts.false,
        "false_rate": number(counts.false_rate, 4),
        "recall": rounded(recall_table(scores), 4),
        "error_m": rounded(percentiles([s.fix.error_m for s in scores if s.fix]), 3),
        **_covariance(scores, false_fix_m),
    }


def _interval(ends: tuple[float, float] | None) -> list[float | None] | None:
    return None if ends is None else [number(end, 4) for end in ends]


def rounded(values: Any, digits: int) -> Any:
    """The numbers of nested dicts, rounded."""
    if isinstance(values, Mapping):
        return {key: rounded(value, digits) for key, value in values.items()}
    return number(values, digits)
