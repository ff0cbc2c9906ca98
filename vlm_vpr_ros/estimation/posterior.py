"""From the evidence for each place to the probability of each, and of none of them.

    z_h = weight * (s_h - chance) + bias        p_h = exp z_h / (1 + sum_j exp z_j)

`s_h` is the similarity of the place's best candidate and `chance` what a wrong place reaches by
chance in this region: the same similarity means less where all streets look alike. The term 1 is
"none of them".
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.region.manifest import Background

SIMILARITY_WEIGHT = 50.8
SIMILARITY_BIAS = 0.39
"""Conditional logit, fitted on Gardens Point: day_left as queries of a day_right region, each query
once more with its true place masked. `python -m benchmarks.similarity_gate` repeats the fit."""

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


def posterior(
    similarities: Sequence[float], chance: float
) -> tuple[npt.NDArray[np.float64], float]:
    """Probability of each place (n,), and that it is none of them; all sum to one."""
    z = SIMILARITY_WEIGHT * (np.asarray(similarities, np.float64) - chance) + SIMILARITY_BIAS
    top = max(0.0, float(z.max(initial=0.0)))
    odds = np.exp(z - top)
    none = float(np.exp(-top))
    total = odds.sum() + none
    return odds / total, none / total
