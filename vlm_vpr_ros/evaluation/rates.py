"""A share of few trials, and how far it may be from the true rate."""

from __future__ import annotations

from vlm_vpr_ros.calibration.risk import highest_rate

_TAIL = 0.025


def exact_interval(count: int, trials: int) -> tuple[float, float] | None:
    """The 95 % interval of Clopper and Pearson (Biometrika 1934) for a rate.

    It holds the true rate with at least this confidence if the trials are independent. Frames of
    one drive are not: their interval is too narrow.

    Args:
        count: how often it happened.
        trials: of how many; of none nothing is known.
    """
    if not trials:
        return None
    return 1.0 - highest_rate(trials, trials - count, _TAIL), highest_rate(trials, count, _TAIL)
