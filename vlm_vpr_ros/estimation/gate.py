"""The decision to give an answer."""

from __future__ import annotations

from collections.abc import Sequence

from vlm_vpr_ros.config import GateConfig
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
    best = hypotheses[0]
    numbers = f"probability {best.probability:.3f}, needed {needed:.3f}"
    if best.probability >= needed:
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
