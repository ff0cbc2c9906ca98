"""The decision to give an answer.

Two keys: the best hypothesis must have enough support with the geographic prior and without it. A
prior that is wrong can then refuse a fix, but never lend a false one the certainty it lacks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlm_vpr_ros.types import Hypothesis, Reason


def support(hypotheses: Sequence[Hypothesis]) -> float:
    """Log-odds of the best hypothesis against all others and none of them: the score of the gate.

    The lesser of those with the prior and without. Calibration does not change it, but decides how
    much of it is enough.

    Args:
        hypotheses: most probable first, at least one.
    """
    bests = [hypothesis.candidates[0] for hypothesis in hypotheses]
    with_prior = _against_the_rest([best.log_odds for best in bests])
    return min(with_prior, _against_the_rest([b.log_odds - b.prior_log_odds for b in bests]))


def decide(hypotheses: Sequence[Hypothesis], chance: float, needed: float) -> tuple[Reason, str]:
    """Accept the best hypothesis if it has the support needed.

    Args:
        hypotheses: most probable first.
        chance: similarity that a wrong place reaches by chance.
        needed: log-odds, see `support`.

    Returns:
        The reason and a sentence that explains it with numbers.
    """
    if not hypotheses:
        return Reason.WEAK_EVIDENCE, "the search found no reference at all"
    best, found = hypotheses[0], support(hypotheses)
    bests = [hypothesis.candidates[0] for hypothesis in hypotheses]
    numbers = f"probability {_share(_against_the_rest([c.log_odds for c in bests]))}"
    if any(c.prior_log_odds for h in hypotheses for c in h.candidates):
        unaided = _against_the_rest([c.log_odds - c.prior_log_odds for c in bests])
        numbers += f" ({_share(unaided)} without the prior)"
    numbers += f", needed {_share(needed)}"
    if found >= needed:
        return Reason.ACCEPTED, numbers
    together = float(np.logaddexp.reduce([c.log_odds for c in bests]))
    if together >= needed:
        return (
            Reason.AMBIGUOUS,
            f"{numbers}: {len(hypotheses)} places look alike, together {_share(together)}",
        )
    return (
        Reason.WEAK_EVIDENCE,
        f"{numbers}: similarity {best.similarity:.3f}, wrong places reach {chance:.3f} by chance"
        + ("" if best.inliers is None else f"; {best.inliers} inliers"),
    )


def _against_the_rest(log_odds: Sequence[float]) -> float:
    """Log-odds of the first one; those given are against "none of them"."""
    return float(log_odds[0] - np.logaddexp.reduce([0.0, *log_odds[1:]]))


def _share(log_odds: float) -> str:
    return f"{(1 + np.tanh(log_odds / 2)) / 2:.3f}"
