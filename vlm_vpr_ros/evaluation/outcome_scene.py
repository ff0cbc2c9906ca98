"""One outcome as layers of a map: the prior, the places considered, the fix.

The same scene feeds the pages and pictures of maps and the node's `~/markers`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.evaluation.scene import Ellipses, Layer, Points, Scene
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.types import GAUSSIAN_RADII, Fix, Hypothesis, Outcome

PRIOR, HYPOTHESES, FIX = "prior", "hypotheses", "fix"
"""Names of the layers, the topmost last; a layer of nothing is absent."""

_PRIOR_COLOR, _HYPOTHESIS_COLOR, _FIX_COLOR = "#cc79a7", "#e69f00", "#009e73"


def outcome_scene(outcome: Outcome) -> Scene:
    """What an outcome says about the world; nothing is left out, however improbable.

    The ellipses hold 95 % of what they stand for. Labels begin with the number that matters: the
    weight of a component of the prior, the probability of a hypothesis.
    """
    prior = outcome.prior.prior
    layers = [
        *([_prior_layer(prior)] if prior is not None and prior.components else []),
        *([_hypotheses_layer(outcome.hypotheses)] if outcome.hypotheses else []),
        *([_fix_layer(outcome.fix, outcome.probability)] if outcome.fix else []),
    ]
    return Scene(outcome.reason.value, outcome.detail, tuple(layers))


def covariance_of_95(fix: Fix) -> npt.NDArray[np.float64]:
    """(2, 2) covariance of the Gaussian whose 95 % ellipse is the fix's own."""
    stretch = fix.ellipse_radii[95] / GAUSSIAN_RADII[95]
    return np.asarray(fix.covariance_enu_m2[:2, :2] * stretch**2)


def _prior_layer(prior: GeoPrior) -> Layer:
    parts = prior.components
    lat, lon = np.array([p.lat_deg for p in parts]), np.array([p.lon_deg for p in parts])
    labels = tuple(f"{p.weight:.1%} {p.label}".rstrip() for p in parts)
    circles = np.array([p.sigma_m**2 * np.eye(2) for p in parts])
    return Layer(
        PRIOR, _PRIOR_COLOR, (Ellipses(lat, lon, circles), Points(lat, lon, labels, mark="ring"))
    )


def _hypotheses_layer(hypotheses: tuple[Hypothesis, ...]) -> Layer:
    lat = np.array([h.position.lat_deg for h in hypotheses])
    lon = np.array([h.position.lon_deg for h in hypotheses])
    ellipses = np.array([h.covariance_enu_m2 for h in hypotheses])
    labels = tuple(_label(h) for h in hypotheses)
    return Layer(
        HYPOTHESES, _HYPOTHESIS_COLOR, (Ellipses(lat, lon, ellipses), Points(lat, lon, labels))
    )


def _label(hypothesis: Hypothesis) -> str:
    checked = "" if hypothesis.inliers is None else f", {hypothesis.inliers} inliers"
    return f"{hypothesis.probability:.1%} similarity {hypothesis.similarity:.3f}{checked}"


def _fix_layer(fix: Fix, probability: float) -> Layer:
    lat, lon = np.array([fix.position.lat_deg]), np.array([fix.position.lon_deg])
    label = f"{probability:.1%} {fix.position.lat_deg:.6f}, {fix.position.lon_deg:.6f}"
    return Layer(
        FIX,
        _FIX_COLOR,
        (Ellipses(lat, lon, covariance_of_95(fix)[None]), Points(lat, lon, (label,))),
    )
