"""The result of an evaluation: JSON for programs, a table for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from vlm_vpr_ros import __version__
from vlm_vpr_ros.evaluation.metrics import (
    RADII_M,
    RANKS,
    Score,
    fix_counts,
    is_false,
    latency_percentiles,
    percentiles,
    recall_table,
    solvable_counts,
)
from vlm_vpr_ros.evaluation.run import Evaluation, Trial
from vlm_vpr_ros.outcome_json import DEGREE_DIGITS, number, outcome_record
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.text import aligned
from vlm_vpr_ros.types import Outcome


def report(evaluation: Evaluation, region: Region, false_fix_m: float) -> dict[str, Any]:
    """The evaluation as JSON.

    The scores at the top are the causal ones; `cold` holds the same keys for cold starts. Distances
    are metres; `null` is a share or percentile of nothing. `recall[radius][rank]` counts the
    queries that have a reference within the radius, `recall_all` counts all. `error` of a query is
    the distance of its fix from the truth.
    """
    trials = evaluation.trials
    return {
        **_scores(evaluation.causal_scores, [t.causal for t in trials], false_fix_m),
        "cold": _scores(evaluation.cold_scores, [t.cold for t in trials], false_fix_m),
        "solvable": solvable_counts(evaluation.causal_scores),
        "latency_ms": _rounded(latency_percentiles([dict(t.causal.latency_ms) for t in trials]), 3),
        "false_fix_m": false_fix_m,
        "drives": dict(Counter(trial.drive for trial in trials)),
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


def table(record: Mapping[str, Any]) -> str:
    """What `report` found, for a terminal."""
    parts = [_recall_lines(record), _fix_lines(record), _latency_lines(record)]
    return "\n\n".join(parts)


def _scores(
    scores: Sequence[Score], outcomes: Sequence[Outcome], false_fix_m: float
) -> dict[str, Any]:
    counts = fix_counts(scores, false_fix_m)
    return {
        "recall": _rounded(recall_table(scores), 4),
        "recall_all": _rounded(recall_table(scores, solvable=False), 4),
        "error_m": _rounded(percentiles([s.error_m for s in scores if s.error_m is not None]), 3),
        "fixes": {
            "queries": counts.queries,
            "accepted": counts.accepted,
            "refused": counts.refused,
            "false": counts.false,
            "false_rate": number(counts.false_rate, 4),
            "refused_reasons": dict(
                Counter(o.reason.value for o in outcomes if not o.accepted).most_common()
            ),
        },
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


def _recall_lines(record: Mapping[str, Any]) -> str:
    rows = []
    for radius in RADII_M:
        row = [f"within {radius} m", str(record["solvable"][str(radius)])]
        for mode in (record, record["cold"]):
            row += [percent(mode["recall"][str(radius)][str(rank)]) for rank in RANKS]
        rows.append(row)
    names = [f"{mode} R@{rank}" for mode in ("causal", "cold") for rank in RANKS]
    return aligned(["recall %", "solvable", *names], rows)


def _fix_lines(record: Mapping[str, Any]) -> str:
    rows = []
    for name, mode in (("causal", record), ("cold", record["cold"])):
        fixes, error = mode["fixes"], mode["error_m"]
        rows.append(
            [
                name,
                *(str(fixes[key]) for key in ("queries", "accepted", "refused", "false")),
                percent(fixes["false_rate"]),
                *("-" if error[p] is None else f"{error[p]:.1f}" for p in error),
            ]
        )
    head = ["fixes", "queries", "accepted", "refused", "false", "false %"]
    lines = [aligned([*head, *(f"error {p} m" for p in record["error_m"])], rows)]
    for name, mode in (("causal", record), ("cold", record["cold"])):
        reasons = mode["fixes"]["refused_reasons"]
        if reasons:
            listed = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
            lines.append(f"refused, {name}: {listed}")
    return "\n".join(lines)


def _latency_lines(record: Mapping[str, Any]) -> str:
    rows = [
        [stage, f"{p['p50']:.1f}", f"{p['p95']:.1f}"] for stage, p in record["latency_ms"].items()
    ]
    return aligned(["latency ms", "p50", "p95"], rows)


def percent(share: float | None) -> str:
    """A share as percent with one decimal, "-" of nothing."""
    return "-" if share is None else f"{100 * share:.1f}"


def _rounded(values: Any, digits: int) -> Any:
    """The numbers of nested dicts, rounded."""
    if isinstance(values, Mapping):
        return {key: _rounded(value, digits) for key, value in values.items()}
    return number(values, digits)
