from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from test_images import picture

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping import kitti
from vlm_vpr_ros.mapping.coordinates import NULL_ISLAND
from vlm_vpr_ros.mapping.kitti import KittiRaw
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.types import AltitudeDatum

DRIVE = "2011_09_26_drive_0002_sync"
WEST = 3.14159265
Record = Callable[[int], str]


def record(number: int, lat: float = 49.0, yaw: float = WEST, navstat: int = 4) -> str:
    """As in oxts/data: heading west, a tenth of a second and about a metre a record."""
    lon = 8.4 - 1.37e-5 * number
    motion = " ".join(["0.1"] * 17)
    return f"{lat} {lon} 116.4 0.01 0.02 {yaw} {motion} 0.07 0.03 {navstat} 9 6 6 0"


def drive(folder: Path, count: int = 6, line: Record = record, cameras: str = "02 03") -> Path:
    """A drive in KITTI's layout; the images were taken half way between the records."""
    for camera in cameras.split():
        data = folder / f"image_{camera}" / "data"
        data.mkdir(parents=True)
        for number in range(count):
            Image.fromarray(picture()).save(data / f"{number:010}.png")
        stamps = (f"2011-09-26 13:02:44.{100 * n + 50:03}000000" for n in range(count))
        (data.parent / "timestamps.txt").write_text("\n".join(stamps) + "\n")
    data = folder / "oxts" / "data"
    data.mkdir(parents=True)
    for number in range(count):
        (data / f"{number:010}.txt").write_text(line(number) + "\n")
    stamps = (f"2011-09-26 13:02:44.{100 * n:03}000000" for n in range(count))
    (data.parent / "timestamps.txt").write_text("\n".join(stamps) + "\n")
    return folder


def test_an_image_between_two_records(tmp_path: Path) -> None:
    source = open_source(drive(tmp_path / DRIVE))
    observations = list(source.observations())
    assert source.count() == len(observations) == 6
    second = observations[1]
    assert second.source == "image_02/data/0000000001.png"
    assert second.drive == DRIVE
    assert second.stamp_ns == 1_317_042_164_150_000_000
    assert second.position is not None
    assert second.position.lon_deg == pytest.approx(8.4 - 1.37e-5 * 1.5, abs=1e-9)
    assert second.position.alt_m == pytest.approx(116.4)
    assert second.altitude_datum is AltitudeDatum.MEAN_SEA_LEVEL
    assert second.heading_deg == pytest.approx(270.0, abs=1e-4)
    assert second.course_deg == pytest.approx(270.0, abs=0.1)
    assert second.sigma_m is not None
    assert 1.1 < second.sigma_m < 1.2, "the accuracy of the unit and the arm to the camera"
    assert second.load().shape == (32, 48, 3)


def test_a_car_that_reverses_still_looks_ahead(tmp_path: Path) -> None:
    source = open_source(drive(tmp_path / DRIVE, line=lambda n: record(n, yaw=0.0)))
    middle = list(source.observations())[3]
    assert middle.heading_deg == pytest.approx(90.0)
    assert middle.course_deg == pytest.approx(270.0, abs=0.1)


def test_the_camera_is_chosen(tmp_path: Path) -> None:
    folder = drive(tmp_path / DRIVE, cameras="00 03")
    with pytest.raises(SourceError, match=r"no camera image_02.*image_00, image_03.*--image-topic"):
        open_source(folder)
    observations = list(open_source(folder, image_topic="image_03").observations())
    assert {o.source.split("/")[0] for o in observations} == {"image_03"}
    with pytest.raises(SourceError, match="no camera \\.\\."):
        open_source(folder, image_topic="..")
    with pytest.raises(SourceError, match="leave out --fix-topic and --odom-topic"):
        open_source(folder, image_topic="image_03", fix_topic="/fix", odom_topic="/odom")


@pytest.mark.parametrize("above", [1, 2])
def test_a_folder_of_drives(tmp_path: Path, above: int) -> None:
    day = tmp_path / "kitti" / "2011_09_26"
    for name in (DRIVE, "2011_09_26_drive_0005_sync"):
        drive(day / name, count=2)
    source = open_source([day, day.parent][above - 1])
    drives = [o.drive for o in source.observations()]
    assert drives == [DRIVE] * 2 + ["2011_09_26_drive_0005_sync"] * 2


def test_copies_of_a_drive_come_together(tmp_path: Path) -> None:
    other = "2011_09_26_drive_0005_sync"
    for name in (f"a/{DRIVE}", f"a/{other}", f"b/{DRIVE}"):
        drive(tmp_path / name, count=2)
    drives = [o.drive for o in open_source(tmp_path).observations()]
    assert drives == [DRIVE] * 4 + [other] * 2


def test_what_cannot_be_used_is_counted(tmp_path: Path) -> None:
    lines = {
        0: record(0, navstat=2),
        1: "49.0 8.4",
        2: record(2, lat=float("nan")),
        3: record(3).replace("0.1", "none"),
        4: "0 0 " + record(4).split(" ", 2)[2],
    }
    folder = drive(tmp_path / DRIVE, count=30, line=lambda n: lines.get(n) or record(n))
    (folder / "oxts" / "data" / "0000000100.txt").write_text(record(100))
    (folder / "image_02" / "data" / "0000000100.png").write_bytes(b"")
    (folder / "image_02" / "data" / "notes.txt").write_text("hello")
    source = open_source(folder)
    observations = list(source.observations())
    assert len(observations) == 30
    assert source.report.left_out == Counter(
        {kitti.NOT_ALIGNED: 1, kitti.DAMAGED: 3, NULL_ISLAND: 1, kitti.NO_STAMP: 2}
    )
    assert source.report.names[kitti.NOT_ALIGNED] == ["oxts/data/0000000000.txt"]
    assert all(o.position is not None for o in observations), "records lie half a second away"


def test_a_long_gap_in_the_records_leaves_images_without_a_position(tmp_path: Path) -> None:
    lost = drive(tmp_path / DRIVE, 9, line=lambda n: record(n, navstat=4 if n < 2 else 0))
    source = open_source(lost)
    placed = [o.position is not None for o in source.observations()]
    assert placed == [True] * 6 + [False] * 3
    assert source.report.left_out == Counter({kitti.NOT_ALIGNED: 7})


def test_timestamps_that_are_missing(tmp_path: Path) -> None:
    folder = drive(tmp_path / DRIVE)
    (folder / "oxts" / "timestamps.txt").unlink()
    with pytest.raises(SourceError, match=r"oxts/timestamps.txt .*cannot be read"):
        list(open_source(folder).observations())


def test_a_real_drive(shared_data: Path) -> None:
    source = open_source(shared_data / "kitti_0002_10f")
    assert isinstance(source, KittiRaw)
    observations = list(source.observations())
    assert len(observations) == 10
    assert source.report.left_out == Counter()
    for observation in observations:
        # The car drives straight on: it goes where it looks.
        assert observation.heading_deg == pytest.approx(observation.course_deg, abs=2.0)
    ticks = [o.stamp_ns or 0 for o in observations]
    assert all(0.09e9 < b - a < 0.12e9 for a, b in itertools.pairwise(ticks))
