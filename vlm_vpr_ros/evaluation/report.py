"""The result of an evaluation as JSON: the one place that names its keys (docs/evaluation.md)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from vlm_vpr_ros import __version__
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
    RANKS,
    Score,
    fix_counts,
    is_false,
    latency_percentiles,
    percentiles,
    recall_table,
    solvable_counts,
    stage_scores,
)
from vlm_vpr_ros.evaluation.rates import exact_interval
from vlm_vpr_ros.evaluation.run import Evaluation, Trial
from vlm_vpr_ros.outcome_json import DEGREE_DIGITS, number, outcome_record
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.types import GAUSSIAN_RADII, Outcome

_CURVE_POINTS = 200


def report(
    evaluation: Evaluation,
    region: Region,
    false_fix_m: float,
    target_false_fix_rate: float | None = None,
) -> dict[str, Any]:
    """The evaluation as a dict that `json.dumps(..., allow_nan=False)` takes.

    The scores at the top are the causal ones; `cold` holds the same keys for cold starts, `stopped`
    those of windows that end with their first accepted outcome. `null` is what cannot be known of
    nothing.

    Args:
        evaluation: what was tried.
        region: in which.
        false_fix_m: a fix farther from the truth is false.
        target_false_fix_rate: what the gate was asked to keep to.
    """
    trials = evaluation.trials
    drives = [trial.drive for trial in trials]
    causal, cold = evaluation.causal_scores, evaluation.cold_scores
    stops = evaluation.stops
    return {
        **_scores(causal, [t.causal for t in trials], drives, false_fix_m),
        "cold": _scores(cold, [t.cold for t in trials], drives, false_fix_m),
        "stopped": _scores(
            [s.score for s in stops], [s.outcome for s in stops], drives, false_fix_m
        )
        if stops
        else None,
        "by_drive": _by_drive(causal, drives, false_fix_m),
        "solvable": solvable_counts(causal),
        "latency_ms": _rounded(latency_percentiles([dict(t.causal.latency_ms) for t in trials]), 3),
        "frames": evaluation.frames,
        "false_fix_m": false_fix_m,
        "target_false_fix_rate": target_false_fix_rate,
        "drives": dict(Counter(drives)),
        "failed_images": [{"source": f.source, "error": f.error} for f in evaluation.failures],
        "left_out": dict(evaluation.report.left_out),
        "own_references": evaluation.own_references,
        "region": {
            "name": region.folder.resolve().name,
            "references": region.manifest.references,
            "encoder": region.manifest.encoder.name,
        },
        "version": __version__,
        "queries": [_query(trial, false_fix_m) for trial in trials],
    }


def _scores(
    scores: Sequence[Score],
    outcomes: Sequence[Outcome],
    drives: Sequence[str],
    false_fix_m: float,
) -> dict[str, Any]:
    return {
        "recall": _rounded(recall_table(scores), 4),
        "recall_all": _rounded(recall_table(scores, solvable=False), 4),
        "stages": {
            stage: {
                "recall": _rounded(recall_table(staged), 4),
                "error_m": _rounded(
                    percentiles([s.candidates_m[0] for s in staged if len(s.candidates_m)]), 3
                ),
            }
            for stage, staged in stage_scores(scores).items()
        },
        "error_m": _rounded(percentiles([s.error_m for s in scores if s.error_m is not None]), 3),
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
        "calibrated": sum(o.fix is not None and o.fix.calibrated for o in outcomes),
        "refused_reasons": dict(
            Counter(o.reason.value for o in outcomes if not o.accepted).most_common()
        ),
    }


def _confidence(
    scores: Sequence[Score], drives: Sequence[str], false_fix_m: float
) -> dict[str, Any]:
    """Of the stated probabilities, over the frames for which a place was considered at all."""
    rows = [i for i, s in enumerate(scores) if s.best_m is not None]
    probability = np.array([scores[i].probability for i in rows], np.float64)
    right = np.array([not is_false(scores[i].best_m or 0.0, false_fix_m) for i in rows], np.bool_)
    of_drive = [drives[i] for i in rows]
    curve = precision_coverage(probability, right, len(scores))
    shown = np.unique(np.linspace(0, len(curve.threshold) - 1, _CURVE_POINTS).round().astype(int))
    return {
        "auc_pr": number(average_precision(probability, right), 4),
        "ece": number(calibration_error(probability, right), 4),
        "ece_interval": _interval(drive_interval(calibration_error, probability, right, of_drive)),
        "log_loss": number(log_loss(probability, right), 4),
        "reliability": [_rounded(asdict(b), 4) for b in reliability(probability, right)],
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
    fixed = [s for s in scores if s.error_m is not None]
    right = [s for s in fixed if not is_false(s.error_m or 0.0, false_fix_m)]
    summary = nees([s.sigmas or 0.0 for s in right])
    return {
        "coverage": _coverage(fixed),
        "coverage_right": _coverage(right),
        "coverage_gaussian": {
            str(p): number(
                share_within([s.sigmas or 0.0 for s in fixed], [GAUSSIAN_RADII[p]] * len(fixed)), 4
            )
            for p in PER_CENTS
        },
        "nees_mean": number(summary.mean, 4),
        "nees_median": number(summary.median, 4),
        "nees_trimmed_mean": number(summary.trimmed_mean, 4),
    }


def _coverage(fixed: Sequence[Score]) -> dict[str, float | None]:
    distances = [s.sigmas or 0.0 for s in fixed]
    return {
        str(p): number(share_within(distances, [(s.ellipse_radii or {})[p] for s in fixed]), 4)
        for p in PER_CENTS
    }


def _by_drive(
    scores: Sequence[Score], drives: Sequence[str], false_fix_m: float
) -> dict[str, dict[str, Any]]:
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
        "recall": _rounded(recall_table(scores), 4),
        "error_m": _rounded(percentiles([s.error_m for s in scores if s.error_m is not None]), 3),
        **_covariance(scores, false_fix_m),
    }


def _query(trial: Trial, false_fix_m: float) -> dict[str, Any]:
    return {
        "source": trial.source,
        "drive": trial.drive,
        "truth": {
            "lat": number(trial.truth.lat_deg, DEGREE_DIGITS),
            "lon": number(trial.truth.lon_deg, DEGREE_DIGITS),
        },
        "nearest_reference_m": number(trial.nearest_reference_m, 3),
        **_judged(trial, trial.causal, false_fix_m),
        "cold": _cold(_judged(trial, trial.cold, false_fix_m)),
    }


def _judged(trial: Trial, outcome: Outcome, false_fix_m: float) -> dict[str, Any]:
    score = trial.score(outcome)
    return {
        "outcome": outcome_record(outcome),
        "error": number(score.error_m, 3),
        "false": None if score.error_m is None else is_false(score.error_m, false_fix_m),
        "candidates_m": [number(m, 2) for m in score.candidates_m[: RANKS[-1]]],
    }


def _cold(judged: dict[str, Any]) -> dict[str, Any]:
    """Without what would double the file, and the latency: the encoding was done already."""
    kept = {k: v for k, v in judged["outcome"].items() if k not in {"hypotheses", "latency_ms"}}
    return {**judged, "outcome": kept}


def _interval(ends: tuple[float, float] | None) -> list[float | None] | None:
    return None if ends is None else [number(end, 4) for end in ends]


def _rounded(values: Any, digits: int) -> Any:
    """The numbers of nested dicts, rounded."""
    if isinstance(values, Mapping):
        return {key: _rounded(value, digits) for key, value in values.items()}
    return number(values, digits)
