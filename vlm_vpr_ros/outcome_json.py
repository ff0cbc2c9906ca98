"""An Outcome as JSON: the one place that names the keys users and programs read.

Unknown numbers are null; NaN and infinity, which are not JSON, never appear.
"""

from __future__ import annotations

import math
from typing import Any

from vlm_vpr_ros.types import Fix, Hypothesis, Outcome, PriorReport

DEGREE_DIGITS = 8
"""About a millimetre."""
PRIOR_PLACES = 3
"""So many places of a prior are named."""


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """The outcome as a dict that `json.dumps(..., allow_nan=False)` takes.

    The fix (see `fix_record`) is null, key by key, unless accepted; the places considered are in
    `hypotheses`, most probable first.
    """
    return {
        "accepted": outcome.accepted,
        "reason": outcome.reason.value,
        "detail": outcome.detail,
        **fix_record(outcome.fix),
        "probability": number(outcome.probability, 6),
        "probability_none": number(outcome.probability_none, 6),
        "hypotheses": [hypothesis_record(hypothesis) for hypothesis in outcome.hypotheses],
        "prior": prior_record(outcome.prior),
        "frames": outcome.frames,
        "stamp_ns": outcome.stamp_ns,
        "latency_ms": {stage: number(ms, 3) for stage, ms in outcome.latency_ms.items()},
    }


def number(value: float | None, digits: int) -> float | None:
    """The value rounded to so many decimals; None when it is unknown or not finite."""
    if value is None or not math.isfinite(value):
        return None
    return round(float(value), digits)


def fix_record(fix: Fix | None) -> dict[str, Any]:
    """The fix; without one the same keys, all null.

    `lat` and `lon` in degrees, `alt_m` above the WGS 84 ellipsoid or null, `sigma_m` the horizontal
    standard deviation of one axis, `covariance_enu_m2` three rows of three, and `calibrated`.
    """
    if fix is None:
        return dict.fromkeys(("lat", "lon", "alt_m", "sigma_m", "covariance_enu_m2", "calibrated"))
    variance_m2 = (float(fix.covariance_enu_m2[0, 0]) + float(fix.covariance_enu_m2[1, 1])) / 2
    return {
        "lat": number(fix.position.lat_deg, DEGREE_DIGITS),
        "lon": number(fix.position.lon_deg, DEGREE_DIGITS),
        "alt_m": number(fix.position.alt_m, 3),
        "sigma_m": number(math.sqrt(variance_m2) if variance_m2 >= 0 else None, 2),
        "covariance_enu_m2": [[number(v, 6) for v in row] for row in fix.covariance_enu_m2],
        "calibrated": fix.calibrated,
    }


def prior_record(report: PriorReport) -> dict[str, Any]:
    """What became of the prior, and its heaviest places.

    `status` is a word of `PriorStatus`, `source` null without a prior. A place has `label`, `lat`,
    `lon`, `sigma_m` (one axis) and `weight`.
    """
    prior = report.prior
    heaviest = sorted(prior.components, key=lambda c: -c.weight)[:PRIOR_PLACES] if prior else []
    return {
        "status": report.status.value,
        "source": prior.source if prior else None,
        "detail": report.detail,
        "places": [
            {
                "label": part.label,
                "lat": number(part.lat_deg, DEGREE_DIGITS),
                "lon": number(part.lon_deg, DEGREE_DIGITS),
                "sigma_m": number(part.sigma_m, 1),
                "weight": number(part.weight, 4),
            }
            for part in heaviest
        ],
    }


def hypothesis_record(hypothesis: Hypothesis) -> dict[str, Any]:
    """A place considered; `inliers` is null when its geometry was not checked."""
    return {
        "lat": number(hypothesis.position.lat_deg, DEGREE_DIGITS),
        "lon": number(hypothesis.position.lon_deg, DEGREE_DIGITS),
        "probability": number(hypothesis.probability, 6),
        "similarity": number(hypothesis.similarity, 4),
        "inliers": hypothesis.inliers,
        "sigma_m": number(hypothesis.sigma_m, 2),
        "references": [candidate.reference for candidate in hypothesis.candidates],
    }
