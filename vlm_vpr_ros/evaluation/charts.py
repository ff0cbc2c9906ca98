"""The plots of a report, each a figure with its title, legend and one sentence to read it by."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vlm_vpr_ros.evaluation.metrics import Score, stage_scores
from vlm_vpr_ros.evaluation.rates import exact_interval
from vlm_vpr_ros.evaluation.svg_plot import Axis, Plot, bars, percent_axis
from vlm_vpr_ros.types import GAUSSIAN_RADII

_LEAST_M = 1.0
_CDF_POINTS = 150


@dataclass(frozen=True)
class Figure:
    """A plot and what is said about it.

    Attributes:
        title: a few words.
        explanation: one sentence.
        svg: the plot; all text in it is escaped.
        legend: class of each series, and its name.
    """

    title: str
    explanation: str
    svg: str
    legend: tuple[tuple[str, str], ...] = ()


def figures(record: Mapping[str, Any], scores: Sequence[Score]) -> list[Figure]:
    """All plots for which there is something to show."""
    found = [
        _precision_coverage(record),
        _reliability(record),
        _errors(record, scores),
        _ellipses(scores),
        _latency(record),
        _refusals(record),
    ]
    return [figure for figure in found if figure is not None]


def _precision_coverage(record: Mapping[str, Any]) -> Figure | None:
    curve = record["precision_coverage"]
    if not curve:
        return None
    least = min(point["precision"] for point in curve)
    plot = Plot(
        "Precision against coverage",
        percent_axis("answered, of all queries"),
        percent_axis("right, of the answered", min(0.9, max(0.0, math.floor(10 * least) / 10))),
    )
    plot.line([(p["coverage"], p["precision"]) for p in curve], "s1")
    fixes = record["fixes"]
    if fixes["accepted"]:
        precision = 1 - fixes["false_rate"]
        tip = f"{fixes['accepted']} of {fixes['queries']} answered, {fixes['false']} falsely"
        plot.dot(fixes["answered_share"], precision, "s2", tip, 6)
    return Figure(
        "Precision and coverage",
        "What share of the answers would be right if the gate asked for less or more probability.",
        plot.svg(),
        (("s1", "any threshold"), ("s2", "the gate")),
    )


def _reliability(record: Mapping[str, Any]) -> Figure | None:
    bins = record["reliability"]
    if not bins:
        return None
    plot = Plot(
        "Reliability of the stated probabilities",
        percent_axis("stated probability"),
        percent_axis("right"),
    )
    plot.line([(0, 0), (1, 1)], "guide")
    for part in bins:
        interval = exact_interval(round(part["right"] * part["count"]), part["count"])
        if interval:
            plot.whisker(part["probability"], *interval, "s1")
    plot.line([(part["probability"], part["right"]) for part in bins], "s1 thin")
    for part in bins:
        tip = (
            f"{part['count']} queries: stated {part['probability']:.3f}, right {part['right']:.3f}"
        )
        plot.dot(part["probability"], part["right"], "s1", tip)
    return Figure(
        "Reliability",
        "Bins of equal mass; on the diagonal a stated probability means what it says, above it "
        "more is right than was claimed. Bars: 95 % interval.",
        plot.svg(),
    )


def _errors(record: Mapping[str, Any], scores: Sequence[Score]) -> Figure:
    series: list[tuple[str, list[float]]] = [
        (f"best after {stage}", [s.candidates_m[0] for s in staged if len(s.candidates_m)])
        for stage, staged in stage_scores(scores).items()
    ]
    series.append(("the fix, where answered", [s.fix.error_m for s in scores if s.fix]))
    largest = max((e for _, errors in series for e in errors), default=_LEAST_M)
    top = 10 ** min(max(math.ceil(math.log10(max(largest, _LEAST_M))), 2), 8)
    decades = round(math.log10(top))
    exponents = range(0, decades + 1, 1 if decades <= 5 else 2)  # names that do not touch
    ticks = [(10.0**e, f"{10 ** (e - 3):g} km" if e >= 3 else f"{10**e} m") for e in exponents]
    plot = Plot(
        "Distribution of the errors",
        Axis("error", _LEAST_M, top, ticks, logarithmic=True),
        percent_axis("of all queries"),
    )
    limit = record["false_fix_m"]
    if limit > 0:
        plot.line([(limit, 0), (limit, 1)], "guide")
    legend = []
    for number, (name, errors) in enumerate(series, 1):
        style = f"s{number}"
        legend.append((style, name))
        if errors:
            # The later, the thinner: a stage that changed nothing does not hide the one before.
            plot.steps(_cumulated(errors, len(scores), top), f"{style} k{number}")
    return Figure(
        "Errors",
        f"Share of all queries within a distance from the truth. Dashed: {limit:g} m, beyond which "
        "a fix is false.",
        plot.svg(),
        tuple(legend),
    )


def _cumulated(errors: Sequence[float], queries: int, top: float) -> list[tuple[float, float]]:
    ordered = np.sort(np.maximum(errors, _LEAST_M))
    shown = np.unique(np.linspace(0, len(ordered) - 1, _CDF_POINTS).round().astype(int))
    points = [(float(ordered[i]), (i + 1) / queries) for i in shown]
    return [(_LEAST_M, 0.0), *points, (top, len(ordered) / queries)]


def _ellipses(scores: Sequence[Score]) -> Figure | None:
    fixed = [s.fix for s in scores if s.fix]
    if not fixed:
        return None
    squared = np.sort([fix.sigmas**2 for fix in fixed])
    plot = Plot("What the ellipses hold", percent_axis("stated"), percent_axis("held"))
    plot.line([(0, 0), (1, 1)], "guide")
    stated = np.linspace(0, 0.995, 100)
    # Within a Mahalanobis distance of sqrt(-2 ln(1 - p)) lies the share p of a Gaussian.
    held = np.searchsorted(squared, -2 * np.log1p(-stated), side="right") / len(squared)
    plot.line(list(zip(stated.tolist(), held.tolist(), strict=True)), "s1")
    for per_cent in GAUSSIAN_RADII:
        inside = sum(fix.sigmas <= fix.ellipse_radii[per_cent] for fix in fixed)
        interval = exact_interval(inside, len(fixed))
        if interval:
            plot.whisker(per_cent / 100, *interval, "s2")
        tip = f"{per_cent} % ellipse: {inside} of {len(fixed)} truths inside"
        plot.dot(per_cent / 100, inside / len(fixed), "s2", tip)
    return Figure(
        "Ellipses",
        "Share of the truths inside the ellipses of the fixes; on the diagonal they hold what they "
        "state, above it they are larger than need be. Bars: 95 % interval.",
        plot.svg(),
        (("s1", "of the Gaussian published"), ("s2", "stored 50, 90, 95 % radii")),
    )


def _latency(record: Mapping[str, Any]) -> Figure | None:
    rows = [
        (stage, p["p50"], p["p95"], f"{p['p50']:.1f} / {p['p95']:.1f} ms")
        for stage, p in record["latency_ms"].items()
        if p["p50"] is not None
    ]
    if not rows:
        return None
    svg = bars("Latency of each stage", rows, "s1")
    explanation = "Median (bar) and 95th percentile (line) over the queries that reached the stage."
    return Figure("Latency by stage", explanation, svg)


def _refusals(record: Mapping[str, Any]) -> Figure | None:
    fixes = record["fixes"]
    if not fixes["refused"]:
        return None
    rows = [
        (reason, float(count), float(count), f"{count} ({100 * count / fixes['queries']:.1f} %)")
        for reason, count in fixes["refused_reasons"].items()
    ]
    explanation = f"Why {fixes['refused']} of {fixes['queries']} queries were not answered."
    return Figure("Refusals", explanation, bars("Refusals by reason", rows, "s3"))
