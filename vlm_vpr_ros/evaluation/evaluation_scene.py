"""An evaluation as layers of a map: where the queries were, and where they were said to be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlm_vpr_ros.evaluation.metrics import is_false
from vlm_vpr_ros.evaluation.outcome_scene import covariance_of_95
from vlm_vpr_ros.evaluation.region_scene import region_layers
from vlm_vpr_ros.evaluation.run import Evaluation, Trial
from vlm_vpr_ros.evaluation.scene import Ellipses, Floats, Layer, Lines, Points, Scene
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.types import Fix

_REFERENCE_COLOR = "#b8bcc2"
_RIGHT_COLOR, _FALSE_COLOR, _REFUSED_COLOR = "#009e73", "#d62728", "#868c97"


def evaluation_scene(evaluation: Evaluation, region: Region, false_fix_m: float) -> Scene:
    """The causal outcomes on the references: right and false fixes with their 95 % ellipses."""
    fixed = [(t, t.causal.fix, t.score(t.causal).error_m) for t in evaluation.trials]
    accepted = [(t, fix, e) for t, fix, e in fixed if fix is not None and e is not None]
    right = [a for a in accepted if not is_false(a[2], false_fix_m)]
    false = [a for a in accepted if is_false(a[2], false_fix_m)]
    refused = [t for t, fix, _ in fixed if fix is None]
    layers = [
        *region_layers(region, (_REFERENCE_COLOR,)),
        _refusals(refused),
        _fixes(f"right fixes ({len(right)})", _RIGHT_COLOR, right),
        _fixes(f"false fixes ({len(false)})", _FALSE_COLOR, false),
    ]
    subtitle = (
        f"{len(evaluation.trials):,} queries: {len(accepted):,} accepted, {len(false):,} of them "
        f"farther than {false_fix_m:g} m from the truth; line: truth to fix, ellipse: 95 %"
    )
    shown = tuple(layer for layer in layers if layer.shapes)
    return Scene(f"Evaluation on {region.folder.resolve().name}", subtitle, shown)


def _refusals(trials: Sequence[Trial]) -> Layer:
    lat, lon = _truths(trials)
    labels = tuple(f"{t.source}\n{t.causal.reason.value}: {t.causal.detail}" for t in trials)
    shapes = (Points(lat, lon, labels, mark="cross"),) if trials else ()
    return Layer(f"refused, at their truth ({len(trials)})", _REFUSED_COLOR, shapes)


def _fixes(name: str, color: str, fixes: Sequence[tuple[Trial, Fix, float]]) -> Layer:
    if not fixes:
        return Layer(name, color, ())
    lat, lon = _truths([trial for trial, _, _ in fixes])
    fix_lat = np.array([fix.position.lat_deg for _, fix, _ in fixes])
    fix_lon = np.array([fix.position.lon_deg for _, fix, _ in fixes])
    covariances = np.array([covariance_of_95(fix) for _, fix, _ in fixes])
    labels = tuple(
        f"{trial.source}\nerror {error:.1f} m, probability {trial.causal.probability:.3f}"
        for trial, _, error in fixes
    )
    return Layer(
        name,
        color,
        (
            Ellipses(fix_lat, fix_lon, covariances),
            Lines(
                tuple(np.array(ends) for ends in zip(lat, fix_lat, strict=True)),
                tuple(np.array(ends) for ends in zip(lon, fix_lon, strict=True)),
            ),
            Points(lat, lon, tuple(f"truth of {t.source}" for t, _, _ in fixes), mark="ring"),
            Points(fix_lat, fix_lon, labels),
        ),
    )


def _truths(trials: Sequence[Trial]) -> tuple[Floats, Floats]:
    return (
        np.array([trial.truth.lat_deg for trial in trials]),
        np.array([trial.truth.lon_deg for trial in trials]),
    )
