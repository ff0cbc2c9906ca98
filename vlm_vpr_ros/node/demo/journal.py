"""What the node answered beside what is true: a row for each answer, and what they add up to."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from vlm_vpr_ros.config import GateConfig
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.node.demo.truth import ImageTruth, Truth
from vlm_vpr_ros.sim.world_file import RECOGNISABLE
from vlm_vpr_ros.text import aligned, plain

FALSE_FIX_M = GateConfig().false_radius_m
EVERY = 8
"""Of answers that say the same as the last one, so many share one row."""
_FORM = "{:>7} {:<22} {:<18} {:<10} {:<18} {:>8} {:>8} {:>6}"
HEADER = _FORM.format(
    "time s", "truth", "answer", "state", "the model says", "error m", "sigma m", "ms"
)


@dataclass(frozen=True)
class Entry:
    """One answer.

    Attributes:
        stamp_ns: of the image.
        true: what is true about it.
        reason: of the answer.
        error_m: of the fix from the truth; None when refused.
    """

    stamp_ns: int
    true: ImageTruth
    reason: str
    error_m: float | None

    @property
    def false(self) -> bool:
        """Whether it is a fix, and false."""
        return self.error_m is not None and self.error_m > FALSE_FIX_M


class Journal:
    """Collects the answers.

    Args:
        truth: about the drive.
    """

    def __init__(self, truth: Truth) -> None:
        self.entries: list[Entry] = []
        self._truth = truth
        self._told: tuple[str, str, str] | None = None
        self._untold = 0

    def note(self, answer: Mapping[str, Any], state: str) -> str | None:
        """Note an answer; returns its row if it says something new."""
        stamp_ns = answer["stamp_ns"]
        true = self._truth.moments.get(stamp_ns)
        if true is None:  # the replay has not begun, or the image has no position
            return None
        fix = answer["fix"]
        error_m = None
        if fix is not None:
            here = true.position
            error_m = float(distance_m(fix["lat"], fix["lon"], here.lat_deg, here.lon_deg))
        entry = Entry(stamp_ns, true, answer["reason"], error_m)
        self.entries.append(entry)
        said = (true.town, true.kind, entry.reason)
        if said == self._told and not entry.false and self._untold + 1 < EVERY:
            self._untold += 1
            return None
        self._told, self._untold = said, 0
        return self._row(entry, answer, state)

    def time_s(self, stamp_ns: int) -> float:
        """Since the first image of the drive."""
        return (stamp_ns - self._truth.first_ns) * 1e-9

    def _row(self, entry: Entry, answer: Mapping[str, Any], state: str) -> str:
        fix = answer["fix"]
        place = f"{entry.true.town} {entry.true.kind}".strip()
        return _FORM.format(
            f"{self.time_s(entry.stamp_ns):.1f}",
            plain(place)[:22],
            entry.reason,
            state,
            plain(_favourite(answer))[:18],
            "" if entry.error_m is None else f"{entry.error_m:.1f}",
            "" if fix is None else f"{fix['sigma_m']:.1f}",
            # `total` has all stages but the decoding, which comes before them.
            f"{sum(answer['latency_ms'].get(part, 0.0) for part in ('decode', 'total')):.0f}",
        ).rstrip()


def summary(journal: Journal, truth: Truth) -> str:
    """What the answers add up to."""
    parts = [_counts(journal.entries)]
    if any(entry.true.kind for entry in journal.entries):
        parts.append(_by_kind(journal.entries))
    parts += [
        _kidnapping(number, stamp_ns, journal)
        for number, stamp_ns in enumerate(truth.kidnapped_ns, 1)
    ]
    return "\n\n".join(parts)


def found_after(entries: list[Entry], kidnapped_ns: int) -> tuple[int | None, int | None]:
    """After how many answers a kidnapping was noticed, and the robot found again.

    It is noticed by a refusal, or by a fix that is right. The robot can be found only where a place
    is known: views of unmapped stretches and under a covered lens do not count.

    Returns:
        Number of the first answer after the kidnapping that no longer claims the old place, and of
        the first right fix among the views that can be recognised; None where there is none.
    """
    after = [entry for entry in entries if entry.stamp_ns >= kidnapped_ns]
    noticed = next((i for i, entry in enumerate(after, 1) if not entry.false), None)
    known = [entry for entry in after if entry.true.kind in ("", *RECOGNISABLE)]
    right = (i for i, e in enumerate(known, 1) if e.error_m is not None and not e.false)
    return noticed, next(right, None)


def _counts(entries: list[Entry]) -> str:
    reasons = Counter(entry.reason for entry in entries)
    lines = [f"{len(entries)} answers: " + ", ".join(f"{n} {r}" for r, n in reasons.most_common())]
    errors_m = [entry.error_m for entry in entries if entry.error_m is not None]
    if errors_m:
        false = sum(entry.false for entry in entries)
        lines.append(
            f"{len(errors_m)} fixes: median error {statistics.median(errors_m):.1f} m, largest "
            f"{max(errors_m):.1f} m, {false} false (farther than {FALSE_FIX_M:g} m)"
        )
    return "\n".join(lines)


def _by_kind(entries: list[Entry]) -> str:
    rows = []
    for kind in dict.fromkeys(entry.true.kind for entry in entries):
        here = [entry for entry in entries if entry.true.kind == kind]
        fixes = [entry for entry in here if entry.error_m is not None]
        false = sum(entry.false for entry in fixes)
        rows.append([kind, *map(str, (len(here), len(fixes) - false, false))])
    return aligned(["view", "answers", "right fixes", "false fixes"], rows)


def _kidnapping(number: int, stamp_ns: int, journal: Journal) -> str:
    noticed, found = found_after(journal.entries, stamp_ns)
    return (
        f"kidnapping {number} at {journal.time_s(stamp_ns):.0f} s: "
        + ("not noticed" if noticed is None else f"noticed at answer {noticed}")
        + (", not found again" if found is None else f", found again at answer {found}")
        + " of the views that can be recognised"
    )


def _favourite(answer: Mapping[str, Any]) -> str:
    """The heaviest place of the prior."""
    parts = [f["properties"] for f in answer["features"] if f["properties"]["kind"] == "prior"]
    best = max(parts, key=lambda part: float(part["weight"]), default=None)
    return "" if best is None else str(best["label"])
