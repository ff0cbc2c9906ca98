"""An evaluation as one page to look at and to pass on: nothing is fetched, offline or not."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vlm_vpr_ros.evaluation.charts import Figure, figures
from vlm_vpr_ros.evaluation.ellipses import PER_CENTS
from vlm_vpr_ros.evaluation.metrics import RADII_M, RANKS, Score
from vlm_vpr_ros.evaluation.report_page import PAGE
from vlm_vpr_ros.evaluation.report_text import decimal, mode_name, modes, percent, percents
from vlm_vpr_ros.evaluation.worst_cases import Case
from vlm_vpr_ros.text import counted, length
from vlm_vpr_ros.types import PriorStatus

_HEADLINE_M = 12
_SHOWN_COMPONENTS = 3


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
            *(f'<p class="card warning">{_escaped(remark)}</p>' for remark in remarks),
            _tiles(record),
            "<h2>Truth and fixes</h2>",
            # Sandboxed, it has an origin of its own: it can reach neither this page nor others.
            f'<div class="card map"><iframe title="map of truth and fixes" sandbox="allow-scripts" '
            f'srcdoc="{_escaped(map_page)}"></iframe></div>',
            "<h2>Figures</h2>",
            f'<div class="plots">{"".join(map(_figure, figures(record, scores)))}</div>',
            "<h2>Answers</h2>",
            _answers(record),
            "<h2>From stage to stage</h2>",
            _stages(record),
            "<h2>Recall</h2>",
            _recall(record),
            "<h2>Drives</h2>",
            _drives(record),
            *(["<h2>Worth a look</h2>", _cases(cases)] if cases else []),
            "<h2>How this was measured</h2>",
            _method(record),
        ]
    )
    values = {"title": _title(record), "subtitle": _subtitle(record), "content": content}
    # Split, not replaced one after the other: a name that holds a placeholder stays a name.
    parts = PAGE.split("@@")
    return parts[0] + "".join(
        (values[name] if name == "content" else _escaped(values[name])) + text
        for name, text in zip(parts[1::2], parts[2::2], strict=True)
    )


def _escaped(text: object) -> str:
    return html.escape(str(text))


def _title(record: Mapping[str, Any]) -> str:
    return f"Evaluation on {record['region']['name']}"


def _subtitle(record: Mapping[str, Any]) -> str:
    window = record["frames"]
    how = "frame by frame, causal" if window is None else f"windows of {counted(window, 'frame')}"
    queries, references = record["fixes"]["queries"], record["region"]["references"]
    drives = counted(len(record["drives"]), "drive")
    return (
        f"{queries:,} queries of {drives}, {how}, in a region of {counted(references, 'reference')}"
    )


def _tiles(record: Mapping[str, Any]) -> str:
    fixes, latency = record["fixes"], record["latency_ms"].get("total", {})
    false_share = f"{fixes['false']} of {fixes['accepted']}" if fixes["accepted"] else "none given"
    target = record["target_false_fix_rate"]
    asked = "" if target is None else f"; target {100 * target:g} %"
    tiles = [
        (
            "answered",
            f"{percent(fixes['answered_share'])} %",
            f"{fixes['accepted']:,} of {fixes['queries']:,} queries",
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
            _metres(record["error_m"]["p50"]),
            f"95 % within {_metres(record['error_m']['p95'])}",
            "",
        ),
        (
            f"recall@1 in {_HEADLINE_M} m",
            f"{percent(record['recall'][str(_HEADLINE_M)]['1'])} %",
            f"of {record['solvable'][str(_HEADLINE_M)]:,} with a reference there",
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
            f"{decimal(latency.get('p50'))} ms",
            f"95 % within {decimal(latency.get('p95'))} ms",
            "",
        ),
    ]
    return (
        '<div class="tiles">'
        + "".join(
            f'<div class="card tile {style}"><span class="soft small">{_escaped(name)}</span>'
            f'<b>{_escaped(value)}</b><span class="soft small">{_escaped(note)}</span></div>'
            for name, value, note, style in tiles
        )
        + "</div>"
    )


def _figure(figure: Figure) -> str:
    items = "".join(
        f'<li class="{style}"><i></i><span>{_escaped(name)}</span></li>'
        for style, name in figure.legend
    )
    legend = f'<ul class="legend">{items}</ul>' if items else ""
    return (
        f'<figure class="card"><h3>{_escaped(figure.title)}</h3>'
        f'<p class="soft small">{_escaped(figure.explanation)}</p>{legend}{figure.svg}</figure>'
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    heads = "".join(f"<th>{_escaped(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{_escaped(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return (
        '<div class="card scroll"><table><thead><tr>'
        f"{heads}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _answers(record: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            percent(mode["fixes"]["answered_share"]),
            f"{mode['fixes']['false']} of {mode['fixes']['accepted']}",
            percents(mode["fixes"]["false_rate_interval"]),
            decimal(mode["error_m"]["p50"]),
            decimal(mode["error_m"]["p95"]),
            *(percent(mode["coverage"][str(p)]) for p in PER_CENTS),
            decimal(mode["nees_mean"], 2),
            decimal(mode["ece"], 3),
            decimal(mode["auc_pr"], 3),
        ]
        for name, mode in modes(record)
    ]
    head = ["", "answered, %", "false", "false, 95 % interval", "error p50, m", "error p95, m"]
    head += [*(f"in {p} % ell." for p in PER_CENTS), "NEES", "ECE", "AUC-PR"]
    return _table(head, rows)


def _stages(record: Mapping[str, Any]) -> str:
    rows = [
        [
            f"{stage}, {mode}",
            *(percent(found["recall"][str(radius)]["1"]) for radius in RADII_M),
            *(decimal(found["error_m"][p]) for p in ("p50", "p90")),
        ]
        for mode, scores in modes(record)
        for stage, found in scores["stages"].items()
    ]
    head = ["best candidate after", *(f"R@1 in {radius} m, %" for radius in RADII_M)]
    return _table([*head, "median error, m", "90 % within, m"], rows)


def _recall(record: Mapping[str, Any]) -> str:
    shown = [(mode_name(record), record), ("cold", record["cold"])]
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


def _drives(record: Mapping[str, Any]) -> str:
    rows = [
        [
            name,
            drive["queries"],
            drive["accepted"],
            drive["false"],
            percent(drive["recall"][str(_HEADLINE_M)]["1"]),
            decimal(drive["error_m"]["p50"]),
            decimal(drive["error_m"]["p95"]),
            percent(drive["coverage"]["95"]),
            decimal(drive["nees_mean"], 2),
        ]
        for name, drive in record["by_drive"].items()
    ]
    head = ["drive", "queries", "answered", "false", f"R@1 in {_HEADLINE_M} m, %"]
    head += ["median error, m", "95 % within, m", "in 95 % ellipse, %", "NEES"]
    return _table(head, rows)


def _cases(cases: Sequence[Case]) -> str:
    return f'<div class="cases">{"".join(map(_case, cases))}</div>'


def _case(case: Case) -> str:
    trial, outcome = case.trial, case.trial.causal
    bad = " bad" if case.kind == "false fix" else ""
    facts = [f"probability {outcome.probability:.3f}"]
    if outcome.hypotheses:
        best = outcome.hypotheses[0]
        facts.append(f"similarity {best.similarity:.3f}")
        facts += [] if best.inliers is None else [f"{best.inliers} inliers"]
    if case.score.error_m is not None:
        facts.insert(0, f"error {length(case.score.error_m)}")
    elif case.score.best_m is not None:
        facts.insert(0, f"best place {length(case.score.best_m)} off")
    lines = [
        f'<span class="badge{bad}">{_escaped(case.kind)}</span><b>{_escaped(trial.source)}</b>',
        _escaped(", ".join(facts)),
        f'<span class="soft small">{_escaped(outcome.reason.value)}: {_escaped(outcome.detail)}'
        "</span>",
        *(f'<span class="soft small">{_escaped(line)}</span>' for line in _prior_lines(case)),
    ]
    picture = base64.b64encode(case.jpeg).decode()
    image = (
        f'<img alt="the query beside its best match" src="data:image/jpeg;base64,{picture}">'
        if picture
        else ""
    )
    return f'<figure class="card">{image}<figcaption>{"<br>".join(lines)}</figcaption></figure>'


def _prior_lines(case: Case) -> list[str]:
    report = case.trial.causal.prior
    if report.status is PriorStatus.OFF:
        return []
    lines = [f"prior {report.status.value}: {report.detail}"]
    if report.prior is not None and len(report.prior.components) > 1:
        likely = sorted(report.prior.components, key=lambda c: -c.weight)[:_SHOWN_COMPONENTS]
        lines += [
            f"{c.weight:.0%} {c.label or f'{c.lat_deg:.3f}, {c.lon_deg:.3f}'} ± {length(c.sigma_m)}"
            for c in likely
        ]
    return lines


def _method(record: Mapping[str, Any]) -> str:
    window = record["frames"]
    causal = (
        "Frames in order, one localizer, forgetting at the start of each drive."
        if window is None
        else f"Every {counted(window, 'consecutive frame')} of a drive from a fresh start, scored "
        "at the place of the last one. Windows overlap."
    )
    rows = [
        (mode_name(record), causal),
        *(
            [("stopped", "Windows that end with their first accepted answer, scored there.")]
            if window is not None
            else []
        ),
        ("cold", "Each frame as the first one after start."),
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
    items = "".join(f"<dt>{_escaped(a)}</dt><dd>{_escaped(b)}</dd>" for a, b in rows)
    return f'<dl class="card small">{items}</dl>'


def _calibrated(record: Mapping[str, Any]) -> str:
    fixes = record["fixes"]
    return f"Calibrated on held-out drives: {fixes['calibrated']} of {fixes['accepted']} fixes."


def _interval(ends: Sequence[float] | None) -> str:
    return "not known of so few drives" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"


def _metres(value: float | None) -> str:
    return "-" if value is None else length(value)
