"""`vlm_vpr calibrate`, from pictures to a published ellipse."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from small_town import Command, write_drive

THREE = "evidence.max_frames=3"


@pytest.fixture(name="on", scope="module")
def _on(vlm_vpr: Command, encoder: Path) -> Command:
    """Runs a command with the encoder of the region, and parameters."""

    def run(*arguments: object, sets: tuple[str, ...] = (), code: int = 0) -> object:
        names = (f"encoder.name={encoder}", *sets)
        return vlm_vpr(*arguments, *(a for name in names for a in ("--set", name)), code=code)

    return run


@pytest.fixture(name="mapped")
def _mapped(region: Path, tmp_path: Path) -> Path:
    """A copy of the region that may be changed."""
    return Path(shutil.copytree(region, tmp_path / "region"))


@pytest.fixture(name="week", scope="module")
def _week(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Six more drives past the same places."""
    folder = tmp_path_factory.mktemp("week")
    return [write_drive(folder, f"day{n}", visit=2 + n) for n in range(6)]


def test_alternating_rows_of_two_drives_are_two_drives(
    on: Command, mapped: Path, week: list[Path]
) -> None:
    rows = [path.read_text().splitlines() for path in week[:2]]
    mixed = week[0].with_name("mixed.csv")
    pairs = zip(rows[0][1:], rows[1][1:], strict=True)
    lines = [f"{row},{drive}" for pair in pairs for row, drive in zip(pair, "ab", strict=True)]
    mixed.write_text("\n".join([f"{rows[0][0]},drive", *lines]))
    said = on("calibrate", mapped, mixed, "--target", "0.3", sets=(THREE,)).stdout
    assert "on 2 drives, 24 frames" in said
    assert "for further drives" not in said


def test_from_drives_to_a_calibrated_fix(
    on: Command, vlm_vpr: Command, mapped: Path, week: list[Path], town: Path, tmp_path: Path
) -> None:
    command = ("calibrate", mapped, *week, "--target", "0.01", "0.3")
    said = on(*command, sets=(THREE,)).stdout
    assert "on 6 drives, 72 frames, 0 of them outside" in said
    assert "single frames: at most 0.3 of the answers false, for further drives" in said
    assert "single frames: 0.01 cannot be promised" in said

    content = json.loads((mapped / "calibration.json").read_text())
    assert set(content["drives"]) == {f"day{n}" for n in range(6)}
    assert content["made"]["encoder"] == "tiny"
    shown = json.loads(vlm_vpr("info", mapped, "--json").stdout)["calibration"]
    assert shown == content
    assert "at most 0.3 of the answers false" in vlm_vpr("info", mapped).stdout

    out = tmp_path / "scores.json"
    target = "gate.target_false_fix_rate="
    on("evaluate", mapped, town / "evening.csv", "--json", out, sets=(THREE, f"{target}0.3"))
    fixes = json.loads(out.read_text())["cold"]["fixes"]
    assert 0 < fixes["accepted"] == fixes["calibrated"]

    # With settings of which nothing is known, and for a target that was refused: approximate.
    for other in (("retrieval.pseudo_frames=4", f"{target}0.3"), (THREE, f"{target}0.01")):
        said = on("evaluate", mapped, town / "evening.csv", "--json", out, sets=other)
        assert json.loads(out.read_text())["cold"]["fixes"]["calibrated"] == 0
        unlike = "note: calibration: generic: the region's own is not used" in said.stdout
        assert unlike == (THREE not in other)
    photo = town / "evening" / "5.png"
    for setting, unlike in (("fix.min_sigma_m=5", True), (f"{target}0.3", False)):
        said = on("localize", mapped, photo, sets=(THREE, setting))
        assert ("note: calibration: generic: the region's own" in said.stdout) == unlike

    # Single frames are what they were, whatever the length of windows.
    four = ("evidence.max_frames=4", f"{target}0.3")
    on("evaluate", mapped, town / "evening.csv", "--json", out, sets=four)
    scores = json.loads(out.read_text())
    assert scores["fixes"]["calibrated"] == 0
    assert scores["cold"]["fixes"]["calibrated"] == fixes["calibrated"]


def test_a_drive_of_the_region_is_refused(on: Command, mapped: Path, town: Path) -> None:
    said = on("calibrate", mapped, town / "morning.csv", code=2).stderr
    assert "is a reference of this region" in said
    assert not (mapped / "calibration.json").exists()


def test_nothing_is_written_where_nothing_can_be_promised(
    on: Command, vlm_vpr: Command, mapped: Path, town: Path
) -> None:
    evening = town / "evening.csv"
    said = on("calibrate", mapped, evening, "--target", "0.01", code=2).stderr
    assert "nothing was written" in said and "230" in said and "5 drives" in said
    assert not (mapped / "calibration.json").exists()
    assert "not calibrated" in vlm_vpr("info", mapped).stdout
    said = on("calibrate", mapped, evening, "--target", "0.6", code=2).stderr
    assert "share of false answers" in said


def test_a_damaged_calibration_is_named_and_mended(
    on: Command, vlm_vpr: Command, mapped: Path, week: list[Path], town: Path
) -> None:
    (mapped / "calibration.json").write_text("{}")
    picture = town / "evening" / "0.png"
    assert "calibration.json: damaged" in vlm_vpr("info", mapped, code=2).stderr
    assert "calibration.json: damaged" in on("localize", mapped, picture, code=2).stderr
    on("calibrate", mapped, *week, "--target", "0.3")
    assert "at most 0.3" in vlm_vpr("info", mapped).stdout
