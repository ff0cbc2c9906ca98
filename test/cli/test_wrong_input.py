from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest
from small_town import Command, write_drive
from support.tiny_encoder import write_tiny_encoder
from support.tiny_vlm import write_tiny_vlm

from vlm_vpr_ros.cli.main import main


def complaint(vlm_vpr: Command, *arguments: object) -> str:
    done = vlm_vpr(*arguments, code=2)
    assert done.stdout == ""
    return done.stderr


def test_no_command(vlm_vpr: Command) -> None:
    assert "usage: vlm_vpr" in complaint(vlm_vpr)


@pytest.mark.parametrize("command", ["info", "map", "localize", "evaluate"])
def test_a_missing_region(vlm_vpr: Command, tmp_path: Path, town: Path, command: str) -> None:
    more = {
        "info": [],
        "map": ["--out", tmp_path / "map.png"],
        "localize": [town / "evening" / "0.png"],
        "evaluate": [town / "evening.csv"],
    }[command]
    text = complaint(vlm_vpr, command, tmp_path / "nowhere", *more)
    assert "nowhere: there is no such region" in text


def test_a_damaged_region(vlm_vpr: Command, region: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(region, copy)
    index = copy / "descriptors.faiss"
    content = bytearray(index.read_bytes())
    content[-1] ^= 1
    index.write_bytes(content)
    text = complaint(vlm_vpr, "info", copy, "--json")
    assert "descriptors.faiss: damaged (SHA-256 differs)" in text


def test_a_source_that_is_not_there(vlm_vpr: Command, tmp_path: Path) -> None:
    text = complaint(vlm_vpr, "build", tmp_path / "none.csv", "--out", tmp_path / "region")
    assert "none.csv does not exist" in text


def test_an_empty_folder(vlm_vpr: Command, tmp_path: Path, encoder: Path) -> None:
    (tmp_path / "empty").mkdir()
    text = complaint(
        vlm_vpr, "build", tmp_path / "empty", "--out", tmp_path / "region", "--encoder", encoder
    )
    assert "empty" in text
    assert not (tmp_path / "region").exists()


def test_swapped_coordinates(vlm_vpr: Command, tmp_path: Path, encoder: Path) -> None:
    table = write_drive(tmp_path, "drive", places=3)
    rows = [f"drive/{i}.png,153.0{i},-27.5" for i in range(3)]
    table.write_text("\n".join(["path,lat,lon", *rows]) + "\n", encoding="utf-8")
    text = complaint(vlm_vpr, "build", table, "--out", tmp_path / "region", "--encoder", encoder)
    assert "drive.csv: " in text and "latitude" in text


def test_an_output_that_is_something_else(
    vlm_vpr: Command, town: Path, tmp_path: Path, encoder: Path
) -> None:
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "dear.txt").write_text("Dear", encoding="utf-8")
    text = complaint(
        vlm_vpr, "build", town / "morning.csv", "--out", tmp_path / "letters", "--encoder", encoder
    )
    assert "exists and is not a region" in text


def test_a_missing_encoder(vlm_vpr: Command, town: Path, tmp_path: Path) -> None:
    text = complaint(
        *(vlm_vpr, "build", town / "morning.csv", "--out", tmp_path / "region"),
        *("--encoder", tmp_path / "none.yaml"),
    )
    assert "none.yaml: cannot read the model card" in text


def test_another_encoder_than_the_regions(
    vlm_vpr: Command, region: Path, town: Path, tmp_path: Path
) -> None:
    card = write_tiny_encoder(tmp_path, name="other", color="BGR")
    text = complaint(
        *(vlm_vpr, "localize", region, town / "evening" / "0.png"),
        *("--set", f"encoder.name={card}"),
    )
    assert "built with the encoder `tiny`, not `other`" in text


@pytest.mark.parametrize(
    "setting, says",
    [
        ("gate.target_fals_fix_rate=0.1", "did you mean `gate.target_false_fix_rate`?"),
        ("gate.target_false_fix_rate=2", "less than 0.5"),
        ("retrieval.candidates=many", "valid integer"),
        ("candidates", "expected NAME=VALUE"),
        ("encoder.providers=[", "not valid YAML"),
        ("prior.center=2024-13-01", "not valid YAML"),
        ("encoder.providers=" + "[" * 10_000, "not valid YAML"),
    ],
)
def test_wrong_parameters(
    vlm_vpr: Command, region: Path, town: Path, setting: str, says: str
) -> None:
    image = town / "evening" / "0.png"
    assert says in complaint(vlm_vpr, "localize", region, image, "--set", setting)


def test_a_parameter_file_that_is_none(vlm_vpr: Command, region: Path, town: Path) -> None:
    image = town / "evening" / "0.png"
    text = complaint(vlm_vpr, "localize", region, image, "--params", town / "morning.csv")
    assert "not a ROS 2 parameter file" in text


