"""A calibration for people."""

from __future__ import annotations

from vlm_vpr_ros.calibration.record import Calibration, Ellipses, Mode
from vlm_vpr_ros.text import counted


def calibration_lines(calibration: Calibration) -> list[str]:
    """What was learnt, on what, and what could not be promised."""
    frames = sum(calibration.drives.values())
    lines = [
        f"calibrated {calibration.date:%Y-%m-%d} on {counted(len(calibration.drives), 'drive')}, "
        f"{counted(frames, 'frame')}, {calibration.outside:,} of them outside of the region; "
        f"confidence {calibration.confidence:.0%}"
    ]
    lines += _mode("single frames", calibration.single)
    if calibration.frames == 1:
        return lines
    return lines + _mode(f"windows of up to {calibration.frames} frames", calibration.windows)


def _mode(name: str, mode: Mode) -> list[str]:
    lines = [
        f"{name}: at most {t.target:.3g} of the answers false, for {t.guarantee}: "
        f"{t.accepted:,} of {t.decisions:,} answered, {t.false:,} false; {_ellipses(t.ellipses)}"
        for t in mode.thresholds
    ]
    lines += [f"{name}: {r.target:g} cannot be promised: {r.why}" for r in mode.refusals]
    return [*lines, f"{name}, by probability alone: {_ellipses(mode.ellipses)}"]


def _ellipses(ellipses: Ellipses | None) -> str:
    if ellipses is None:
        return "too few right fixes to say anything of ellipses"
    radii = ", ".join(f"{p} % {radius:.2f}" for p, radius in ellipses.radii.items())
    return f"covariance × {ellipses.scale:.2f} by {ellipses.fixes:,} right fixes, radii {radii}"
