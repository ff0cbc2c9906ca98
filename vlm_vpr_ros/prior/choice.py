"""From the probabilities of places that a region knows to a prior."""

from __future__ import annotations

import math
from collections.abc import Sequence

from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior
from vlm_vpr_ros.region.places import Place

_FLOOR = 0.12
"""Share for what a model gets wrong without a doubt; as of open answers."""
_MIN_SIGMA_M = 1000.0


def prior_of_choice(probabilities: Sequence[float], places: Sequence[Place]) -> GeoPrior:
    """The prior of a model that chose among places.

    Each place becomes a Gaussian as wide as its radius, in which the density hardly changes: where
    in a town the image was taken the model was not asked.

    Args:
        probabilities: of the places; what they lack to one is spread over the Earth.
        places: in the same order.

    Raises:
        ValueError: the two are not of one length, or the probabilities are none.
    """
    if not all(0 <= p <= 1 + 1e-6 for p in probabilities):  # NaN compares false, too
        raise ValueError("a probability is outside [0, 1]")
    total = math.fsum(probabilities)
    if total > 1 + 1e-6:
        raise ValueError(f"the probabilities sum to {total:g}")
    known = (1 - _FLOOR) / max(total, 1.0)
    components = tuple(
        Component(
            lat_deg=place.lat_deg,
            lon_deg=place.lon_deg,
            sigma_m=max(place.radius_m, _MIN_SIGMA_M),
            weight=known * probability,
            label=place.label,
        )
        for probability, place in zip(probabilities, places, strict=True)
        if probability > 0
    )
    return GeoPrior(components, 1 - math.fsum(c.weight for c in components), "vlm")
