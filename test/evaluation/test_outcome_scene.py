from __future__ import annotations

import numpy as np
import pytest
from stand_ins import accepted, refused

from vlm_vpr_ros.evaluation.drawing import draw
from vlm_vpr_ros.evaluation.outcome_scene import outcome_scene
from vlm_vpr_ros.evaluation.scene import Ellipses, Points
from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior
from vlm_vpr_ros.types import (
    Fix,
    GeoPoint,
    Hypothesis,
    Outcome,
    PriorReport,
    PriorStatus,
    Reason,
)

HERE = GeoPoint(45.4, 11.9)
PRIOR = GeoPrior((Component(45.0, 12.0, 20_000.0, 0.7, "Padova"),), 0.3, "vlm")


def test_an_outcome_of_nothing_is_an_empty_scene() -> None:
    scene = outcome_scene(refused())
    assert scene.layers == () and scene.title == "weak_evidence"


def test_layers_are_the_prior_the_places_and_the_fix() -> None:
    places = tuple(Hypothesis(HERE, 0.6, 40, p, 25.0 * np.eye(2), ()) for p in (0.9, 0.05))
    outcome = Outcome(
        0,
        Reason.ACCEPTED,
        "",
        Fix(HERE, np.diag([4.0, 9.0, 100.0])),
        hypotheses=places,
        probability=0.9,
        prior=PriorReport(PriorStatus.USED, PRIOR),
    )
    scene = outcome_scene(outcome)
    assert [layer.name for layer in scene.layers] == ["prior", "hypotheses", "fix"]
    labels = [s.labels for layer in scene.layers for s in layer.shapes if isinstance(s, Points)]
    assert labels[0] == ("70.0% Padova",)
    assert labels[1] == ("90.0% similarity 0.600, 40 inliers", "5.0% similarity 0.600, 40 inliers")
    assert labels[2] == ("90.0% 45.400000, 11.900000",)


def test_the_ellipse_is_the_one_that_holds_95_percent_of_the_errors() -> None:
    wide = Fix(HERE, np.diag([4.0, 9.0, 100.0]), True, {50: 1.0, 90: 3.0, 95: 2 * 2.4477})
    scene = outcome_scene(Outcome(0, Reason.ACCEPTED, "", wide))
    (ellipses,) = [s for s in scene.layers[0].shapes if isinstance(s, Ellipses)]
    assert np.diag(ellipses.covariance_en_m2[0]) == pytest.approx([16.0, 36.0])
    (outline,) = draw(scene).layers[0].outlines
    assert np.ptp(outline[:, 0]) == pytest.approx(2 * 2 * 2 * 2.4477, rel=0.01)


def test_a_plain_fix_has_the_gaussians_ellipse() -> None:
    (layer,) = outcome_scene(accepted(HERE)).layers
    (ellipses,) = [s for s in layer.shapes if isinstance(s, Ellipses)]
    assert np.diag(ellipses.covariance_en_m2[0]) == pytest.approx([4.0, 9.0])
