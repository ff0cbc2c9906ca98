"""What is fitted on drives holds on further drives like them."""

from __future__ import annotations

import datetime
from dataclasses import replace

import numpy as np
import pytest
from calibration.worlds import look, world

from vlm_vpr_ros.calibration.conformal import ellipses
from vlm_vpr_ros.calibration.fit import calibrated
from vlm_vpr_ros.calibration.looks import DriveLooks, Look, Window
from vlm_vpr_ros.calibration.platt import platt
from vlm_vpr_ros.calibration.record import Calibration, Made, Mode
from vlm_vpr_ros.calibration.text import calibration_lines
from vlm_vpr_ros.config import GateConfig, LocalizerConfig
from vlm_vpr_ros.estimation.trust import Trusts, shipped_support
from vlm_vpr_ros.types import GAUSSIAN_RADII

MADE = Made(version="1", manifest_sha256="0" * 64, references=9, encoder="tiny", settings={})
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
TARGET = 0.1
WINDOW = 7
CONFIG = LocalizerConfig(gate=GateConfig(target_false_fix_rate=TARGET))


def fitted(drives: list[DriveLooks], *targets: float) -> Calibration:
    return calibrated(drives, MADE, targets or (TARGET,), NOW, frames=WINDOW)


def false_share(drives: list[DriveLooks], calibration: Calibration) -> tuple[float, float]:
    """Among the answers to single frames, and to windows, as the localizer would give them."""
    alone = Trusts.of(calibration, MADE, CONFIG.of_single_frames)
    together = Trusts.of(calibration, MADE, CONFIG)
    answers = [x for d in drives for single in d.singles if (x := answer((single,), alone))]
    stopped = [x for d in drives for window in d.windows if (x := answer(window, together))]
    return (
        float(np.mean([x.false for x in answers])),
        float(np.mean([x.false for x in stopped])),
    )


def answer(window: Window, trusts: Trusts) -> Look | None:
    """The first look that the localizer would accept."""
    for each in window:
        trust = trusts.after(each.frames)
        if each.worth(trust.slope, trust.bias).support >= trust.needed:
            return each
    return None


def test_targets_hold_on_further_drives() -> None:
    """In nine of ten calibrations, by promise; here more often, as the bounds are careful."""
    further = world(100, np.random.default_rng(1))
    broken = np.zeros(2)
    trials = 30
    for trial in range(trials):
        calibration = fitted(world(10, np.random.default_rng([2, trial])))
        assert all(t.guarantee == "further drives" for t in calibration.single.thresholds)
        broken += np.array(false_share(further, calibration)) > TARGET
    # Of 30 with a chance of 0.1, more than 7 would happen in 1 of 100 runs.
    assert (broken <= 7).all()


def test_enough_is_answered() -> None:
    calibration = fitted(world(20, np.random.default_rng(3), offset=4.0))
    for mode in (calibration.single, calibration.windows):
        (threshold,) = mode.thresholds
        assert threshold.accepted > 0.8 * threshold.decisions
        assert threshold.false <= TARGET * threshold.accepted


def test_windows_are_certified_as_they_end() -> None:
    """Their first frames answer less than single frames do, for they look again."""
    calibration = fitted(world(20, np.random.default_rng(3), offset=2.0))
    (alone,), (together,) = calibration.single.thresholds, calibration.windows.thresholds
    assert together.support > alone.support
    windows = [window for d in world(20, np.random.default_rng(9)) for window in d.windows]
    trusts = Trusts.of(calibration, MADE, CONFIG)
    ended = [x for window in windows if (x := answer(window, trusts))]
    firsts = [window[0] for window in windows if answer(window[:1], trusts)]
    assert len(firsts) < 0.9 * len(ended)
    assert together.ellipses is not None
    assert together.ellipses.fixes > together.accepted  # of every look after the first


def test_few_drives_promise_little() -> None:
    perfect = [look(5.0 + 0.01 * (i % 7), True) for i in range(200)]
    one = fitted([DriveLooks("walk", perfect, [])], 0.01, 0.1)
    (threshold,) = one.single.thresholds
    assert threshold.target == 0.1 and threshold.guarantee == "these drives only"
    assert 0 <= threshold.support < shipped_support(0.1)  # nothing else resembles these frames
    (refusal,) = one.single.refusals
    assert refusal.target == 0.01 and "230" in refusal.why and "5 drives" in refusal.why
    assert (one.single.slope, one.single.bias) == (1.0, 0.0)
    assert one.windows.thresholds == () and one.windows.ellipses is None
    text = "\n".join(calibration_lines(one))
    assert "0.01 cannot be promised" in text and "these drives only" in text


