"""What one frame says about one candidate, as log-odds.

    similarity alone:            z = weight * (s - chance) + bias
    similarity and geometry:     z = weight * (s - chance) + inlier_weight * ln(1 + g) + bias

`s` is the similarity, `chance` what a wrong place reaches by chance in this region (the same
similarity means less where all streets look alike), `g` the number of geometric inliers. Both are
averaged with those of the references just before and after on the same drive: the right place is
recognised from a few metres away, too, a chance match is not. Both weights are positive: more
inliers never count against a place. To be checked and found without any costs more than not to be
checked at all, as `bias` differs.

The weights are a conditional logit with the class "none of them", fitted on the two day drives of
Gardens Point, once where the queries' places are in the region and once where they are not.
`python -m benchmarks.evidence` repeats the fit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from vlm_vpr_ros.region.manifest import Background
from vlm_vpr_ros.types import Candidate


@dataclass(frozen=True)
class EvidenceWeights:
    """Coefficients of the log-odds."""

    similarity: float
    inliers: float
    bias: float


SIMILARITY_ALONE = EvidenceWeights(similarity=54.0, inliers=0.0, bias=1.12)
WITH_GEOMETRY = EvidenceWeights(similarity=57.5, inliers=5.16, bias=-14.4)

NEIGHBOUR_SHARE = 0.3
"""Weight of each neighbour beside the candidate's own 1, in its averages. Not fitted."""

ABOVE_THE_MEDIAN = 0.10
"""By how much the similarity that 5 % of the views reach with a wrong place exceeds the median, on
real walks (0.08 to 0.12). Not measured at the 95th percentile itself: in a region of twins that is
how alike twins are. Which twin it is, the hypotheses are there to tell."""
MEDIAN = 49
"""Its row among the 99 percentiles."""
LARGE_ENOUGH = 100
"""References above which a region shows by itself what similarity chance reaches."""


def chance_similarity(background: Background | None, generic: float) -> float:
    """The similarity that 5 % of the views of this region reach with a wrong place that is no twin.

    Args:
        background: measured on the region; None when it is too small to contain two places.
        generic: the same, measured by the encoder's author on photos of everywhere. A small region
            is given the larger of the two: few references are seldom alike by chance.
    """
    if background is None:
        return generic
    measured = background.quantiles[MEDIAN] + ABOVE_THE_MEDIAN
    return measured if background.sample >= LARGE_ENOUGH else max(generic, measured)


def weighed(
    candidates: Sequence[Candidate],
    neighbours: Sequence[Sequence[int]],
    chance: float,
    inliers: Sequence[int | None] | None = None,
    beside: Mapping[int, int] | None = None,
) -> tuple[Candidate, ...]:
    """The candidates with their log-odds, best first.

    Args:
        candidates: any order.
        neighbours: of each candidate, the references taken just before and after it.
        chance: similarity that a wrong place reaches by chance.
        inliers: of each candidate, when geometry was checked; None for those passed over.
        beside: inliers of neighbours that are no candidates, where they were counted.
    """
    weights = SIMILARITY_ALONE if inliers is None else WITH_GEOMETRY
    if inliers is not None:
        candidates = [replace(c, inliers=g) for c, g in zip(candidates, inliers, strict=True)]
    scored = [
        replace(
            candidate,
            log_odds=weights.similarity * (s - chance) + weights.inliers * g + weights.bias,
        )
        for candidate, (s, g) in zip(
            candidates, averages(candidates, neighbours, beside or {}), strict=True
        )
    ]
    return tuple(sorted(scored, key=lambda c: (-c.log_odds, c.reference)))


def averages(
    candidates: Sequence[Candidate],
    neighbours: Sequence[Sequence[int]],
    beside: Mapping[int, int] = MappingProxyType({}),
) -> list[tuple[float, float]]:
    """Similarity and ln(1 + inliers) of each candidate, averaged with those of its neighbours.

    What is not among the candidates resembles the frame no more than the last of them does, and has
    the inliers that were counted `beside` the most promising ones, elsewhere none. A candidate that
    was passed over counts as one without inliers for itself, and not at all for its neighbours.
    """
    lowest = min((c.similarity for c in candidates), default=0.0)
    similarity = {c.reference: c.similarity for c in candidates}
    geometry = {
        c.reference: None if c.inliers is None else math.log1p(c.inliers) for c in candidates
    } | {row: math.log1p(count) for row, count in beside.items()}
    return [
        (
            _average(c.similarity, [similarity.get(row, lowest) for row in rows]),
            _average(geometry[c.reference] or 0.0, [geometry.get(row, 0.0) for row in rows]),
        )
        for c, rows in zip(candidates, neighbours, strict=True)
    ]


def _average(own: float, beside: Sequence[float | None]) -> float:
    known = [value for value in beside if value is not None]
    return (own + NEIGHBOUR_SHARE * sum(known)) / (1 + NEIGHBOUR_SHARE * len(known))
