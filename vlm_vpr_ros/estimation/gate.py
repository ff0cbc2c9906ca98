"""The decision to give an answer.

Two keys. With the geographic prior, the best hypothesis must stand against all others and against
"none of them". Without it, the images alone must say that the robot is at one of the hypotheses. So
a prior may tell look-alikes apart, as far as its cap lets it, but makes no unknown place known.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.estimation.trust import Trust
from vlm_vpr_ros.types import Hypothesis, Reason


def support(log_odds: npt.ArrayLike, prior_log_odds: npt.ArrayLike) -> float:
    """The score of the gate, in nats: the lesser of its two keys.

    The log-odds of the best hypothesis against all others and none of them, with the prior; and
    those of all hypotheses together against none of them, without it.

    Args:
        log_odds: (h,) of each against "none of them", the best first, at least one.
        prior_log_odds: (h,) the prior's part of each.
    """
    z = np.asarray(log_odds, np.float64)
    return min(_against_the_rest(z), _of_any_place(z - np.asarray(prior_log_odds)))


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
        numbers += f" (without the prior, of any known place {_share(_of_any_place(z - prior))})"
    numbers += f", needed {_share(trust.needed)}"
    if support(z, prior) >= trust.needed:
        return Reason.ACCEPTED, numbers
    if _of_any_place(z - prior) >= trust.needed:
        return Reason.AMBIGUOUS, f"{numbers}: {len(hypotheses)} places look alike"
    best = hypotheses[0]
    return (
        Reason.WEAK_EVIDENCE,
        f"{numbers}: similarity {best.similarity:.3f}, wrong places reach {chance:.3f} by chance"
        + ("" if best.inliers is None else f"; {best.inliers} inliers"),
    )


def _against_the_rest(log_odds: npt.NDArray[np.float64]) -> float:
    """Log-odds of the first one; those given are against "none of them"."""
    return float(log_odds[0] - np.logaddexp.reduce([0.0, *log_odds[1:]]))


def _of_any_place(log_odds: npt.NDArray[np.float64]) -> float:
    """Log-odds that the robot is at one of the places; those given are against "none of them"."""
    return float(np.logaddexp.reduce(log_odds))


def _share(log_odds: float) -> str:
    return f"{(1 + np.tanh(log_odds / 2)) / 2:.3f}"