def test_one_drive_does_not_open_the_gate_for_other_places() -> None:
    """Every frame is right, but without its place the next best would be believed."""
    twins = [look(9.0 + 0.01 * (i % 7), True, rival=2.0) for i in range(200)]
    (threshold,) = fitted([DriveLooks("walk", twins, [])], 0.1).single.thresholds
    assert 2.0 < threshold.support <= shipped_support(0.1)


def test_frames_outside_of_the_region_count_as_false() -> None:
    inside = world(8, np.random.default_rng(4), offset=6.0)
    assert fitted(inside, 0.05).single.thresholds
    lured = [look(12.0 + 0.1 * i, right=False) for i in range(40)]
    mixed = [DriveLooks(d.name, d.singles + lured, d.windows, 40) for d in inside]
    calibration = fitted(mixed, 0.05)
    assert calibration.single.thresholds == () and "false" in calibration.single.refusals[0].why
    assert calibration.outside == 8 * 40


@pytest.mark.parametrize("slope", [0.5, 1.0, 2.0])
def test_probabilities_become_true(slope: float) -> None:
    looks = [x for d in world(40, np.random.default_rng(5), slope=slope) for x in d.singles]
    found, bias = platt(looks)
    assert found == pytest.approx(slope, rel=0.15)
    assert bias == pytest.approx(0, abs=0.3)


def test_platt_of_little() -> None:
    assert platt([]) == (1.0, 0.0)
    assert all(np.isfinite(platt([look(3.0, True)] * 200)))
    none = np.empty(0)
    nothing = Look(1, none, none, np.empty(0, bool), none)
    assert nothing.worth(2.0, 1.0).support == -np.inf
    assert all(np.isfinite(platt([nothing, nothing])))


def test_ellipses_hold_what_they_say() -> None:
    draw = np.random.default_rng(6)
    found = ellipses(list(3 * np.hypot(*draw.standard_t(4, (2, 4000)))), 0.0)
    assert found is not None
    further = 3 * np.hypot(*draw.standard_t(4, (2, 4000))) / np.sqrt(found.scale)
    for per_cent, gaussian in GAUSSIAN_RADII.items():
        radius = found.radii[str(per_cent)]  # type: ignore[index]
        assert np.mean(further <= radius) == pytest.approx(per_cent / 100, abs=0.02)
        assert radius <= gaussian + 1e-9  # what the Gaussian says holds at least as much
    assert np.mean(further**2) < 2.2
    assert ellipses([1.0] * 19, 0.0) is None
    careful = ellipses([0.01] * 50, 1.0)
    assert careful is not None and careful.scale == 1.0


def test_each_threshold_has_the_ellipses_of_its_own_answers() -> None:
    """Surer answers lie nearer to the truth; ellipses of all would be too large for them."""

    def narrowed(drive: DriveLooks) -> DriveLooks:
        singles = [replace(x, sigmas=x.sigmas / (1 + max(x.support, 0.0))) for x in drive.singles]
        return replace(drive, singles=singles)

    calibration = fitted(
        [narrowed(d) for d in world(30, np.random.default_rng(8), offset=3.0)], 0.04, 0.2
    )
    strict, loose = (t.ellipses for t in calibration.single.thresholds)
    assert strict is not None and loose is not None
    assert strict.fixes < 0.8 * loose.fixes
    within = [e.radii["50"] * np.sqrt(e.scale) for e in (strict, loose)]
    assert within[0] < 0.85 * within[1]


def test_drives_in_any_order() -> None:
    drives = world(6, np.random.default_rng(7))
    one, other = fitted(drives), fitted(drives[::-1])

    def numbers(mode: Mode) -> list[float]:
        return [mode.slope, mode.bias, *(t.support for t in mode.thresholds)]

    assert numbers(one.single) == pytest.approx(numbers(other.single), rel=1e-3)
    assert numbers(one.windows) == pytest.approx(numbers(other.windows), rel=1e-3)
