"""An evaluation as one page to look at and to pass on: nothing is fetched, offline or not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vlm_vpr_ros.evaluation.charts import Figure, figures
from vlm_vpr_ros.evaluation.metrics import Score
from vlm_vpr_ros.evaluation.report_cases import cards
from vlm_vpr_ros.evaluation.report_page import PAGE
from vlm_vpr_ros.evaluation.report_tables import answers, drives, escaped, recall, stages
from vlm_vpr_ros.evaluation.report_text import decimal, modes
from vlm_vpr_ros.evaluation.report_tiles import tiles
from vlm_vpr_ros.evaluation.worst_cases import Case
from vlm_vpr_ros.text import counted


def report_page(
    record: Mapping[str, Any],
    scores: Sequence[Score],
    map_page: str,
    cases: Sequence[Case],
    remarks: Sequence[str] = (),
) -> str:
    """The page.

    Args:
        record: what `report` made of the evaluation.
        scores: the causal ones of the evaluation.
        map_page: of truth and fixes, a whole page itself.
        cases: worth looking at, in this order.
        remarks: sentences about what was left out or is to be minded.
    """
    content = "\n".join(
        [
            *(f'<p class="card warning">{escaped(remark)}</p>' for remark in remarks),
            tiles(record),
            "<h2>Truth and fixes</h2>",
            # Sandboxed, it has an origin of its own: it can reach neither this page nor others.
            f'<div class="card map"><iframe title="map of truth and fixes" sandbox="allow-scripts" '
            f'srcdoc="{escaped(map_page)}"></iframe></div>',
            "<h2>Figures</h2>",
            f'<div class="plots">{"".join(map(_figure, figures(record, scores)))}</div>',
            "<h2>Answers</h2>",
            answers(record),
            "<h2>From stage to stage</h2>",
            stages(record),
            "<h2>Recall</h2>",
            recall(record),
            "<h2>Drives</h2>",
            drives(record),
            *(["<h2>Worth a look</h2>", cards(cases)] if cases else []),
            "<h2>How this was measured</h2>",
            _method(record),
        ]
    )
    values = {"title": _title(record), "subtitle": _subtitle(record), "content": content}
    # Split, not replaced one after the other: a name that holds a placeholder stays a name.
    parts = PAGE.split("@@")
    return parts[0] + "".join(
        (values[name] if name == "content" else escaped(values[name])) + text
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    )


def _title(record: Mapping[str, Any]) -> str:
    return f"Evaluation on {record['region']['name']}"


def _subtitle(record: Mapping[str, Any]) -> str:
    window = record["frames"]
    how = {None: "frame by frame, causal", 1: "each as the first frame after start"}.get(
        window, f"in windows of {window} frames"
    )
    queries, references = record["fixes"]["queries"], record["region"]["references"]
    drives = counted(len(record["drives"]), "drive")
    return (
        f"{queries:,} queries of {drives}, {how}, in a region of {counted(references, 'reference')}"
    )


def _figure(figure: Figure) -> str:
    items = "".join(
        f'<li class="{style}"><i></i><span>{escaped(name)}</span></li>'
        for style, name in figure.legend
    )
    legend = f'<ul class="legend">{items}</ul>' if items else ""
    return (
        f'<figure class="card"><h3>{escaped(figure.title)}</h3>'
        f'<p class="soft small">{escaped(figure.explanation)}</p>{legend}{figure.svg}</figure>'
    )


def _method(record: Mapping[str, Any]) -> str:
    window = record["frames"]
    cold = "Each frame as the first one after start."
    ways = {
        "causal": "Frames in order, one localizer, forgetting at the start of each drive.",
        "1 frame": cold,
        f"{window} frames": f"Every {window} consecutive frames of a drive from a fresh start, "
        "scored at the place of the last one. Windows overlap.",
        "stopped": "Windows that end with their first accepted answer, scored there.",
        "cold": cold,
    }
    rows = [
        *((name, ways[name]) for name, _ in modes(record)),
        (
            "false",
            f"A fix farther than {record['false_fix_m']:g} m from the truth. The interval "
            "(Clopper and Pearson) takes frames as independent; frames of one drive are not, so "
            "look at the drives, too.",
        ),
        (
            "recall",
            "Of the queries that have a reference within the radius: those with one among the best "
            "candidates.",
        ),
        (
            "calibration error",
            f"Up to ten bins of equal mass, less its bias; log loss "
            f"{decimal(record['log_loss'], 3)}. 95 % interval over drives: "
            f"{_interval(record['ece_interval'])}.",
        ),
        (
            "ellipses, NEES",
            f"{_calibrated(record)} Ellipses: of all fixes, false ones count as outside. NEES: of "
            "the fixes that are not false, 2 if the covariance is true; trimmed mean "
            f"{decimal(record['nees_trimmed_mean'], 2)}.",
        ),
        (
            "made by",
            f"vlm_vpr {record['version']}, encoder {record['region']['encoder']}. The same figures "
            "and more: vlm_vpr evaluate --json.",
        ),
    ]
    items = "".join(f"<dt>{escaped(a)}</dt><dd>{escaped(b)}</dd>" for a, b in rows)
    return f'<dl class="card small">{items}</dl>'


def _calibrated(record: Mapping[str, Any]) -> str:
    fixes = record["fixes"]
    return f"Calibrated on held-out drives: {fixes['calibrated']} of {fixes['accepted']} fixes."


def _interval(ends: Sequence[float] | None) -> str:
    return "not known of so few drives" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"
