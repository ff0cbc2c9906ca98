"""What a geographic prior adds to the log-odds of each place.

    P_h = L_h / sum L        pi_h = (1 - eps) P_h + eps / H        eps = H / (H + e^c - 1)

L_h is the density of the prior at place h of H, and ln(H pi_h) is added to the place's log-odds:
nothing where all places are equally likely. However sure the prior, no place gains more than c
(`prior.max_log_odds`) on another. A uniform floor alone is no such cap: a Gaussian of 10 km stands
14 nats above it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from vlm_vpr_ros.estimation.hypotheses import Place
from vlm_vpr_ros.prior.geo_prior import Floats, GeoPrior


def prior_log_odds(log_density: Floats, max_log_odds: float) -> Floats:
    """ln(H pi_h) of each of H places.

    Args:
        log_density: (H,) of the prior at each place, up to a constant.
        max_log_odds: c, the largest difference of two results.
    """
    if not len(log_density):
        return np.zeros(0)
    likelihood = np.exp(log_density - log_density.max())
    share = likelihood / likelihood.sum()
    count = len(share)
    even = count / (count + math.expm1(max_log_odds))
    return np.asarray(np.log(count * (1 - even) * share + even))


def reweighed(
    places: Sequence[Place], prior: GeoPrior, max_log_odds: float, slope: float = 1.0
) -> list[Place]:
    """The places with what the prior says of each added to all of its candidates, best first.

    By place, not by reference: references that lie together are not told apart by a prior that is
    kilometres wide, and many references of one place do not make it more likely.

    Args:
        places: any order.
        prior: where the frame was probably taken.
        max_log_odds: c, in nats that are worth what they say.
        slope: what a nat of the places' evidence is worth (`Trust.slope`): where the images claim
            too much, the prior must not shrink with them.
    """
    density = prior.log_density(
        [place.position.lat_deg for place in places],
        [place.position.lon_deg for place in places],
    )
    gained = prior_log_odds(density, max_log_odds) / slope
    result = [_gaining(place, float(nats)) for place, nats in zip(places, gained, strict=True)]
    return sorted(result, key=lambda place: (-place.best.log_odds, place.best.reference))


def _gaining(place: Place, nats: float) -> Place:
    """Candidates keep their order and their mean, since all gain the same."""
    candidates = [
        replace(c, log_odds=c.log_odds + nats, prior_log_odds=nats) for c in place.candidates
    ]
    return replace(place, candidates=tuple(candidates))
