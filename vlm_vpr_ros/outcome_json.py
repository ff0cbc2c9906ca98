"""An Outcome as JSON: the one place that names the keys users and programs read.

Unknown numbers are null; NaN and infinity, which are not JSON, never appear.
"""

from __future__ import annotations

import math
from typing import Any

from vlm_vpr_ros.types import Fix, Hypothesis, Outcome

DEGREE_DIGITS = 8
"""About a millimetre."""


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """The outcome as a dict that `json.dumps(..., allow_nan=False)` takes.

    `lat`, `lon`, `alt_m` and `covariance_enu_m2` (three rows of three) are null unless accepted;
    the places considered are in `hypotheses`, most probable first.
    """
    return {
        "accepted": outcome.accepted,
        "reason": outcome.reason.value,
        "detail": outcome.detail,
        **_fix_record(outcome.fix),
        "probability": number(outcome.probability, 6),
        "probability_none": number(outcome.probability_none, 6),
        "hypotheses": [_hypothesis_record(hypothesis) for hypothesis in outcome.hypotheses],
        "stamp_ns": outcome.stamp_ns,
        "latency_ms": {stage: number(ms, 3) for stage, ms in outcome.latency_ms.items()},
    }


def number(value: float | None, digits: int) -> float | None:
    """The value rounded to so many decimals; None when it is unknown or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def _fix_record(fix: Fix | None) -> dict[str, Any]:
    if fix is None:
        return dict.fromkeys(("lat", "lon", "alt_m", "covariance_enu_m2", "calibrated"))
    return {
        "lat": number(fix.position.lat_deg, DEGREE_DIGITS),
        "lon": number(fix.position.lon_deg, DEGREE_DIGITS),
        "alt_m": number(fix.position.alt_m, 3),
        "covariance_enu_m2": [[number(v, 6) for v in row] for row in fix.covariance_enu_m2],
        "calibrated": fix.calibrated,
    }


def _hypothesis_record(hypothesis: Hypothesis) -> dict[str, Any]:
    return {
        "lat": number(hypothesis.position.lat_deg, DEGREE_DIGITS),
        "lon": number(hypothesis.position.lon_deg, DEGREE_DIGITS),
        "probability": number(hypothesis.probability, 6),
        "similarity": number(hypothesis.similarity, 4),
        "inliers": hypothesis.inliers,
        "sigma_m": number(hypothesis.sigma_m, 2),
        "references": [candidate.reference for candidate in hypothesis.candidates],
    }
