"""`models check`: a real model in its process, asked about geotagged photos."""

from __future__ import annotations

import re
from concurrent.futures import Future
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml
from support.streets import observation, view
from support.tiny_vlm import write_tiny_vlm

from vlm_vpr_ros.cli.main import main
from vlm_vpr_ros.model_store.photo_check import CheckedPhoto, check_photos, shares_within
from vlm_vpr_ros.prior.answers import OpenAnswer
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.vlm.vlm_prior import VlmAnswer
from vlm_vpr_ros.types import GeoPoint

QUICK = ["--set", "vlm.samples=1", "--set", "vlm.n_threads=1"]
"""Threads of llama.cpp wait for each other busily: where others need the cores, one is faster."""


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of three images with positions, one of them damaged."""
    folder = tmp_path_factory.mktemp("photos")
    for place in (0, 1):
        cv2.imwrite(str(folder / f"{place}.png"), view(place, 0))
    (folder / "2.png").write_bytes(b"no picture")
    rows = ["path,lat,lon", "0.png,55.7,13.2", "1.png,48.8,2.3", "2.png,0,10"]
    (folder / "photos.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return folder / "photos.csv"


def test_answers_distances_and_seconds(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pair = write_tiny_vlm(tmp_path).pair
    options = ["--mmproj", str(pair.mmproj), *QUICK]
    assert main(["models", "check", str(pair.model), str(photos), *options]) == 0
    out = capfd.readouterr().out
    # Random weights: whatever it says is read, or is a failure that is told.
    assert len(re.findall(r"^[01]\.png: .+\(.*\d\.\d s\)$", out, re.MULTILINE)) == 2
    assert re.search(r"^2\.png: .*\(0\.0 s\)$", out, re.MULTILINE)
    assert re.search(
        r"^3 photos, \d placed: \d+% within 1 km, .*within 2500 km$", out, re.MULTILINE
    )


def test_every_second_photo(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pair = write_tiny_vlm(tmp_path).pair
    options = ["--mmproj", str(pair.mmproj), *QUICK, "--every", "2"]
    assert main(["models", "check", str(pair.model), str(photos), *options]) == 0
    assert "\n2 photos" in capfd.readouterr().out


def test_a_model_of_the_manifest(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    pair = write_tiny_vlm(tmp_path / "pair").pair
    entry = {
        "name": "tiny",
        "description": "For tests.",
        "repository": "a/b",
        "revision": "main",
        "files": {
            key: {"name": path.name, "bytes": path.stat().st_size}
            for key, path in (("model", pair.model), ("mmproj", pair.mmproj))
        },
        "licence": "MIT",
        "chat_handler": "",
        "memory_gb": 0.1,
        "run_here": True,
    }
    manifest = tmp_path / "manifest.yaml"
    content = {"host": "https://example.org", "models": [entry]}
    manifest.write_text(yaml.safe_dump(content), encoding="utf-8")
    options = ["--manifest", str(manifest), "--dir", str(tmp_path / "store")]
    check = ["models", "check", "tiny", str(photos), *QUICK, *options]
    assert main(check) == 2
    assert "vlm_vpr models fetch tiny" in capfd.readouterr().err
    (tmp_path / "store").mkdir()
    (tmp_path / "pair").rename(tmp_path / "store" / "tiny")
    assert main(check) == 0
    assert "3 photos" in capfd.readouterr().out


def test_wrong_use(photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for arguments, message in [
        (["absent.gguf", str(photos)], "--mmproj"),
        (["nonesuch", str(photos)], "no model `nonesuch`"),
        (["globe-7b", str(photos)], "convert_hf_to_gguf"),
        (["a.gguf", str(tmp_path / "none"), "--mmproj", "b.gguf"], "does not exist"),
    ]:
        assert main(["models", "check", *arguments]) == 2
        assert message in capfd.readouterr().err
    with pytest.raises(SystemExit):
        main(["models", "check", "a.gguf", str(photos), "--mmproj", "b.gguf", "--every", "0"])
    assert "--every: invalid number, 1 or more" in capfd.readouterr().err


def test_files_that_are_no_models_are_told(
    photos: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.gguf").write_bytes(b"GGUF")
    options = ["--mmproj", str(tmp_path / "a.gguf"), "--set", "vlm.timeout_s=20"]
    assert main(["models", "check", str(tmp_path / "a.gguf"), str(photos), *options]) == 1
    assert "0 placed" in capfd.readouterr().out


def test_shares_are_of_all_photos() -> None:
    checked = [
        CheckedPhoto("a", "", 500.0, 1.0),
        CheckedPhoto("b", "", 100e3, 1.0),
        CheckedPhoto("c", "failed", None, 1.0),
        CheckedPhoto("d", "", 9000e3, 1.0),
    ]
    assert shares_within(checked) == {1: 0.25, 25: 0.25, 200: 0.5, 750: 0.5, 2500: 0.5}


class _Says:
    """Answers like a model that knows Lund."""

    def ask(self, image: np.ndarray, stamp_ns: int, *, patient: bool) -> Future[VlmAnswer]:
        assert image.ndim == 3
        assert patient
        future: Future[VlmAnswer] = Future()
        clues = (("yellow brick", "road sign"), ("road sign", ""))
        said = tuple(OpenAnswer("Sweden", "", "Lund", 55.7, 13.2, each) for each in clues)
        future.set_result(VlmAnswer(stamp_ns, open=said))
        return future


def test_what_led_a_model_there_is_shown() -> None:
    photo = observation(0, "photos", position=GeoPoint(55.7, 13.19))
    (checked,) = check_photos(_Says(), [photo], Gazetteer.load())  # type: ignore[arg-type]
    assert checked.said.endswith("[yellow brick; road sign]")
    assert "Lund, Sweden" in checked.said
    assert checked.error_m < 5000
