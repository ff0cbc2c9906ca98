"""The result of an evaluation as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlm_vpr_ros.evaluation.ellipses import PER_CENTS
from vlm_vpr_ros.evaluation.metrics import RADII_M, RANKS
from vlm_vpr_ros.text import aligned, counted, length


def table(record: Mapping[str, Any]) -> str:
    """What `report` found; "-" stands for what is unknown of nothing."""
    parts = [
        _recall_lines(record),
        _stage_lines(record),
        _fix_lines(record),
        _trust_lines(record),
        _drive_lines(record),
        _latency_lines(record),
    ]
    return "\n\n".join(part for part in parts if part)


def percent(share: float | None) -> str:
    """A share as percent with one decimal, "-" of nothing."""
    return "-" if share is None else f"{100 * share:.1f}"


def decimal(value: float | None, digits: int = 1) -> str:
    """A number with so many decimals, "-" for an unknown one."""
    return "-" if value is None else f"{value:,.{digits}f}"


def metres(value: float | None) -> str:
    """A length with its unit, "-" for an unknown one."""
    return "-" if value is None else length(value)


def percents(ends: list[float] | None) -> str:
    """An interval of a share, "-" for an unknown one."""
    return "-" if ends is None else f"{100 * ends[0]:.1f}–{100 * ends[1]:.1f}"


def modes(
    record: Mapping[str, Any], *, stopped: bool = True
) -> list[tuple[str, Mapping[str, Any]]]:
    """The name of each way in which the queries were localized, and its scores.

    Args:
        record: what `report` found.
        stopped: with the windows that may end before their query.
    """
    frames = record["frames"]
    own = ("causal" if frames is None else counted(frames, "frame"), record)
    if frames == 1:  # such a window is a cold start and ends at once
        return [own]
    early = [("stopped", record["stopped"])] if stopped and record["stopped"] else []
    return [own, *early, ("cold", record["cold"])]


def _recall_lines(record: Mapping[str, Any]) -> str:
    rows = []
    for radius in RADII_M:
        row = [f"within {radius} m", str(record["solvable"][str(radius)])]
        for _, mode in modes(record, stopped=False):
            row += [percent(mode["recall"][str(radius)][str(rank)]) for rank in RANKS]
        rows.append(row)
    names = [f"{mode} R@{rank}" for mode, _ in modes(record, stopped=False) for rank in RANKS]
    return aligned(["recall %", "solvable", *names], rows)


def _stage_lines(record: Mapping[str, Any]) -> str:
    if not record["stages"]:
        return ""
    rows = [
        [
            f"{mode} {stage}",
            *(percent(found["recall"][str(radius)]["1"]) for radius in RADII_M),
            *(metres(found["error_m"][p]) for p in found["error_m"]),
        ]
        for mode, scores in modes(record)
        for stage, found in scores["stages"].items()
    ]
    head = ["best candidate after", *(f"R@1 {radius} m" for radius in RADII_M)]
    return aligned([*head, *(f"error {p}" for p in record["error_m"])], rows)


def _fix_lines(record: Mapping[str, Any]) -> str:
    rows = []
    for name, mode in modes(record):
        fixes, error = mode["fixes"], mode["error_m"]
        rows.append(
            [
                name,
                *(str(fixes[key]) for key in ("queries", "accepted", "refused", "false")),
                percent(fixes["false_rate"]),
                percents(fixes["false_rate_interval"]),
                *(metres(error[p]) for p in error),
            ]
        )
    head = ["fixes", "queries", "accepted", "refused", "false", "false %", "95 % interval"]
    lines = [aligned([*head, *(f"error {p}" for p in record["error_m"])], rows)]
    for name, mode in modes(record):
        fixes = mode["fixes"]
        if fixes["outside"]:
            answered = f"{fixes['outside_accepted']} of {fixes['outside']}"
            lines.append(f"outside the region, {name}: {answered} accepted")
    for name, mode in modes(record):
        reasons = mode["fixes"]["refused_reasons"]
        if reasons:
            listed = ", ".join(f"{count} {reason}" for reason, count in reasons.items())
            lines.append(f"refused, {name}: {listed}")
    return "\n".join(lines)


def _trust_lines(record: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            decimal(mode["auc_pr"], 3),
            decimal(mode["ece"], 3),
            decimal(mode["log_loss"], 3),
            *(percent(mode["coverage"][str(p)]) for p in PER_CENTS),
            *(decimal(mode[f"nees_{kind}"], 2) for kind in ("mean", "median", "trimmed_mean")),
        ]
        for name, mode in modes(record)
    ]
    head = ["trust", "AUC-PR", "ECE", "log loss", *(f"in {p} % ellipse" for p in PER_CENTS)]
    return aligned([*head, "NEES mean", "median", "trimmed"], rows)


def _drive_lines(record: Mapping[str, Any]) -> str:
    if len(record["by_drive"]) < 2:
        return ""
    rows = [
        [
            name,
            *(str(drive[key]) for key in ("queries", "accepted", "false")),
            *(percent(drive["recall"][str(radius)]["1"]) for radius in RADII_M),
            metres(drive["error_m"]["p50"]),
            percent(drive["coverage"]["95"]),
        ]
        for name, drive in record["by_drive"].items()
    ]
    head = ["drive", "queries", "accepted", "false", *(f"R@1 {radius} m" for radius in RADII_M)]
    return aligned([*head, "error p50", "in 95 % ellipse"], rows)


def _latency_lines(record: Mapping[str, Any]) -> str:
    rows = [
        [stage, decimal(p["p50"]), decimal(p["p95"])] for stage, p in record["latency_ms"].items()
    ]
    return aligned(["latency ms", "p50", "p95"], rows)
