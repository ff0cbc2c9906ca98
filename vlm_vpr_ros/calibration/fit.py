"""A calibration from what was seen of held-out drives.

First what log-odds are worth, then the thresholds of single frames, then those of windows, whose
first frame may already be answered by the threshold of single frames.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from vlm_vpr_ros.calibration import risk
from vlm_vpr_ros.calibration.decisions import Decisions, Stop
from vlm_vpr_ros.calibration.looks import DriveLooks, Look, Window
from vlm_vpr_ros.calibration.platt import AS_SHIPPED, platt
from vlm_vpr_ros.calibration.record import FORMAT_VERSION, Calibration, Made, Threshold
from vlm_vpr_ros.estimation.trust import shipped_support


def calibrated(
    drives: Sequence[DriveLooks], made: Made, targets: Sequence[float], now: datetime.datetime
) -> Calibration:
    """Fit everything.

    Args:
        drives: held-out drives, at least one.
        made: for what the calibration will count.
        targets: shares of the answers that may be false.
        now: the date.
    """
    targets = sorted(set(targets))
    singles = [[(look,) for look in drive.singles] for drive in drives]
    windows = [drive.windows for drive in drives if drive.windows]
    of_one = _worth(singles, lambda look: look.frames == 1)
    of_more = _worth(windows, lambda look: look.frames > 1)

    def worth(drive: Sequence[Window]) -> list[Window]:
        return [
            tuple(look.worth(*(of_one if look.frames == 1 else of_more)) for look in window)
            for window in drive
        ]

    single = Decisions([worth(drive) for drive in singles]).mode(
        of_one, targets, lambda _: _stop_at_once
    )
    several = Decisions([worth(drive) for drive in windows]).mode(
        of_more, targets, lambda target: _stopping(single.threshold(target), target)
    )
    return Calibration(
        format_version=FORMAT_VERSION,
        made=made,
        date=now,
        confidence=1 - risk.DELTA,
        drives={drive.name: len(drive.singles) for drive in drives},
        outside=sum(drive.outside for drive in drives),
        single=single,
        several=several,
    )


def _worth(
    drives: Sequence[Sequence[Window]], counts: Callable[[Look], bool]
) -> tuple[float, float]:
    if len(drives) < risk.LEAST_DRIVES:
        return AS_SHIPPED
    looks = [look for drive in drives for window in drive for look in window]
    return platt([look for look in looks if counts(look)])


def _stop_at_once(window: Window, support: float) -> Look | None:
    return window[0] if window[0].support >= support else None


def _stopping(single: Threshold | None, target: float) -> Stop:
    """Windows end with their first answer; what rests on one frame has its own threshold."""
    of_one = single.support if single else shipped_support(target)

    def stop(window: Window, support: float) -> Look | None:
        answers = (w for w in window if w.support >= (of_one if w.frames == 1 else support))
        return next(answers, None)

    return stop
