"""The queries of a report that are worth a look."""

from __future__ import annotations

import base64
from collections.abc import Sequence

from vlm_vpr_ros.evaluation.report_tables import escaped
from vlm_vpr_ros.evaluation.worst_cases import Case
from vlm_vpr_ros.text import length
from vlm_vpr_ros.types import PriorStatus

_SHOWN_COMPONENTS = 3


def cards(cases: Sequence[Case]) -> str:
    """A card for each: picture, what went wrong, with which numbers and which prior."""
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
        f'<span class="badge{bad}">{escaped(case.kind)}</span><b>{escaped(trial.source)}</b>',
        escaped(", ".join(facts)),
        f'<span class="soft small">{escaped(outcome.reason.value)}: {escaped(outcome.detail)}'
        "</span>",
        *(f'<span class="soft small">{escaped(line)}</span>' for line in _prior_lines(case)),
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
            f"{c.label or f'{c.lat_deg:.3f}, {c.lon_deg:.3f}'} (weight {c.weight:.0%}, sigma "
            f"{length(c.sigma_m)})"
            for c in likely
        ]
    return lines
