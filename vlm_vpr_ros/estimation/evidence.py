"""What speaks for one candidate, as log-odds.

    similarity alone:            z = weight * (s - chance) + bias
    similarity and geometry:     z = weight * (s - chance) + inlier_weight * ln(1 + g) + bias

`s` is the similarity, `chance` what a wrong place reaches by chance in this region (the same
similarity means less where all streets look alike), `g` the number of geometric inliers. Both
weights are positive: weak geometry never overrules strong similarity by itself, it adds.

The weights are a conditional logit with the class "none of them", fitted on the two day drives of
Gardens Point, once where the queries' places are in the region and once where they are not.
`python -m benchmarks.evidence` repeats the fit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vlm_vpr_ros.region.manifest import Background
from vlm_vpr_ros.types import Candidate


@dataclass(frozen=True)
class EvidenceWeights:
    """Coefficients of the log-odds."""

    similarity: float
    inliers: float
    bias: float


SIMILARITY_ALONE = EvidenceWeights(similarity=53.5, inliers=0.0, bias=0.9)
WITH_GEOMETRY = EvidenceWeights(similarity=37.6, inliers=7.98, bias=-32.7)

CHANCE_PERCENTILE = 95
LARGE_ENOUGH = 100
"""References above which a region shows by itself what similarity chance reaches."""


def chance_similarity(background: Background | None, generic: float) -> float:
    """The similarity that 5 % of the views of this region reach with a wrong place.

    Args:
        background: measured on the region; None when it is too small to contain two places.
        generic: the same, measured by the encoder's author on photos of everywhere. A small region
            is given the larger of the two: few references are seldom alike by chance.
    """
    if background is None:
        return generic
    measured = background.quantiles[CHANCE_PERCENTILE - 1]
    return measured if background.sample >= LARGE_ENOUGH else max(generic, measured)


def weighed(
    candidates: Sequence[Candidate],
    chance: float,
    inliers: Sequence[int | None] | None = None,
) -> tuple[Candidate, ...]:
    """The candidates with their log-odds, best first.

    Args:
        candidates: any order.
        chance: similarity that a wrong place reaches by chance.
        inliers: of each candidate, when geometry was checked.
    """
    if inliers is None:
        scored = [_scored(c, chance, SIMILARITY_ALONE) for c in candidates]
    else:
        scored = [
            _scored(replace(c, inliers=g), chance, WITH_GEOMETRY)
            for c, g in zip(candidates, inliers, strict=True)
        ]
    return tuple(sorted(scored, key=lambda c: (-c.log_odds, c.reference)))


def _scored(candidate: Candidate, chance: float, weights: EvidenceWeights) -> Candidate:
    """A candidate that was not checked counts as one without inliers."""
    geometry = weights.inliers * math.log1p(candidate.inliers or 0)
    z = weights.similarity * (candidate.similarity - chance) + geometry + weights.bias
    return replace(candidate, log_odds=z)
