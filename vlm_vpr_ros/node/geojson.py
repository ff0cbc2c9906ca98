"""An outcome as GeoJSON: what `~/hypotheses` carries."""

from __future__ import annotations

from typing import Any

from vlm_vpr_ros.node.conversions import json_text
from vlm_vpr_ros.outcome_json import fix_record, hypothesis_record, number, outcome_record
from vlm_vpr_ros.prior.geojson import features
from vlm_vpr_ros.types import Hypothesis, Outcome

_COLLECTION = (
    "stamp_ns",
    "accepted",
    "reason",
    "detail",
    "probability_none",
    "frames",
    "prior",
    "latency_ms",
)
_PROPERTIES = ("probability", "similarity", "inliers", "sigma_m")


def hypotheses(outcome: Outcome) -> str:
    """Every place considered, and the prior, as a GeoJSON FeatureCollection (RFC 7946).

    Each feature is a Point (longitude, latitude and, when known, ellipsoidal height in metres).
    Those of the kind "hypothesis" come first, with the properties rank (1 is the most probable),
    probability, similarity (cosine), inliers (matched local features that agree in geometry; null
    when not checked) and sigma_m (one axis). Those of the kind "prior" are its Gaussians, with the
    properties of `prior.geojson.features`. Foreign members of the collection: stamp_ns, accepted,
    reason, detail, probability_none (that none of the places is right), frames (whose evidence it
    is), prior (see `outcome_json.prior_record`), latency_ms of each stage and fix (null, or its
    members of the answer of ~/relocalize and calibrated).
    """
    record, prior = outcome_record(outcome), outcome.prior.prior
    return json_text(
        {
            "type": "FeatureCollection",
            "features": [
                *(_hypothesis(rank, h) for rank, h in enumerate(outcome.hypotheses, 1)),
                *(_of_prior(feature) for feature in (features(prior) if prior else [])),
            ],
            **{key: record[key] for key in _COLLECTION},
            "fix": None if outcome.fix is None else fix_record(outcome.fix),
        }
    )


def _hypothesis(rank: int, hypothesis: Hypothesis) -> dict[str, Any]:
    record, alt_m = hypothesis_record(hypothesis), number(hypothesis.position.alt_m, 3)
    height = [] if alt_m is None else [alt_m]
    return {
        "type": "Feature",
        "geometry": {
            "type": "Point",
            "coordinates": [record["lon"], record["lat"], *height],
        },
        "properties": {
            "kind": "hypothesis",
            "rank": rank,
            **{key: record[key] for key in _PROPERTIES},
        },
    }


def _of_prior(feature: dict[str, Any]) -> dict[str, Any]:
    return feature | {"properties": {"kind": "prior", **feature["properties"]}}
