from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from test_images import picture

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping import exif
from vlm_vpr_ros.mapping.coordinates import NULL_ISLAND
from vlm_vpr_ros.mapping.sources import open_source

LUND: dict[int, Any] = {1: "N", 2: (55.0, 41.0, 53.75), 3: "E", 4: (13.0, 11.0, 42.5)}


def photo(path: Path, gps: dict[int, Any] | None = None, orientation: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags.get_ifd(0x8825).update(gps or {})
    Image.fromarray(picture()).save(path, exif=tags)


def test_order_drives_and_what_is_left_out(tmp_path: Path) -> None:
    root = tmp_path / "campus"
    for name in ("img10.jpg", "img9.JPG", "b/1.png", "a/c/2.jpg"):
        photo(root / name, LUND)
    photo(root / "no_gps.jpg")
    photo(root / "island.jpg", {1: "N", 2: (0.0, 0.0, 0.0), 3: "E", 4: (0.0, 0.0, 0.0)})
    photo(root / "no_ref.jpg", {2: LUND[2], 4: LUND[4]})
    (root / "broken.jpg").write_bytes(b"nonsense")
    (root / ".hidden.jpg").write_bytes(b"nonsense")
    (root / "notes.txt").write_text("hello")
    source = open_source(root)
    observations = list(source.observations())
    assert source.count() == 8
    assert [(o.source, o.drive) for o in observations] == [
        ("a/c/2.jpg", "campus/a/c"),
        ("b/1.png", "campus/b"),
        ("img9.JPG", "campus"),
        ("img10.jpg", "campus"),
    ]
    assert source.report.left_out == Counter(
        [exif.NO_POSITION, NULL_ISLAND, exif.NO_REFERENCE, "image cannot be read"]
    )
    assert source.report.names[exif.NO_REFERENCE] == ["no_ref.jpg"]
    assert "broken.jpg" in source.report.names["image cannot be read"][0]


def test_a_folder_is_one_drive_also_around_the_folders_in_it(tmp_path: Path) -> None:
    for name in ("a_1.jpg", "day/1.jpg", "evening/1.jpg", "pic_3.jpg"):
        photo(tmp_path / "q" / name, LUND)
    assert [(o.source, o.drive) for o in open_source(tmp_path / "q").observations()] == [
        ("a_1.jpg", "q"),
        ("pic_3.jpg", "q"),
        ("day/1.jpg", "q/day"),
        ("evening/1.jpg", "q/evening"),
    ]


def test_headings_against_magnetic_north_are_said(tmp_path: Path) -> None:
    photo(tmp_path / "a.jpg", {**LUND, 16: "M", 17: 10.0})
    source = open_source(tmp_path)
    (observation,) = source.observations()
    assert observation.heading_deg is None
    assert source.report.left_out == Counter({f"{exif.MAGNETIC} (image kept)": 1})


def test_drive_and_orientation(tmp_path: Path) -> None:
    photo(tmp_path / "x" / "a.jpg", LUND, orientation=6)
    (observation,) = open_source(tmp_path, drive="monday").observations()
    assert observation.drive == "monday"
    assert observation.load().shape == (48, 32, 3)


def test_the_folder_one_stands_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo(tmp_path / "walk" / "a.jpg", LUND)
    monkeypatch.chdir(tmp_path / "walk")
    source = open_source(".")
    assert source.name == "walk"
    assert [(o.source, o.drive) for o in source.observations()] == [("a.jpg", "walk")]


def test_what_is_not_a_source(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        open_source(tmp_path / "nowhere")
    with pytest.raises(SourceError, match=r"understood are: a rosbag2 folder.*\.csv.*EXIF"):
        open_source(tmp_path)
    (tmp_path / "notes.txt").write_text("hello")
    with pytest.raises(SourceError, match="no source of images"):
        open_source(tmp_path / "notes.txt")
    photo(tmp_path / "a.jpg", LUND)
    with pytest.raises(SourceError, match="not a bag"):
        open_source(tmp_path, fix_topic="/fix")


@pytest.mark.parametrize(
    ("name", "count", "sigmas", "headings"),
    [("world_exif", 60, 8, 10), ("penn_campus", 90, 69, 69), ("opensfm_lund/images", 29, 0, 0)],
)
def test_real_folders(shared_data: Path, name: str, count: int, sigmas: int, headings: int) -> None:
    source = open_source(shared_data / name)
    observations = list(source.observations())
    assert len([o for o in observations if o.position is not None]) == count
    assert sum(o.sigma_m is not None for o in observations) == sigmas
    assert sum(o.heading_deg is not None for o in observations) == headings


def test_real_folder_without_positions(shared_data: Path) -> None:
    source = open_source(shared_data / "vprbench_corridor" / "ref")
    assert list(source.observations()) == []
    assert source.report.left_out == Counter({exif.NO_POSITION: source.count()})
