"""A calibration from what was seen of held-out drives.

First what log-odds are worth, after one frame and after more, then the thresholds: of single
frames, and of windows, which end with their first answer.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence

from vlm_vpr_ros.calibration import risk
from vlm_vpr_ros.calibration.decisions import Decisions
from vlm_vpr_ros.calibration.looks import DriveLooks, Look, Window
from vlm_vpr_ros.calibration.platt import AS_SHIPPED, platt
from vlm_vpr_ros.calibration.record import FORMAT_VERSION, Calibration, Made


def calibrated(
    drives: Sequence[DriveLooks],
    made: Made,
    targets: Sequence[float],
    now: datetime.datetime,
    *,
    frames: int,
) -> Calibration:
    """Fit everything.

    Args:
        drives: held-out drives, at least one.
        made: for what the calibration will count.
        targets: shares of the answers that may be false.
        now: the date.
        frames: of a window.
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

    return Calibration(
        format_version=FORMAT_VERSION,
        made=made,
        date=now,
        confidence=1 - risk.DELTA,
        drives={drive.name: len(drive.singles) for drive in drives},
        outside=sum(drive.outside for drive in drives),
        frames=frames,
        single=Decisions([worth(drive) for drive in singles]).mode(of_one, targets),
        windows=Decisions([worth(drive) for drive in windows]).mode(of_more, targets),
    )


def _worth(
    drives: Sequence[Sequence[Window]], counts: Callable[[Look], bool]
) -> tuple[float, float]:
    if len(drives) < risk.LEAST_DRIVES:
        return AS_SHIPPED
    looks = [look for drive in drives for window in drive for look in window]
    return platt([look for look in looks if counts(look)])
