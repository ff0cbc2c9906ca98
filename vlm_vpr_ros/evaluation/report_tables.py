"""The tables of a report."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from typing import Any

from vlm_vpr_ros.evaluation.ellipses import PER_CENTS
from vlm_vpr_ros.evaluation.metrics import RADII_M, RANKS
from vlm_vpr_ros.evaluation.report_text import decimal, metres, modes, percent, percents

HEADLINE_M = 12
"""Radius of the recall that stands for all."""


def escaped(text: object) -> str:
    """Text that stays text in a page."""
    return html.escape(str(text))


def answers(record: Mapping[str, Any]) -> str:
    """What was answered, how exactly, and how far that can be trusted, in every way of asking."""
    rows = [
        [
            name,
            percent(mode["fixes"]["answered_share"]),
            f"{mode['fixes']['false']} of {mode['fixes']['accepted']}",
            percents(mode["fixes"]["false_rate_interval"]),
            metres(mode["error_m"]["p50"]),
            metres(mode["error_m"]["p95"]),
            *(percent(mode["coverage"][str(p)]) for p in PER_CENTS),
            decimal(mode["nees_mean"], 2),
            decimal(mode["ece"], 3),
            decimal(mode["auc_pr"], 3),
        ]
        for name, mode in modes(record)
    ]
    head = ["", "answered, %", "false", "false, 95 % interval", "median error", "95 % within"]
    head += [*(f"in {p} % ell." for p in PER_CENTS), "NEES", "ECE", "AUC-PR"]
    return _table(head, rows)


def stages(record: Mapping[str, Any]) -> str:
    """What each stage made of the candidates."""
    rows = [
        [
            f"{stage}, {mode}",
            *(percent(found["recall"][str(radius)]["1"]) for radius in RADII_M),
            *(metres(found["error_m"][p]) for p in ("p50", "p90")),
        ]
        for mode, scores in modes(record)
        for stage, found in scores["stages"].items()
    ]
    head = ["best candidate after", *(f"R@1 in {radius} m, %" for radius in RADII_M)]
    return _table([*head, "median error", "90 % within"], rows)


def recall(record: Mapping[str, Any]) -> str:
    """Recall by radius and rank."""
    shown = modes(record, stopped=False)
    head = ["within", "solvable", *(f"{m} R@{r}, %" for m, _ in shown for r in RANKS)]
    rows = [
        [
            f"{radius} m",
            record["solvable"][str(radius)],
            *(percent(s["recall"][str(radius)][str(r)]) for _, s in shown for r in RANKS),
        ]
        for radius in RADII_M
    ]
    return _table(head, rows)


def drives(record: Mapping[str, Any]) -> str:
    """Each drive for itself."""
    rows = [
        [
            name,
            drive["queries"],
            drive["accepted"],
            drive["false"],
            percent(drive["recall"][str(HEADLINE_M)]["1"]),
            metres(drive["error_m"]["p50"]),
            metres(drive["error_m"]["p95"]),
            percent(drive["coverage"]["95"]),
            decimal(drive["nees_mean"], 2),
        ]
        for name, drive in record["by_drive"].items()
    ]
    head = ["drive", "queries", "answered", "false", f"R@1 in {HEADLINE_M} m, %"]
    head += ["median error", "95 % within", "in 95 % ellipse, %", "NEES"]
    return _table(head, rows)


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    heads = "".join(f"<th>{escaped(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escaped(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        '<div class="card scroll"><table><thead><tr>'
        f"{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )
