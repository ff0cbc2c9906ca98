"""What was not used of the sources or of the region, and why, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vlm_vpr_ros.text import counted

if TYPE_CHECKING:
    from vlm_vpr_ros.localizer import Localizer
    from vlm_vpr_ros.mapping.batches import FailedImage
    from vlm_vpr_ros.mapping.observation import SourceReport
    from vlm_vpr_ros.region.region import Region

_NAMED_FAILURES = 20
_NAMED_LEFT_OUT = 3


def reading_lines(report: SourceReport, failures: Sequence[FailedImage]) -> list[str]:
    """One line for each reason with its count and first names, one for each unreadable image."""
    lines = [_left_out(report, reason, n) for reason, n in report.left_out.most_common()]
    if failures:
        lines.append(f"not readable: {counted(len(failures), 'image')}")
        lines += [f"  {failure.source}: {failure.error}" for failure in failures[:_NAMED_FAILURES]]
        more = len(failures) - _NAMED_FAILURES
        lines += [f"  and {more:,} more"] if more > 0 else []
    return lines + [f"note: {remark}" for remark in report.remarks]


def unused_calibration(region: Region, localizer: Localizer) -> list[str]:
    """A line that says why the calibration of a region is not used, if it has one."""
    from vlm_vpr_ros.calibration.record import read_calibration  # noqa: PLC0415

    in_use = localizer.describe()["calibration"]
    if not in_use.startswith("generic") or read_calibration(region.folder) is None:
        return []
    return [f"note: calibration: {in_use}"]


def _left_out(report: SourceReport, reason: str, count: int) -> str:
    names = report.names.get(reason, [])[:_NAMED_LEFT_OUT]
    more = ", ..." if count > len(names) else ""
    return f"left out: {count:,} × {reason}" + (f" ({', '.join(names)}{more})" if names else "")
