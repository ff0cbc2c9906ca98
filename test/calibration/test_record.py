"""calibration.json is a stranger's file, and counts for one region and one set of settings."""

from __future__ import annotations

import datetime
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from calibration.worlds import world

from vlm_vpr_ros.calibration.fit import calibrated
from vlm_vpr_ros.calibration.record import (
    CALIBRATION,
    Calibration,
    Ellipses,
    Made,
    Mode,
    Refusal,
    Threshold,
    read_calibration,
)
from vlm_vpr_ros.config import EvidenceConfig, GateConfig, LocalizerConfig, RetrievalConfig
from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.estimation.trust import Trusts, shipped_support
from vlm_vpr_ros.types import GAUSSIAN_RADII

SETTINGS = {"retrieval.candidates": 20}
MADE = Made(version="1", manifest_sha256="0" * 64, references=9, encoder="tiny", settings=SETTINGS)
NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)


def oval(scale: float) -> Ellipses:
    radii: Any = {"50": 1.0, "90": 2.0, "95": 2.4}
    return Ellipses(fixes=50, scale=scale, radii=radii)


def threshold(
    target: float, support: float, few: bool = False, scale: float | None = 4.0
) -> Threshold:
    return Threshold(
        target=target,
        support=support,
        guarantee="these drives only" if few else "further drives",
        decisions=100,
        accepted=80,
        false=1,
        ellipses=oval(scale) if scale else None,
    )


def mode(*thresholds: Threshold) -> Mode:
    return Mode(
        slope=0.5,
        bias=-1.0,
        thresholds=thresholds,
        refusals=(Refusal(target=0.001, why="too few"),),
        ellipses=oval(9.0),
    )


def calibration(single: Mode, windows: Mode | None = None) -> Calibration:
    return Calibration(
        format_version=3,
        made=MADE,
        date=NOW,
        confidence=0.9,
        drives={"monday": 100},
        outside=0,
        frames=7,
        single=single,
        windows=windows or single,
    )


def under(target: float) -> LocalizerConfig:
    return LocalizerConfig(gate=GateConfig(target_false_fix_rate=target))


def test_round_trip(tmp_path: Path) -> None:
    written = calibrated(world(6, np.random.default_rng(0)), MADE, [0.05, 0.1], NOW, frames=7)
    assert read_calibration(tmp_path) is None
    written.write(tmp_path)
    assert read_calibration(tmp_path) == written
    assert [path.name for path in tmp_path.iterdir()] == [CALIBRATION]


def _without_a_radius(content: dict[str, Any]) -> None:
    del content["single"]["ellipses"]["radii"]["95"]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c.update(format_version=2),
        lambda c: c.update(surprise=1),
        lambda c: c["single"].update(slope=-1.0),
        lambda c: c["single"]["ellipses"].update(scale=0.0),
        lambda c: c["single"]["thresholds"][0].update(support=1e9),
        lambda c: c["single"]["thresholds"][0].update(guarantee="forever"),
        lambda c: c.update(drives={}),
        _without_a_radius,
    ],
)
def test_damage_is_named(tmp_path: Path, spoil: Any) -> None:
    content = json.loads(calibration(mode(threshold(0.05, 2.0))).model_dump_json())
    spoil(content)
    (tmp_path / CALIBRATION).write_text(json.dumps(content))
    with pytest.raises(RegionError, match=r"calibration\.json: damaged: .* Delete it"):
        read_calibration(tmp_path)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"1" * (1 << 21)])
def test_garbage_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / CALIBRATION).write_bytes(content)
    with pytest.raises(RegionError):
        read_calibration(tmp_path)


def test_the_loosest_threshold_within_the_target_counts() -> None:
    found = calibration(mode(threshold(0.01, 5.0, scale=2.0), threshold(0.05, 2.0)))
    for target, support, scale in (
        (0.01, 5.0, 2.0),
        (0.03, 5.0, 2.0),
        (0.05, 2.0, 4.0),
        (0.4, 2.0, 4.0),
    ):
        trusts = Trusts.of(found, MADE, under(target))
        for trust in (trusts.after(1), trusts.after(2)):
            assert trust.needed == support and trust.calibrated
            assert (trust.slope, trust.bias, trust.covariance_scale) == (0.5, -1.0, scale)
            assert dict(trust.ellipse_radii) == {50: 1.0, 90: 2.0, 95: 2.4}


