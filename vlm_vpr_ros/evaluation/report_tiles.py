"""The figures of a report that are seen first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vlm_vpr_ros.evaluation.report_tables import HEADLINE_M, escaped
from vlm_vpr_ros.evaluation.report_text import decimal, metres, percent, percents


def tiles(record: Mapping[str, Any]) -> str:
    """One tile for each."""
    fixes, latency = record["fixes"], record["latency_ms"].get("total", {})
    false_share = f"{fixes['false']} of {fixes['accepted']}" if fixes["accepted"] else "none given"
    target = record["target_false_fix_rate"]
    outside = f"; outside the region {fixes['outside_accepted']:,} of {fixes['outside']:,}"
    asked = "" if target is None else f"; target {100 * target:g} %"
    shown = [
        (
            "answered",
            f"{percent(fixes['answered_share'])} %",
            f"{fixes['accepted']:,} of {fixes['queries']:,} queries"
            + (outside if fixes["outside"] else ""),
            "",
        ),
        (
            "false fixes",
            false_share,
            f"95 %: {percents(fixes['false_rate_interval'])} %{asked}"
            if fixes["accepted"]
            else "so their rate is not known",
            ("bad" if fixes["false"] else "good") if fixes["accepted"] else "",
        ),
        (
            "median error",
            metres(record["error_m"]["p50"]),
            f"95 % within {metres(record['error_m']['p95'])}",
            "",
        ),
        (
            f"recall@1 in {HEADLINE_M} m",
            f"{percent(record['recall'][str(HEADLINE_M)]['1'])} %",
            f"of {record['solvable'][str(HEADLINE_M)]:,} with a reference there",
            "",
        ),
        (
            "in 95 % ellipse",
            f"{percent(record['coverage']['95'])} %",
            f"NEES {decimal(record['nees_mean'], 2)}, median {decimal(record['nees_median'], 2)}",
            "",
        ),
        (
            "calibration error",
            decimal(record["ece"], 3),
            f"AUC-PR {decimal(record['auc_pr'], 3)}",
            "",
        ),
        (
            "latency",
            f"{decimal(latency.get('p50'), 0)} ms",
            f"95 % within {decimal(latency.get('p95'), 0)} ms",
            "",
        ),
    ]
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="card tile {style}"><span class="soft small">{escaped(name)}</span>'
            f'<b>{escaped(value)}</b><span class="soft small">{escaped(note)}</span></div>'
            for name, value, note, style in shown
        )
        + "</div>"
    )
