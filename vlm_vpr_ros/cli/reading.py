"""What was not used of the sources, and why, for the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vlm_vpr_ros.text import counted

if TYPE_CHECKING:
    from vlm_vpr_ros.mapping.batches import FailedImage
    from vlm_vpr_ros.mapping.observation import SourceReport

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


def _left_out(report: SourceReport, reason: str, count: int) -> str:
    names = report.names.get(reason, [])[:_NAMED_LEFT_OUT]
    more = ", ..." if count > len(names) else ""
    return f"left out: {count:,} × {reason}" + (f" ({', '.join(names)}{more})" if names else "")