def test_a_mistyped_image(vlm_vpr: Command, region: Path, tmp_path: Path) -> None:
    text = complaint(vlm_vpr, "localize", region, tmp_path / "none.png")
    assert "none.png: there is no such image file" in text


def test_arguments_in_the_wrong_order(vlm_vpr: Command, region: Path, town: Path) -> None:
    image = town / "evening" / "0.png"
    assert "is a folder" in complaint(vlm_vpr, "localize", image, region)
    text = complaint(vlm_vpr, "evaluate", town / "evening.csv", region)
    assert "evening.csv: not a region, which is a folder" in text


def test_a_drive_that_is_named_twice(vlm_vpr: Command, region: Path, town: Path) -> None:
    table = town / "evening.csv"
    again = town / "." / "evening" / ".." / "evening.csv"
    for command in ("evaluate", "calibrate"):
        assert "is named twice" in complaint(vlm_vpr, command, region, table, again)


@pytest.mark.parametrize(
    "option, says",
    [
        (["--json", "no/folder/result.json"], "there is no folder no/folder"),
        (["--json", "/"], "is a folder"),
        (["--map", "map.pdf"], "a map ends in .html, .png or .geojson"),
        (["--report", "report.pdf"], "a report ends in .html"),
        (["--frames", "0"], "number, 1 or more"),
        (["--false-fix-m", "near"], "invalid"),
        (["--false-fix-m", "-1"], "invalid"),
        (["--false-fix-m", "0"], "invalid distance above 0 in metres"),
    ],
)
def test_outputs_are_checked_before_the_work(
    vlm_vpr: Command, region: Path, town: Path, option: list[str], says: str
) -> None:
    assert says in complaint(vlm_vpr, "evaluate", region, town / "evening.csv", *option)


def test_an_output_is_none_of_the_inputs(
    region: Path, town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, photo = town / "evening.csv", town / "evening" / "0.png"
    link = tmp_path / "link.png"
    link.symlink_to(photo)
    manifest = region / "manifest.json"
    asked = {
        ("localize", region, photo, "--picture", photo): f"is the input {photo}",
        ("localize", region, photo, "--picture", link): f"is the input {photo}",
        ("localize", region, link, "--picture", photo): f"is the input {link}",
        ("localize", region, photo, "--picture", region / "x.png"): f"lies in the input {region}",
        ("evaluate", region, table, "--json", table): f"is the input {table}",
        ("evaluate", region, table, "--json", manifest): f"lies in the input {region}",
        ("map", region, "--out", region / "map.html"): f"lies in the input {region}",
    }
    before = {path: path.read_bytes() for path in (table, photo, manifest)}
    for arguments, says in asked.items():
        assert main([str(argument) for argument in arguments]) == 2
        assert says in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before
    assert link.is_symlink()


def test_two_results_in_one_file(
    region: Path, town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    both = ["--report", "both.html", "--map", "./both.html"]
    assert main(["evaluate", str(region), str(town / "evening.csv"), *both]) == 2
    assert "both.html: two results cannot be written to one file" in capsys.readouterr().err


@pytest.mark.skipif(not Path("/proc/self/fdinfo").is_dir(), reason="no /proc here")
def test_a_folder_that_cannot_be_written(
    region: Path, town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = "/proc/self/fdinfo/x.json"
    assert main(["evaluate", str(region), str(town / "evening.csv"), "--json", path]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert f"vlm_vpr: {path}: no file can be made in " in captured.err


def test_the_demo_has_its_own_drives(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sim", "--out", str(tmp_path / "world"), "--drives", "3"]) == 2
    assert "--drives needs --preset statistics" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_model_that_was_opened_in_vain_is_closed(
    region: Path,
    town: Path,
    encoder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(region, copy)
    (copy / "calibration.json").write_text("{", encoding="utf-8")
    pair = write_tiny_vlm(tmp_path).pair
    settings = (
        f"encoder.name={encoder}",
        f"vlm.model={pair.model}",
        f"vlm.mmproj={pair.mmproj}",
        "vlm.n_threads=1",
    )
    options = [word for setting in settings for word in ("--set", setting)]
    assert main(["evaluate", str(copy), str(town / "evening.csv"), *options]) == 2
    assert "calibration.json: damaged" in capsys.readouterr().err
    assert "vlm" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("distance", ["-1", "nan", "inf", "far"])
def test_a_wrong_distance(vlm_vpr: Command, town: Path, tmp_path: Path, distance: str) -> None:
    text = complaint(
        *(vlm_vpr, "build", town / "morning.csv", "--out", tmp_path / "region"),
        f"--every={distance}",
    )
    assert "--every: invalid distance in metres value" in text
