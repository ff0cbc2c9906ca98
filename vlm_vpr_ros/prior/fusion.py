"""Several priors become one.

Sources that err alike, such as the answers of one model about frames nearby, are averaged.
Independent sources multiply. The product of two von Mises–Fisher densities is again one, around
κ1 μ1 + κ2 μ2, so the product of two mixtures is a mixture, exactly. Where sources contradict each
other, their floors decide how much of each is left.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from vlm_vpr_ros.geodesy import lat_lon, unit_vectors
from vlm_vpr_ros.prior.geo_prior import (
    EARTH_RADIUS_M,
    MAX_SIGMA_M,
    MIN_SIGMA_M,
    Component,
    GeoPrior,
    log_peak,
)

MAX_PARTS = 200
"""Of a product or an average, the heaviest ones: the others weigh next to nothing."""


def averaged(priors: Sequence[GeoPrior]) -> GeoPrior:
    """The mean of one or more priors of one source (the linear opinion pool; Stone, 1961).

    It is never surer than they are, and one that contradicts the others is outvoted. Gaussians of
    one name and centre become one, of their mean variance.
    """
    groups: defaultdict[tuple[float, float, str], list[Component]] = defaultdict(list)
    for part in (part for prior in priors for part in prior.components):
        if part.weight > 0:
            groups[part.lat_deg, part.lon_deg, part.label].append(part)
    parts = sorted(map(_merged, groups.values()), key=lambda c: -c.weight)[:MAX_PARTS]
    floor = math.fsum(prior.floor for prior in priors) / len(priors)
    return GeoPrior.mixture(parts, floor, priors[0].source)


def _merged(parts: Sequence[Component]) -> Component:
    weight = math.fsum(part.weight for part in parts)
    variance_m2 = math.fsum(part.weight * part.sigma_m**2 for part in parts) / weight
    return replace(parts[0], sigma_m=math.sqrt(variance_m2), weight=weight)


def fused(priors: Sequence[GeoPrior]) -> GeoPrior:
    """The normalised product of one or more priors of different sources."""
    return reduce(_product, priors)


def _product(a: GeoPrior, b: GeoPrior) -> GeoPrior:
    """All weights are relative to the uniform density, which multiplies like the number one."""
    parts = [replace(c, weight=c.weight * b.floor) for c in a.components]
    parts += [replace(c, weight=c.weight * a.floor) for c in b.components]
    parts += [_overlap(c, d) for c in a.components for d in b.components]
    heaviest = sorted(parts, key=lambda c: -c.weight)[:MAX_PARTS]
    floor = a.floor * b.floor
    total = floor + math.fsum(c.weight for c in heaviest)
    return GeoPrior.mixture(heaviest, floor / total if total else 1.0, f"{a.source}+{b.source}")


def _overlap(a: Component, b: Component) -> Component:
    """The product of two Gaussians; its weight is that of both and of how well they agree."""
    kappa_a, kappa_b = ((EARTH_RADIUS_M / c.sigma_m) ** 2 for c in (a, b))
    centre_a, centre_b = (unit_vectors(c.lat_deg, c.lon_deg) for c in (a, b))
    resultant = kappa_a * centre_a + kappa_b * centre_b
    kappa = float(np.linalg.norm(resultant))
    # kappa_a + kappa_b - kappa, without the difference of large numbers.
    loss = kappa_a * kappa_b * float(((centre_a - centre_b) ** 2).sum())
    loss /= kappa_a + kappa_b + kappa
    sigma_m = (
        min(max(EARTH_RADIUS_M / math.sqrt(kappa), MIN_SIGMA_M), MAX_SIGMA_M)
        if kappa
        else MAX_SIGMA_M
    )
    kappa = (EARTH_RADIUS_M / sigma_m) ** 2
    agreement = log_peak(kappa_a) + log_peak(kappa_b) - log_peak(kappa) - loss
    lat_deg, lon_deg = lat_lon(resultant)
    return Component(
        lat_deg=lat_deg,
        lon_deg=lon_deg,
        sigma_m=sigma_m,
        weight=a.weight * b.weight * 4 * math.pi * math.exp(agreement),
        label=a.label if a.sigma_m <= b.sigma_m else b.label,
    )
