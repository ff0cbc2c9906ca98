"""The result of an evaluation as JSON: the one place that names its keys (docs/evaluation.md)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from vlm_vpr_ros import __version__
from vlm_vpr_ros.evaluation.metrics import (
    RANKS,
    is_false,
    latency_percentiles,
    solvable_counts,
)
from vlm_vpr_ros.evaluation.report_scores import drive_records, rounded, scores_record
from vlm_vpr_ros.evaluation.run import Evaluation, Trial
from vlm_vpr_ros.outcome_json import DEGREE_DIGITS, number, outcome_record
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.types import Outcome


def report(
    evaluation: Evaluation,
    region: Region,
    false_fix_m: float,
    target_false_fix_rate: float | None = None,
) -> dict[str, Any]:
    """The evaluation as a dict that `json.dumps(..., allow_nan=False)` takes.

    The scores at the top are the causal ones; `cold` holds the same keys for cold starts, `stopped`
    those of windows that end with their first accepted outcome. In windows of one frame all three
    are the same. `null` is what cannot be known of nothing.

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
        **scores_record(causal, [t.causal for t in trials], drives, false_fix_m),
        "cold": scores_record(cold, [t.cold for t in trials], drives, false_fix_m),
        "stopped": scores_record(
            [s.score for s in stops], [s.outcome for s in stops], drives, false_fix_m
        )
        if stops
        else None,
        "by_drive": drive_records(causal, drives, false_fix_m),
        "solvable": solvable_counts(causal),
        "latency_ms": rounded(latency_percentiles([dict(t.causal.latency_ms) for t in trials]), 3),
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
