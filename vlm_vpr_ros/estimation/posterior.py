"""From the evidence for each place to the probability of each, and of none of them.

    p_h = exp z_h / (1 + sum_j exp z_j)

z_h are the log-odds of the best candidate of place h against "none of them", which is the term 1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def posterior(log_odds: Sequence[float]) -> tuple[npt.NDArray[np.float64], float]:
    """Probability of each place (n,), and that it is none of them; all sum to one."""
    z = np.asarray(log_odds, np.float64)
    top = max(0.0, float(z.max(initial=0.0)))
    odds = np.exp(z - top)
    none = float(np.exp(-top))
    total = odds.sum() + none
    return odds / total, none / total
