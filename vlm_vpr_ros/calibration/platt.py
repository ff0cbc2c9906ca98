"""Probabilities that are true: what log-odds were worth on held-out drives."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import optimize, special

from vlm_vpr_ros.calibration.looks import Floats, Look

AS_SHIPPED = (1.0, 0.0)
"""Slope and bias that change nothing."""


def platt(looks: Sequence[Look]) -> tuple[float, float]:
    """Slope and bias that make the images' log-odds true: Platt scaling of the whole posterior.

    Maximum likelihood of what turned out, the right place or "none of them", with a weak pull to
    leave them as they are. What a prior adds is taken as it is.
    """
    if not looks:
        return AS_SHIPPED
    width = max(1, *(len(look.images) for look in looks))
    images, right = np.full((len(looks), width), -np.inf), np.zeros((len(looks), width), bool)
    prior = np.zeros_like(images)
    for row, look in enumerate(looks):
        images[row, : len(look.images)] = look.images
        prior[row, : len(look.prior)] = look.prior
        right[row, : len(look.right)] = look.right

    def loss(parameters: Floats) -> float:
        z = math.exp(parameters[0]) * images + parameters[1] + prior
        turned_out = np.where(
            right.any(axis=1), special.logsumexp(np.where(right, z, -np.inf), axis=1), 0.0
        )
        everything = np.logaddexp(0.0, special.logsumexp(z, axis=1))
        pull = parameters[0] ** 2 + (parameters[1] / 3) ** 2
        return float(np.sum(everything - turned_out) + pull)

    bounds = [(-3.0, 3.0), (-20.0, 20.0)]
    best = optimize.minimize(loss, [0.0, 0.0], method="Nelder-Mead", bounds=bounds).x
    return math.exp(best[0]), float(best[1])
