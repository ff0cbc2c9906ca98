from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest
from small_town import PLACES, ROOT, Command, write_drive
from support.streets import view

from vlm_vpr_ros import __version__
from vlm_vpr_ros.cli.main import main


def test_help_and_version_need_no_heavy_library() -> None:
    script = (
        "import sys; from vlm_vpr_ros.cli.main import parser; parser().format_help();"
        "heavy = {'numpy', 'cv2', 'faiss', 'onnxruntime', 'pyarrow', 'matplotlib', 'pydantic'};"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_version(vlm_vpr: Command) -> None:
    assert vlm_vpr("--version").stdout.strip() == f"vlm_vpr {__version__}"


@pytest.mark.parametrize(
    "command",
    ["build", "info", "map", "localize", "calibrate", "evaluate", "replay", "models"],
)
def test_every_command_explains_itself(vlm_vpr: Command, command: str) -> None:
    assert f"usage: vlm_vpr {command}" in vlm_vpr(command, "--help").stdout


def test_build_says_what_it_did(
    vlm_vpr: Command, town: Path, encoder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new"
    text = vlm_vpr("build", town / "morning.csv", "--out", out, "--encoder", encoder).stdout
    assert f"added morning: {PLACES} references" in text
    assert f"next: vlm_vpr info {out}" in text
    again = vlm_vpr(
        *("build", town / "evening.csv", "--out", out, "--encoder", encoder),
        *("--drive", "dusk", "--every", "30"),
    ).stdout
    assert "added dusk: 6 references" in again
    assert "left out: 6 × image less than 30 m from the last" in again
    drives = json.loads(vlm_vpr("info", out, "--json").stdout)["drives"]
    assert {name: d["references"] for name, d in drives.items()} == {"morning": 12, "dusk": 6}


def test_a_bad_image_does_not_end_a_build(vlm_vpr: Command, encoder: Path, tmp_path: Path) -> None:
    table = write_drive(tmp_path, "drive")
    (tmp_path / "drive" / "3.png").write_bytes(b"no image")
    text = vlm_vpr("build", table, "--out", tmp_path / "region", "--encoder", encoder).stdout
    assert f"added drive: {PLACES - 1} references" in text
    assert "not readable: 1 image\n  drive/3.png: " in text


def test_info_for_people_and_programs(vlm_vpr: Command, region: Path) -> None:
    text = vlm_vpr("info", region).stdout
    assert "hashes          verified" in text
    assert "morning" in text and "19.9 m" in text
    assert f"Água Izé, Sao Tome and Principe ({PLACES})" in text  # the nearest town on land
    facts = json.loads(vlm_vpr("info", region, "--json").stdout)
    (place,) = facts["places"]
    assert place["references"] == PLACES and place["radius_m"] == pytest.approx(110, abs=1)
    assert facts["references"] == PLACES and facts["hashes"] == "verified"
    assert facts["drives"]["morning"]["spacing_m"] == pytest.approx(20, abs=0.2)
    assert facts["extent_m"]["north_south"] == pytest.approx(220, rel=0.01)


def test_info_names_the_local_features(
    vlm_vpr: Command, region: Path, town: Path, encoder: Path, tmp_path: Path
) -> None:
    facts = json.loads(vlm_vpr("info", region, "--json").stdout)
    local = facts["local_features"]
    assert local["name"] == "xfeat" and len(local["fingerprint"]) == 64
    stored = sum(size for name, size in facts["files"].items() if name.startswith("features/"))
    assert local["bytes_per_reference"] == round(stored / PLACES, 1) > 1000
    shown = f"xfeat ({local['fingerprint'][:12]}), {local['bytes_per_reference']:,.0f} bytes a ref"
    assert shown in vlm_vpr("info", region).stdout
    assert facts["thumbnails"]["bytes_per_reference"] > 500
    out = tmp_path / "plain"
    options = ("--encoder", encoder, "--no-features", "--no-thumbnails")
    vlm_vpr("build", town / "morning.csv", "--out", out, *options)
    assert "none: no geometric verification" in vlm_vpr("info", out).stdout
    assert json.loads(vlm_vpr("info", out, "--json").stdout)["local_features"] is None
    assert not (out / "thumbnails").exists()


def test_localize_finds_a_place(vlm_vpr: Command, region: Path, encoder: Path, town: Path) -> None:
    image = town / "evening" / "5.png"
    options = ("--set", f"encoder.name={encoder}", "--json")
    (record,) = json.loads(vlm_vpr("localize", region, image, *options).stdout)
    assert record["image"] == str(image)
    assert record["accepted"] is True and record["reason"] == "accepted"
    assert record["lat"] == pytest.approx(5 * 20 / 111_000, abs=1e-5)
    assert np.linalg.eigvalsh(record["covariance_enu_m2"]).min() > 0
    assert record["probability"] == record["hypotheses"][0]["probability"]


def test_localize_refuses_and_goes_on(
    vlm_vpr: Command, region: Path, encoder: Path, tmp_path: Path, town: Path
) -> None:
    cv2.imwrite(str(tmp_path / "dark.png"), np.zeros((96, 128, 3), np.uint8))
    cv2.imwrite(str(tmp_path / "elsewhere.png"), view(99))
    (tmp_path / "bad.jpg").write_bytes(b"\xff\xd8 no image")
    names = ["dark.png", "elsewhere.png", "bad.jpg"]
    images = [*(tmp_path / name for name in names), town / "evening" / "5.png"]
    options = ("--set", f"encoder.name={encoder}")
    done = vlm_vpr("localize", region, *images, *options, "--json")
    records = json.loads(done.stdout)
    reasons = [record["reason"] for record in records]
    assert reasons == ["dark_image", "weak_evidence", "corrupt_image", "accepted"]
    assert all(r["lat"] is None and r["covariance_enu_m2"] is None for r in records[:3])
    text = vlm_vpr("localize", region, *images, *options).stdout
    assert f"{images[0]}: refused, dark_image" in text
    assert "like morning/5.png" in text


def test_localize_says_what_became_of_the_prior(
    region: Path, encoder: Path, town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["localize", str(region), str(town / "evening" / "5.png")]
    command += ["--set", f"encoder.name={encoder}"]
    assert main([*command, "--set", "prior.center=0.0, 7.0"]) == 0
    assert "\n  prior: used, " in capsys.readouterr().out
    assert main(command) == 0
    assert "prior:" not in capsys.readouterr().out


def test_localize_draws_the_match(
    vlm_vpr: Command, region: Path, encoder: Path, town: Path, tmp_path: Path
) -> None:
    image, out = town / "evening" / "5.png", tmp_path / "out.png"
    options = ("--picture", out, "--set", f"encoder.name={encoder}")
    done = vlm_vpr("localize", region, image, "--json", *options)
    assert json.loads(done.stdout)[0]["accepted"] is True
    assert cv2.imread(str(out)).shape[1] == 640 + 8 + 640
    two = vlm_vpr("localize", region, image, image, *options, code=2)
    assert "--picture shows one image, not 2" in two.stderr
    pdf = vlm_vpr("localize", region, image, "--picture", tmp_path / "out.pdf", code=2)
    assert "ends in .png or .jpg" in pdf.stderr


def test_images_are_localized_each_for_itself(
    vlm_vpr: Command, region: Path, encoder: Path, town: Path
) -> None:
    images = [town / "evening" / f"{i}.png" for i in (1, 7)]
    options = ("--set", f"encoder.name={encoder}", "--json")
    alone = json.loads(vlm_vpr("localize", region, images[1], *options).stdout)[0]
    second = json.loads(vlm_vpr("localize", region, *images, *options).stdout)[1]
    for record in (alone, second):
        del record["latency_ms"]
    assert alone == second


def test_evaluate(
    vlm_vpr: Command, region: Path, encoder: Path, town: Path, tmp_path: Path
) -> None:
    done = vlm_vpr(
        *("evaluate", region, town / "evening.csv", "--json", tmp_path / "result.json"),
        *("--map", tmp_path / "result.html", "--set", f"encoder.name={encoder}"),
        *("--report", tmp_path / "report.html"),
    )
    record = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert record["recall"]["12"]["1"] == record["cold"]["recall"]["12"]["1"] == 1.0
    assert record["fixes"]["queries"] == len(record["queries"]) == PLACES
    assert record["fixes"]["false"] == 0 and record["own_references"] == 0
    assert record["queries"][4]["source"] == "evening/4.png"
    assert set(record["latency_ms"]) >= {"encode", "search", "total"}
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Evaluation on region" in page and page.count("data:image/jpeg;base64,") >= 4
    assert "within 12 m" in done.stdout and "right fixes" in (tmp_path / "result.html").read_text()


def test_evaluate_windows(
    vlm_vpr: Command, region: Path, encoder: Path, town: Path, tmp_path: Path
) -> None:
    options = ("--json", tmp_path / "result.json", "--set", f"encoder.name={encoder}")
    done = vlm_vpr("evaluate", region, town / "evening.csv", "--frames", 3, *options)
    record = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert record["frames"] == 3 and record["fixes"]["queries"] == PLACES - 2
    assert record["queries"][0]["source"] == "evening/2.png"
    assert record["false_fix_m"] == 50.0
    assert "3 frames R@1" in done.stdout and "2 × query before the first whole" in done.stdout
    wrong = vlm_vpr("evaluate", region, town / "evening.csv", "--frames", 0, code=2)
    assert "--frames" in wrong.stderr


def test_evaluate_warns_of_queries_that_are_references(
    vlm_vpr: Command, region: Path, encoder: Path, town: Path
) -> None:
    done = vlm_vpr("evaluate", region, town / "morning.csv", "--set", f"encoder.name={encoder}")
    assert f"warning: {PLACES} of the queries are references" in done.stdout


def test_parameters_come_from_a_file_and_from_the_line(
    vlm_vpr: Command, region: Path, encoder: Path, town: Path, tmp_path: Path
) -> None:
    params = tmp_path / "params.yaml"
    params.write_text(
        f"/**:\n  ros__parameters:\n    encoder: {{name: {encoder}}}\n    retrieval:\n"
        "      candidates: 2\n",
        encoding="utf-8",
    )
    image = town / "evening" / "5.png"
    command = ("localize", region, image, "--params", params, "--json")
    (record,) = json.loads(vlm_vpr(*command).stdout)
    assert sum(len(h["references"]) for h in record["hypotheses"]) == 2
    (record,) = json.loads(vlm_vpr(*command, "--set", "retrieval.candidates=3").stdout)
    assert sum(len(h["references"]) for h in record["hypotheses"]) == 3


@pytest.mark.parametrize("ending", ["png", "html"])
def test_map(vlm_vpr: Command, region: Path, tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"map.{ending}"
    assert vlm_vpr("map", region, "--out", path).stdout == f"wrote {path}\n"
    start = path.read_bytes()[:15]
    assert start.startswith(b"\x89PNG" if ending == "png" else b"<!DOCTYPE html>")


def test_a_closed_pipe_is_quiet(region: Path) -> None:
    command = f'"{sys.executable}" -m vlm_vpr_ros.cli.main info "{region}" --json | true'
    done = subprocess.run(
        command, shell=True, cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_an_interrupted_build_continues(vlm_vpr: Command, encoder: Path, tmp_path: Path) -> None:
    images = 6000
    table = write_drive(tmp_path, "drive", places=1)
    rows = [f"drive/0.png,{i * 1e-5:.8f},7.0" for i in range(images)]
    table.write_text("\n".join(["path,lat,lon", *rows]) + "\n", encoding="utf-8")
    out = tmp_path / "region"
    command = ["build", str(table), "--out", str(out), "--encoder", str(encoder), "--no-features"]
    process = subprocess.Popen(
        [sys.executable, "-m", "vlm_vpr_ros.cli.main", *command],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )
    work = out.with_name("region.building")
    deadline = time.monotonic() + 60
    while not any(work.glob("batch_*.json")) and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted; --resume continues" in errors and "Traceback" not in errors
    assert not out.exists()
    assert "Add --resume" in vlm_vpr(*command, code=2).stderr
    assert f"{images:,} references" in vlm_vpr(*command, "--resume").stdout
    assert not work.exists()
