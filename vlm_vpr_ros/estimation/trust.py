"""How far the evidence is trusted: by the region's own calibration, or by what is shipped."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from vlm_vpr_ros.calibration.record import Calibration, Made, Mode, radii_of
from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.types import GAUSSIAN_RADII


@dataclass(frozen=True)
class Trust:
    """What log-odds and covariances are worth.

    Attributes:
        needed: support that an answer needs (see `gate.support`).
        slope: of the log-odds from which probabilities are made.
        bias: added to them.
        covariance_scale: factor on the horizontal covariance.
        ellipse_radii: see `Fix`.
        calibrated: whether five or more held-out drives of the region vouch for it.
    """

    needed: float
    slope: float = 1.0
    bias: float = 0.0
    covariance_scale: float = 1.0
    ellipse_radii: Mapping[int, float] = field(default_factory=lambda: GAUSSIAN_RADII)
    calibrated: bool = False

    def log_odds(self, evidence: float) -> float:
        """What log-odds of the evidence, of whichever place, are worth."""
        return self.slope * evidence + self.bias


@dataclass(frozen=True)
class Trusts:
    """The trust in answers that rest on one frame, and in those that rest on more.

    Attributes:
        first: of one frame.
        later: of more.
        detail: one sentence for people: where it comes from.
    """

    first: Trust
    later: Trust
    detail: str

    def after(self, frames: int) -> Trust:
        """The trust in an answer that rests on so many frames."""
        return self.first if frames == 1 else self.later

    @classmethod
    def of(cls, calibration: Calibration | None, here: Made, config: LocalizerConfig) -> Trusts:
        """The trust that a calibration allows for.

        Frames that stand alone have the thresholds of single frames; where more may follow, even
        the first one has those of windows. Where there is none for the target, an answer needs
        probability 1 - gate.target_false_fix_rate, or more if a looser target does: nobody vouches
        for it, so its covariance is approximate.

        Args:
            calibration: of the region; None if it has none.
            here: what one made now would be made with.
            config: the target and the settings.
        """
        target, frames = config.gate.target_false_fix_rate, config.evidence.max_frames
        if calibration is None:
            return cls.shipped(target, "the region has none (`vlm_vpr calibrate`)")
        if difference := calibration.made.difference(here) or _length(calibration.frames, frames):
            return cls.shipped(target, f"the region's own is not used: {difference}")
        single, windows = calibration.single, calibration.windows
        if frames == 1:
            alone = _trust(single, single, target)
            return cls(alone, alone, f"single frames: {_said(single, target)}")
        return cls(
            _trust(single, windows, target),
            _trust(windows, windows, target),
            f"windows: {_said(windows, target)}",
        )

    @classmethod
    def shipped(cls, target: float, why: str) -> Trusts:
        """Log-odds at their word, which nobody vouches for, and why not the region's own."""
        generic = Trust(shipped_support(target))
        return cls(generic, generic, f"generic: {why}")

    @classmethod
    def in_everything(cls) -> Trusts:
        """Accepts the best hypothesis of every frame: to see what it would be worth."""
        everything = Trust(-math.inf)
        return cls(everything, everything, "none: every frame is accepted")


def shipped_support(target: float) -> float:
    """The support that a target needs where log-odds are taken at their word."""
    return math.log1p(-target) - math.log(target)


def _length(made_for: int, here: int) -> str:
    """What differs in the length of windows, as a clause for people; "" if nothing does."""
    if here in (1, made_for):
        return ""
    return f"made for windows of {made_for} frames, evidence.max_frames is {here} now"


def _trust(worth: Mode, decided: Mode, target: float) -> Trust:
    """The worth and the ellipses of one mode, with the threshold of the one that decides."""
    threshold, of_worth = decided.threshold(target), worth.threshold(target)
    ellipses = of_worth.ellipses if of_worth else worth.ellipses
    looser = [shipped_support(target), *(known.support for known in decided.thresholds)]
    return Trust(
        needed=threshold.support if threshold else max(looser),
        slope=worth.slope,
        bias=worth.bias,
        covariance_scale=ellipses.scale if ellipses else 1.0,
        ellipse_radii=radii_of(ellipses) if ellipses else GAUSSIAN_RADII,
        calibrated=bool(ellipses and threshold and threshold.guarantee == "further drives"),
    )


def _said(mode: Mode, target: float) -> str:
    threshold = mode.threshold(target)
    if threshold is None:
        has = ", ".join(f"{t.target:.3g}" for t in mode.thresholds) or "none"
        return f"the target {target:g} is not certified (certified: {has})"
    return f"at most {threshold.target:.3g} false, certified for {threshold.guarantee}"
