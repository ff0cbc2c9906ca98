"""The decision to give an answer.

Two keys: the best hypothesis must be probable enough with the geographic prior and without it. A
prior that is wrong can then refuse a fix, but never lend a false one the certainty it lacks.
"""

from __future__ import annotations

from collections.abc import Sequence

from vlm_vpr_ros.config import GateConfig
from vlm_vpr_ros.estimation.posterior import posterior
from vlm_vpr_ros.types import Hypothesis, Reason


def decide(
    hypotheses: Sequence[Hypothesis], chance: float, config: GateConfig
) -> tuple[Reason, str]:
    """Accept the best hypothesis if its probability of being false is within the target.

    Args:
        hypotheses: most probable first.
        chance: similarity that a wrong place reaches by chance.
        config: the target.

    Returns:
        The reason and a sentence that explains it with numbers.
    """
    needed = 1 - config.target_false_fix_rate
    if not hypotheses:
        return Reason.WEAK_EVIDENCE, "the search found no reference at all"
    best, unaided = hypotheses[0], _without_prior(hypotheses)
    numbers = f"probability {best.probability:.3f}"
    if unaided is not None:
        numbers += f" ({unaided:.3f} without the prior)"
    numbers += f", needed {needed:.3f}"
    if min(best.probability, 1.0 if unaided is None else unaided) >= needed:
        return Reason.ACCEPTED, numbers
    together = sum(h.probability for h in hypotheses)
    if together >= needed:
        return (
            Reason.AMBIGUOUS,
            f"{numbers}: {len(hypotheses)} places look alike, together {together:.3f}",
        )
    return (
        Reason.WEAK_EVIDENCE,
        f"{numbers}: similarity {best.similarity:.3f}, wrong places reach {chance:.3f} by chance"
        + ("" if best.inliers is None else f"; {best.inliers} inliers"),
    )


def _without_prior(hypotheses: Sequence[Hypothesis]) -> float | None:
    """Probability of the first hypothesis had there been no prior; None if there was none."""
    if not any(c.prior_log_odds for hypothesis in hypotheses for c in hypothesis.candidates):
        return None
    bests = [hypothesis.candidates[0] for hypothesis in hypotheses]
    return float(posterior([best.log_odds - best.prior_log_odds for best in bests])[0][0])
