"""The node's health, as one DiagnosticStatus."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Mapping

from diagnostic_msgs.msg import DiagnosticStatus, KeyValue

from vlm_vpr_ros.types import Outcome, PriorStatus, Reason

_RECENT = 100
_OURS = frozenset({Reason.INTERNAL_ERROR, Reason.REGION_UNAVAILABLE})


class Diagnostics:
    """Remembers outcomes, arrivals and faults, and tells them.

    Level: ERROR when the region cannot be used or a bug of ours showed up, WARN when the last
    attempt gave no fix, the model gave no prior for it, or continuous mode has no fresh image, else
    OK.

    Args:
        name: of the node, with its namespace: a fleet shares one topic.
    """

    def __init__(self, name: str) -> None:
        self.fault: tuple[Reason, str] | None = None
        """Why the node cannot work, if so."""
        self.region: Mapping[str, str] = {}
        """What is in use, as the localizer describes it."""
        self._name = name
        self._last: Outcome | None = None
        self._counts: Counter[str] = Counter()
        self._latencies_ms: deque[Mapping[str, float]] = deque(maxlen=_RECENT)
        self._arrivals_s: deque[float] = deque(maxlen=_RECENT)

    def image_arrived(self) -> None:
        """Note that an image arrived now."""
        self._arrivals_s.append(time.monotonic())

    def count(self, reason: Reason) -> None:
        """Note an answer that says nothing of a frame, such as BUSY."""
        self._counts[reason.value] += 1

    def record(self, outcome: Outcome) -> None:
        """Note how an attempt to localize ended."""
        self.count(outcome.reason)
        self._last = outcome
        if outcome.latency_ms:
            self._latencies_ms.append(outcome.latency_ms)

    def forget(self) -> None:
        """Drop the last outcome: it was another region's, or is from before a pause."""
        self._last = None
        self._latencies_ms.clear()
        self._arrivals_s.clear()

    def status(self, state: str, image_overdue: bool) -> DiagnosticStatus:
        """The present status.

        Args:
            state: the word on ~/state.
            image_overdue: whether images are awaited and the newest is too old.
        """
        level, message = self._verdict(state, image_overdue)
        values = {"state": state}
        if self._last is not None:
            values["last outcome"] = self._last.reason.value
            values["last detail"] = self._last.detail
            values["last stamp_ns"] = str(self._last.stamp_ns)
            values["last frames of evidence"] = str(self._last.frames)
            prior = self._last.prior
            values["last prior"] = f"{prior.status.value}: {prior.detail}"
        values |= {f"count {reason}": str(n) for reason, n in sorted(self._counts.items())}
        values |= self._image_values() | self._latency_values() | dict(self.region)
        return DiagnosticStatus(
            level=level,
            name=f"{self._name}: localization",
            message=message,
            hardware_id=self._name,
            values=[KeyValue(key=key, value=value) for key, value in values.items()],
        )

    def _verdict(self, state: str, image_overdue: bool) -> tuple[bytes, str]:
        if self.fault is not None:
            return DiagnosticStatus.ERROR, f"{self.fault[0].value}: {self.fault[1]}"
        if image_overdue:
            return DiagnosticStatus.WARN, "no fresh image"
        if self._last is None:
            return DiagnosticStatus.OK, state
        verdict = f"{self._last.reason.value}: {self._last.detail}"
        if self._last.reason in _OURS:
            return DiagnosticStatus.ERROR, verdict
        failed = self._last.prior.status is PriorStatus.FAILED
        if failed:
            verdict += f" (without a prior: {self._last.prior.detail})"
        fine = self._last.accepted and not failed
        return (DiagnosticStatus.OK if fine else DiagnosticStatus.WARN), verdict

    def _image_values(self) -> dict[str, str]:
        if not self._arrivals_s:
            return {"image age (s)": "none yet"}
        first, last = self._arrivals_s[0], self._arrivals_s[-1]
        values = {"image age (s)": f"{time.monotonic() - last:.2f}"}
        if last > first:
            values["image rate (Hz)"] = f"{(len(self._arrivals_s) - 1) / (last - first):.2f}"
        return values

    def _latency_values(self) -> dict[str, str]:
        stages = dict.fromkeys(stage for frame in self._latencies_ms for stage in frame)
        return {
            f"{stage} p50 / p95 (ms)": _p50_p95(
                [frame[stage] for frame in self._latencies_ms if stage in frame]
            )
            for stage in stages
        }


def _p50_p95(values: list[float]) -> str:
    """Median and 95th percentile, each a value that did occur."""
    ordered = sorted(values)
    last = len(ordered) - 1
    return f"{ordered[round(0.5 * last)]:.1f} / {ordered[round(0.95 * last)]:.1f}"