def test_where_more_frames_may_follow_the_first_one_has_the_threshold_of_windows() -> None:
    windows = mode(threshold(0.05, 3.0)).model_copy(update={"slope": 0.7, "bias": 0.0})
    found = calibration(mode(threshold(0.05, 2.0, scale=2.0)), windows)
    alone = Trusts.of(found, MADE, under(0.05).of_single_frames)
    assert alone.after(1).needed == 2.0 and "windows" not in alone.detail
    together = Trusts.of(found, MADE, under(0.05))
    first, later = together.after(1), together.after(2)
    assert first.needed == later.needed == 3.0
    assert (first.slope, first.covariance_scale) == (0.5, 2.0)  # as of single frames
    assert (later.slope, later.covariance_scale) == (0.7, 4.0)
    assert first.calibrated and later.calibrated and "single" not in together.detail


def test_windows_of_another_length_are_not_calibrated() -> None:
    config = under(0.05)
    config = config.model_copy(update={"evidence": EvidenceConfig(max_frames=4)})
    trusts = Trusts.of(calibration(mode(threshold(0.05, 2.0))), MADE, config)
    assert trusts.first.needed == shipped_support(0.05) and not trusts.first.calibrated
    assert "windows of 7 frames, evidence.max_frames is 4 now" in trusts.detail


def test_for_what_is_not_certified_probabilities_count() -> None:
    found = calibration(mode(threshold(0.05, 2.0)))
    strict = Trusts.of(found, MADE, under(0.01))
    assert strict.first.needed == shipped_support(0.01) and not strict.first.calibrated
    assert strict.first.covariance_scale == 9.0
    assert strict.first.log_odds(4.0) == 0.5 * 4.0 - 1.0
    assert "0.01 is not certified (certified: 0.05)" in strict.detail


def test_where_windows_are_not_certified_their_first_frame_is_not_either() -> None:
    found = calibration(mode(threshold(0.05, 2.0)), mode())
    trusts = Trusts.of(found, MADE, under(0.05))
    for trust in (trusts.after(1), trusts.after(2)):
        assert trust.needed == shipped_support(0.05) and not trust.calibrated
    assert Trusts.of(found, MADE, under(0.05).of_single_frames).first.calibrated


def test_a_stricter_target_never_needs_less() -> None:
    found = calibration(mode(threshold(0.05, 7.0), threshold(0.1, 6.5)))
    needed = [Trusts.of(found, MADE, under(t)).first.needed for t in (0.01, 0.05, 0.1, 0.2)]
    assert needed == [7.0, 7.0, 6.5, 6.5] and shipped_support(0.01) < 7.0


def test_few_drives_and_missing_ellipses_are_not_calibrated() -> None:
    few = Trusts.of(calibration(mode(threshold(0.05, 2.0, few=True))), MADE, under(0.05))
    assert few.first.needed == 2.0 and not few.first.calibrated
    assert "these drives only" in few.detail
    bare = Trusts.of(calibration(mode(threshold(0.05, 2.0, scale=None))), MADE, under(0.05))
    assert bare.first.needed == 2.0 and not bare.first.calibrated
    assert bare.first.covariance_scale == 1.0
    assert dict(bare.first.ellipse_radii) == dict(GAUSSIAN_RADII)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"manifest_sha256": "1" * 64}, "another region"),
        ({"version": "2"}, "version 1, this is 2"),
        ({"settings": {"retrieval.candidates": 5}}, "retrieval.candidates = 20, which is 5 now"),
        ({"settings": SETTINGS | {"new.one": 1}}, "new.one = None, which is 1 now"),
    ],
)
def test_it_counts_for_nothing_else(change: dict[str, Any], said: str) -> None:
    here = MADE.model_copy(update=change)
    trusts = Trusts.of(calibration(mode(threshold(0.05, 2.0))), here, under(0.05))
    assert trusts.first.needed == shipped_support(0.05) and not trusts.first.calibrated
    assert said in trusts.detail
    assert Trusts.of(None, here, under(0.05)).first == trusts.first


def test_what_changes_scores_is_recorded() -> None:
    recorded = set(_settings(LocalizerConfig()))
    assert {"retrieval.candidates", "retrieval.pseudo_frames"} <= recorded
    assert {"verification.keypoints", "verification.candidates"} <= recorded
    assert {"gate.false_radius_m", "fix.min_sigma_m", "max_speed_mps"} <= recorded
    assert not {"gate.target_false_fix_rate", "evidence.max_frames", "vlm.model"} & recorded
    other = LocalizerConfig(retrieval=RetrievalConfig(candidates=7))
    assert _settings(other) != _settings(LocalizerConfig())


def _settings(config: LocalizerConfig) -> dict[str, Any]:
    manifest: Any = _Manifest()
    return dict(Made.of(manifest, config).settings)


class _Manifest:
    references = 3

    class encoder:  # noqa: N801
        name = "tiny"

    def model_dump_json(self) -> str:
        return "{}"
