"""A calibration from what was seen of held-out drives.

With five or more drives, thresholds are chosen, probabilities are corrected and covariances scaled.
Fewer drives tell whether the shipped threshold keeps the target *on them*. It is then lowered as
long as it would also refuse these frames if their places were not in the region: one drive seldom
leaves it, and says nothing else of what is outside. The covariance may grow, not shrink.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, special

from vlm_vpr_ros.calibration import risk
from vlm_vpr_ros.calibration.looks import DriveLooks, Floats, Look, Window
from vlm_vpr_ros.calibration.record import (
    Calibration,
    Ellipses,
    Made,
    Mode,
    Refusal,
    Threshold,
)
from vlm_vpr_ros.estimation.trust import shipped_support
from vlm_vpr_ros.types import GAUSSIAN_RADII

LEAST_FIXES = 20
"""Right fixes without which nothing is said of ellipses: the 95 % one needs 19."""

_AS_SHIPPED = (1.0, 0.0)
"""Slope and bias that change nothing."""

_STEP = 0.25
"""Nats by which the shipped threshold is lowered at a time."""

Stop = Callable[[Window, float], "Look | None"]
"""The look at which a decision is answered, given the threshold; None where it is refused."""


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

    single = _Decisions([worth(drive) for drive in singles]).mode(
        of_one, targets, lambda _: _stop_at_once
    )
    several = _Decisions([worth(drive) for drive in windows]).mode(
        of_more, targets, lambda target: _stopping(single.threshold(target), target)
    )
    return Calibration(
        format_version=1,
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
        return _AS_SHIPPED
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


@dataclass(frozen=True)
class _Decisions:
    """What an answer was asked for, drive by drive: a frame each, or a window each.

    Attributes:
        drives: their looks with the support that counts.
    """

    drives: Sequence[Sequence[Window]]

    @property
    def many(self) -> bool:
        """Whether there are enough drives to tell of further ones."""
        return len(self.drives) >= risk.LEAST_DRIVES

    def mode(
        self,
        worth: tuple[float, float],
        targets: Sequence[float],
        stop_for: Callable[[float], Stop],
    ) -> Mode:
        """Fit one mode; `stop_for` says how decisions end for a target."""
        found = [self._threshold(target, stop_for(target)) for target in targets]
        thresholds = tuple(f for f in found if isinstance(f, Threshold))
        return Mode(
            slope=worth[0],
            bias=worth[1],
            thresholds=thresholds,
            refusals=tuple(f for f in found if isinstance(f, Refusal)),
            ellipses=self._ellipses(thresholds, targets, stop_for),
        )

    def _threshold(self, target: float, stop: Stop) -> Threshold | Refusal:
        if not self.drives:
            return Refusal(target=target, why="no drive is as long as one window")
        return self._chosen(target, stop) if self.many else self._confirmed(target, stop)

    def _chosen(self, target: float, stop: Stop) -> Threshold | Refusal:
        scores = np.array([_score(window) for drive in self.drives for window in drive])
        support = risk.loosest_threshold(scores, lambda t: self._counts(stop, t), target)
        if support is not None:
            return _threshold(target, support, "further drives", self._counts(stop, support))
        starts = [float(np.quantile(scores, 1 - c)) for c in risk.START_COVERAGES]
        tried = [self._counts(stop, start) for start in starts if math.isfinite(start)]
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

    def _confirmed(self, target: float, stop: Stop) -> Threshold | Refusal:
        """The shipped threshold if it keeps the target on few drives, lowered where that is safe.

        A fixed sequence of tests, of which the first that fails is the last: DELTA is not shared.
        """
        support = shipped_support(target)
        if not self._keeps(target, stop, support):
            return self._unconfirmed(target, stop, support)
        lower = support - _STEP
        while lower >= 0 and self._keeps(target, stop, lower) and self._refuses(target, lower):
            support, lower = lower, lower - _STEP
        counts = self._counts(stop, support)
        return _threshold(target, support, "these drives only", counts)

    def _keeps(self, target: float, stop: Stop, support: float) -> bool:
        return risk.highest_rate(*self._independent(stop, support), risk.DELTA) <= target

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

    def _independent(self, stop: Stop, support: float) -> tuple[float, float]:
        """Answers, and false ones among them, for as much as they are worth."""
        answered = [
            [look for window in drive if (look := stop(window, support))] for drive in self.drives
        ]
        alike = risk.design_effect(_series(answered))
        total = _total(self._counts(stop, support))
        return total.accepted / alike, total.false / alike

    def _unconfirmed(self, target: float, stop: Stop, support: float) -> Refusal:
        total = _total(self._counts(stop, support))
        independent, false = self._independent(stop, support)
        return Refusal(
            target=target,
            why=f"{total.accepted} answers, {total.false} of them false, are worth "
            f"{independent:.0f} independent ones, as frames of one drive are alike; this target "
            f"needs {risk.needed_answers(target, false):,} with as many false ones, or "
            f"{risk.LEAST_DRIVES} drives",
        )

    def _counts(self, stop: Stop, support: float) -> list[risk.Counts]:
        counts = []
        for drive in self.drives:
            answers = [look for window in drive if (look := stop(window, support))]
            false = sum(look.false for look in answers)
            counts.append(risk.Counts(len(drive), len(answers), false))
        return counts

    def _ellipses(
        self,
        thresholds: Sequence[Threshold],
        targets: Sequence[float],
        stop_for: Callable[[float], Stop],
    ) -> Ellipses | None:
        """Of the right answers that the loosest threshold gives."""
        if thresholds:
            target, support = thresholds[-1].target, thresholds[-1].support
        else:
            target, support = targets[-1], shipped_support(targets[-1])
        stop = stop_for(target)
        windows = [window for drive in self.drives for window in drive]
        answers = [look for window in windows if (look := stop(window, support))]
        right = [
            a.sigmas for a in answers if not a.false and (a.frames > 1 or len(windows[0]) == 1)
        ]
        return ellipses(right, at_least=0.0 if self.many else 1.0)


def platt(looks: Sequence[Look]) -> tuple[float, float]:
    """Slope and bias that make the log-odds true: Platt scaling of the whole posterior.

    Maximum likelihood of what turned out, the right place or "none of them", with a weak pull to
    leave them as they are.
    """
    if not looks:
        return _AS_SHIPPED
    width = max(1, *(len(look.log_odds) for look in looks))
    log_odds = np.full((len(looks), width), -np.inf)
    right = np.zeros(log_odds.shape, bool)
    for row, look in enumerate(looks):
        log_odds[row, : len(look.log_odds)] = look.log_odds
        right[row, : len(look.right)] = look.right

    def loss(parameters: Floats) -> float:
        z = math.exp(parameters[0]) * log_odds + parameters[1]
        turned_out = np.where(
            right.any(axis=1), special.logsumexp(np.where(right, z, -np.inf), axis=1), 0.0
        )
        everything = np.logaddexp(0.0, special.logsumexp(z, axis=1))
        pull = parameters[0] ** 2 + (parameters[1] / 3) ** 2
        return float(np.sum(everything - turned_out) + pull)

    bounds = [(-3.0, 3.0), (-20.0, 20.0)]
    best = optimize.minimize(loss, [0.0, 0.0], method="Nelder-Mead", bounds=bounds).x
    return math.exp(best[0]), float(best[1])


def ellipses(sigmas: Sequence[float], at_least: float) -> Ellipses | None:
    """The scale and the radii that hold what they promise of further errors like these.

    The radius of a share is the smallest distance within which ⌈(n + 1) share⌉ of the n errors lie
    (conformal prediction, Vovk et al. 2005); the scale is the largest that any of them needs.

    Args:
        sigmas: Mahalanobis distances of right fixes.
        at_least: the least scale.
    """
    if len(sigmas) < LEAST_FIXES:
        return None
    ascending = np.sort(sigmas)
    held = {
        per_cent: max(float(ascending[math.ceil((len(sigmas) + 1) * per_cent / 100) - 1]), 1e-3)
        for per_cent in GAUSSIAN_RADII
    }
    scale = max(at_least, *((held[p] / GAUSSIAN_RADII[p]) ** 2 for p in held))
    return Ellipses(
        fixes=len(sigmas),
        scale=scale,
        radii={str(p): distance / math.sqrt(scale) for p, distance in held.items()},
    )


def _score(window: Window) -> float:
    """The highest threshold at which a window is answered by more than its first frame."""
    if len(window) == 1:
        return window[0].support
    return max((look.support for look in window if look.frames > 1), default=-math.inf)


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


def _threshold(
    target: float, support: float, guarantee: str, counts: Sequence[risk.Counts]
) -> Threshold:
    total = _total(counts)
    return Threshold(
        target=target,
        support=support,
        guarantee=guarantee,
        decisions=total.decisions,
        accepted=total.accepted,
        false=total.false,
    )
