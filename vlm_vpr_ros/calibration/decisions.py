"""Thresholds for the answers that were asked for on held-out drives.

With five or more drives, thresholds are chosen and covariances scaled. Fewer drives tell whether
the shipped threshold keeps the target *on them*. It is then lowered as long as it would also refuse
these frames if their places were not in the region: one drive seldom leaves it, and says nothing
else of what is outside. The covariance may grow, not shrink.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vlm_vpr_ros.calibration import risk
from vlm_vpr_ros.calibration.conformal import ellipses
from vlm_vpr_ros.calibration.looks import Floats, Look, Window
from vlm_vpr_ros.calibration.record import Ellipses, Guarantee, Mode, Refusal, Threshold
from vlm_vpr_ros.estimation.trust import shipped_support
from vlm_vpr_ros.text import counted

_STEP = 0.25
"""Nats by which the shipped threshold is lowered at a time."""


@dataclass(frozen=True)
class Decisions:
    """What an answer was asked for, drive by drive: a frame each, or a window each.

    A window ends with its first answer, so all its looks share one threshold: what a first frame
    says must not use up the doubt that its window has.

    Attributes:
        drives: their looks with the support that counts.
    """

    drives: Sequence[Sequence[Window]]

    @property
    def many(self) -> bool:
        """Whether there are enough drives to tell of further ones."""
        return len(self.drives) >= risk.LEAST_DRIVES

    def mode(self, worth: tuple[float, float], targets: Sequence[float]) -> Mode:
        """Fit one mode.

        Args:
            worth: slope and bias of the looks' log-odds, as they were applied.
            targets: ascending.
        """
        found = [self._threshold(target) for target in targets]
        thresholds = tuple(f for f in found if isinstance(f, Threshold))
        return Mode(
            slope=worth[0],
            bias=worth[1],
            thresholds=thresholds,
            refusals=tuple(f for f in found if isinstance(f, Refusal)),
            ellipses=self._ellipses(shipped_support(targets[-1])),
        )

    def _threshold(self, target: float) -> Threshold | Refusal:
        if not self.drives:
            return Refusal(target=target, why="no drive is as long as one window")
        return self._chosen(target) if self.many else self._confirmed(target)

    def _chosen(self, target: float) -> Threshold | Refusal:
        scores = np.array(
            [max(look.support for look in window) for drive in self.drives for window in drive]
        )
        support = risk.loosest_threshold(scores, self._counts, target)
        if support is not None:
            return self._found(target, support, "further drives")
        starts = [float(np.quantile(scores, 1 - c)) for c in risk.START_COVERAGES]
        tried = [self._counts(start) for start in starts if math.isfinite(start)]
        needs = [n for drives in tried if (n := risk.needed_drives(drives, target))]
        said = f"{len(self.drives)} drives are too few"
        if tried:
            total = _total(tried[0])
            said = f"{said}: {total.false} of {total.accepted} answers false where fewest are given"
        more = (
            f"about {min(needs)} drives like these would do"
            if needs
            else "more drives like these would not help"
        )
        return Refusal(target=target, why=f"{said}; {more}")

    def _confirmed(self, target: float) -> Threshold | Refusal:
        """The shipped threshold if it keeps the target on few drives, lowered where that is safe.

        A fixed sequence of tests, of which the first that fails is the last: DELTA is not shared.
        """
        support = shipped_support(target)
        if not self._keeps(target, support):
            return self._unconfirmed(target, support)
        lower = support - _STEP
        while lower >= 0 and self._keeps(target, lower) and self._refuses(target, lower):
            support, lower = lower, lower - _STEP
        return self._found(target, support, "these drives only")

    def _keeps(self, target: float, support: float) -> bool:
        return risk.highest_rate(*self._independent(support), risk.DELTA) <= target

    def _refuses(self, target: float, support: float) -> bool:
        """Whether few enough frames would be answered if their places were not in the region."""
        lured = [
            np.array(
                [any(x.unmapped().support >= support for x in window) for window in drive], float
            )
            for drive in self.drives
        ]
        alike = risk.design_effect(lured)
        answered, asked = sum(float(x.sum()) for x in lured), sum(map(len, lured))
        return risk.highest_rate(asked / alike, answered / alike, risk.DELTA) <= target

    def _independent(self, support: float) -> tuple[float, float]:
        """Answers, and false ones among them, for as much as they are worth."""
        alike = risk.design_effect(_series(self._answers(support)))
        total = _total(self._counts(support))
        return total.accepted / alike, total.false / alike

    def _unconfirmed(self, target: float, support: float) -> Refusal:
        total = _total(self._counts(support))
        independent, false = self._independent(support)
        return Refusal(
            target=target,
            why=f"{counted(total.accepted, 'answer')}, {total.false} of them false, worth "
            f"{independent:.0f} independent ones, as frames of one drive are alike; this target "
            f"needs {risk.needed_answers(target, false):,} with as many false ones, or "
            f"{risk.LEAST_DRIVES} drives",
        )

    def _counts(self, support: float) -> list[risk.Counts]:
        return [
            risk.Counts(len(drive), len(answers), sum(look.false for look in answers))
            for drive, answers in zip(self.drives, self._answers(support), strict=True)
        ]

    def _answers(self, support: float) -> list[list[Look]]:
        """What a threshold answers on each drive."""
        return [
            [look for window in drive if (look := _answer(window, support))]
            for drive in self.drives
        ]

    def _found(self, target: float, support: float, guarantee: Guarantee) -> Threshold:
        total = _total(self._counts(support))
        return Threshold(
            target=target,
            support=support,
            guarantee=guarantee,
            decisions=total.decisions,
            accepted=total.accepted,
            false=total.false,
            ellipses=self._ellipses(support),
        )

    def _ellipses(self, support: float) -> Ellipses | None:
        """Of the right ones that a threshold lets through: surer ones lie nearer to the truth.

        Of windows those count that rest on more than one frame, whether or not an earlier one was
        answered: there are few otherwise, and the ellipses of one frame are those of single frames.
        """
        single = all(len(window) == 1 for drive in self.drives for window in drive)
        right = [
            look.sigmas_off
            for drive in self.drives
            for window in drive
            for look in window
            if look.support >= support and not look.false and (single or look.frames > 1)
        ]
        return ellipses(right, at_least=0.0 if self.many else 1.0)


def _answer(window: Window, support: float) -> Look | None:
    return next((look for look in window if look.support >= support), None)


def _series(answered: Sequence[Sequence[Look]]) -> list[Floats]:
    """What tells how alike successive answers are: which are false, else how sure they are."""
    false = [np.array([look.false for look in drive], np.float64) for drive in answered]
    if any(series.any() for series in false):
        return false
    return [np.array([look.support for look in drive], np.float64) for drive in answered]


def _total(counts: Sequence[risk.Counts]) -> risk.Counts:
    return risk.Counts(
        sum(c.decisions for c in counts),
        sum(c.accepted for c in counts),
        sum(c.false for c in counts),
    )
