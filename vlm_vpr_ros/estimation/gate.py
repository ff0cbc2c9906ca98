"""The decision to give an answer.

Two keys: the best hypothesis must have enough support with the geographic prior and without it. A
prior that is wrong can then refuse a fix, but never lend a false one the certainty it lacks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.estimation.trust import Trust
from vlm_vpr_ros.types import Hypothesis, Reason


def support(log_odds: npt.ArrayLike, prior_log_odds: npt.ArrayLike) -> float:
    """Log-odds of the best hypothesis against all others and none of them: the score of the gate.

    The lesser of those with the prior and without.

    Args:
        log_odds: (h,) of each against "none of them", the best first, at least one.
        prior_log_odds: (h,) the prior's part of each.
    """
    z = np.asarray(log_odds, np.float64)
    return min(_against_the_rest(z), _against_the_rest(z - np.asarray(prior_log_odds)))


def decide(hypotheses: Sequence[Hypothesis], chance: float, trust: Trust) -> tuple[Reason, str]:
    """Accept the best hypothesis if it has the support needed.

    Args:
        hypotheses: most probable first.
        chance: similarity that a wrong place reaches by chance.
        trust: the support needed, and what log-odds are worth.

    Returns:
        The reason and a sentence that explains it with numbers.
    """
    if not hypotheses:
        return Reason.WEAK_EVIDENCE, "the search found no reference at all"
    bests = [hypothesis.candidates[0] for hypothesis in hypotheses]
    z = np.array([trust.log_odds(best.log_odds) for best in bests])
    prior = trust.slope * np.array([best.prior_log_odds for best in bests])
    numbers = f"probability {_share(_against_the_rest(z))}"
    if any(c.prior_log_odds for h in hypotheses for c in h.candidates):
        numbers += f" ({_share(_against_the_rest(z - prior))} without the prior)"
    numbers += f", needed {_share(trust.needed)}"
    if support(z, prior) >= trust.needed:
        return Reason.ACCEPTED, numbers
    together = float(np.logaddexp.reduce(z))
    if together >= trust.needed:
        return (
            Reason.AMBIGUOUS,
            f"{numbers}: {len(hypotheses)} places look alike, together {_share(together)}",
        )
    best = hypotheses[0]
    return (
        Reason.WEAK_EVIDENCE,
        f"{numbers}: similarity {best.similarity:.3f}, wrong places reach {chance:.3f} by chance"
        + ("" if best.inliers is None else f"; {best.inliers} inliers"),
    )


def _against_the_rest(log_odds: npt.NDArray[np.float64]) -> float:
    """Log-odds of the first one; those given are against "none of them"."""
    return float(log_odds[0] - np.logaddexp.reduce([0.0, *log_odds[1:]]))


def _share(log_odds: float) -> str:
    return f"{(1 + np.tanh(log_odds / 2)) / 2:.3f}"
