from __future__ import annotations

import math
import shutil
import sqlite3
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from bags import STORE1, Record, compressed, fix, raw, write_rosbag1, write_rosbag2
from hypothesis import given, settings
from hypothesis import strategies as st
from test_images import close, encoded, picture

from vlm_vpr_ros.errors import ImageError, SourceError, VlmVprError
from vlm_vpr_ros.mapping.bag_file import open_bag
from vlm_vpr_ros.mapping.fix_track import FixTrack
from vlm_vpr_ros.mapping.navsat import NO_FIX, fix_from_message, fix_problem
from vlm_vpr_ros.mapping.observation import Observation
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.types import AltitudeDatum

S = 10**9
START = 1_700_000_000 * S
JPEG = encoded(picture(), "JPEG")


def drive(count: int = 4, *, camera: str = "/camera", store: object = None) -> list[Record]:
    """Images at half seconds, fixes at whole ones, going east at 11 m/s; recorded 50 ms late."""
    options = {"store": store} if store else {}
    records: list[Record] = []
    for i in range(count):
        t = START + i * S
        records.append(("/fix", fix(t, 0.0, 20.0 + i * 1e-4, alt=5.0, **options), t + S // 20))
        records.append((camera, compressed(t + S // 2, JPEG, **options), t + S // 2 + S // 20))
    return records


def check_drive(observations: list[Observation], bag: str, drive_name: str) -> None:
    assert [o.stamp_ns for o in observations] == [START + i * S + S // 2 for i in range(4)]
    for i, observation in enumerate(observations[:3]):
        assert observation.position is not None
        assert observation.position.lon_deg == pytest.approx(20.0 + (i + 0.5) * 1e-4)
        assert observation.position.alt_m == 5.0
        assert observation.altitude_datum is AltitudeDatum.ELLIPSOID
        assert observation.sigma_m == pytest.approx(math.hypot(2.0, 0.125))
        assert observation.course_deg == pytest.approx(90.0)
        assert observation.heading_deg is None
        assert observation.drive == drive_name
        assert observation.source == f"{bag}:/camera@{observation.stamp_ns}"
        assert close(observation.load(), picture())
    assert observations[3].position is not None  # half a second after the last fix: held
    assert observations[3].position.lon_deg == pytest.approx(20.0003)
    assert (observations[3].sigma_m or 0.0) > 5.0


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
@pytest.mark.parametrize("compress", [False, True])
def test_rosbag2_folder(tmp_path: Path, storage: str, compress: bool) -> None:
    source = open_source(write_rosbag2(tmp_path / "walk", drive(), storage, compress))
    assert (source.name, source.count()) == ("walk", 4)
    for _ in range(2):  # can be read again
        check_drive(list(source.observations()), "walk", "walk")
        assert source.report.remarks == []
        assert not source.report.left_out


@pytest.mark.parametrize(("storage", "suffix"), [("mcap", ".mcap"), ("sqlite3", ".db3")])
def test_bare_file(tmp_path: Path, storage: str, suffix: str) -> None:
    bag = write_rosbag2(tmp_path / "walk", drive(), storage)
    source = open_source(bag / f"walk{suffix}", drive="monday")
    check_drive(list(source.observations()), f"walk{suffix}", "monday")


def test_rosbag1(tmp_path: Path) -> None:
    source = open_source(write_rosbag1(tmp_path / "walk.bag", drive(store=STORE1)))
    check_drive(list(source.observations()), "walk.bag", "walk")


def test_an_older_rosbag2_without_definitions(tmp_path: Path) -> None:
    bag = write_rosbag2(tmp_path / "walk", drive(), "sqlite3")
    with sqlite3.connect(bag / "walk.db3") as database:
        database.execute("DROP TABLE message_definitions")
        database.execute("DROP TABLE schema")
    database.close()
    check_drive(list(open_source(bag / "walk.db3").observations()), "walk.db3", "walk")


def test_raw_images(tmp_path: Path) -> None:
    records = [("/fix", fix(START, 1.0, 1.0), START)]
    records.append(("/raw", raw(START, picture(), "rgb8", padding=4), START))
    (observation,) = open_source(write_rosbag2(tmp_path / "b", records)).observations()
    assert close(observation.load(), picture(), 0.1)


def test_one_bad_image_does_not_end_the_reading(tmp_path: Path) -> None:
    records = drive()
    records.insert(3, ("/camera", compressed(START + S, JPEG[:-50]), START + S))
    records.insert(4, ("/camera", compressed(START + S + 1, b""), START + S + 1))
    observations = list(open_source(write_rosbag2(tmp_path / "b", records)).observations())
    assert len(observations) == 6
    bad = 0
    for observation in observations:
        try:
            observation.load()
        except ImageError as error:
            bad += 1
            assert observation.source in str(error)
    assert bad == 2


def test_several_topics_need_a_choice(tmp_path: Path) -> None:
    records = drive() + drive(camera="/rear")
    records.append(("/fix2", fix(START, 1.0, 1.0), START))
    bag = write_rosbag2(tmp_path / "b", records)
    with pytest.raises(SourceError, match=r"2 image topics: /camera .*4 messages.*--image-topic"):
        open_source(bag)
    with pytest.raises(SourceError, match=r"2 fix topics: /fix .*--fix-topic"):
        open_source(bag, image_topic="/rear")
    with pytest.raises(SourceError, match="no image topic /front; there is /camera"):
        open_source(bag, image_topic="/front")
    source = open_source(bag, image_topic="/rear", fix_topic="/fix")
    assert {o.source.partition("@")[0] for o in source.observations()} == {"b:/rear"}


def test_without_fixes_images_have_no_position(tmp_path: Path) -> None:
    records = [record for record in drive() if record[0] == "/camera"]
    bag = write_rosbag2(tmp_path / "b", records)
    source = open_source(bag)
    assert [o.position for o in source.observations()] == [None] * 4
    assert source.report.remarks == [
        "b has no NavSatFix topic: its images can be localized, not mapped"
    ]
    with pytest.raises(SourceError, match="no fix topic /fix"):
        open_source(bag, fix_topic="/fix")


def test_without_images(tmp_path: Path) -> None:
    records = [record for record in drive() if record[0] == "/fix"]
    with pytest.raises(SourceError) as caught:
        open_source(write_rosbag2(tmp_path / "b", records))
    assert "b has 4 messages on /fix (sensor_msgs/msg/NavSatFix), but no image topic" in str(caught)


def test_without_messages(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no messages"):
        open_source(write_rosbag2(tmp_path / "b", []))


def test_fixes_without_satellites_make_a_dropout(tmp_path: Path) -> None:
    records: list[Record] = []
    for i in range(20):
        t = START + i * S
        lost = 5 <= i < 15
        records.append(("/fix", fix(t, 1.0, 1.0 + i * 1e-4, status=-1 if lost else 0), t))
        records.append(("/camera", compressed(t, JPEG), t))
    source = open_source(write_rosbag2(tmp_path / "b", records))
    placed = [o.position is not None for o in source.observations()]
    assert placed == [True] * 5 + [False] * 10 + [True] * 5
    assert source.report.left_out == Counter({NO_FIX: 10})
    assert source.report.names[NO_FIX][0] == f"/fix@{START + 5 * S}"


def test_a_time_of_recording_that_a_region_cannot_hold(tmp_path: Path) -> None:
    records: list[Record] = [
        ("/camera", compressed(0, JPEG), at) for at in (START, 2**63, 2**64 - 1)
    ]
    source = open_source(write_rosbag2(tmp_path / "b", records))
    assert [o.stamp_ns for o in source.observations()] == [START]
    assert source.report.left_out == Counter({"image message is damaged": 2})


def test_zero_header_stamps_fall_back_to_the_record_time(tmp_path: Path) -> None:
    records: list[Record] = [
        ("/fix", fix(0, 1.0, 1.0), START),
        ("/camera", compressed(0, JPEG), START),
    ]
    source = open_source(write_rosbag2(tmp_path / "b", records))
    (observation,) = source.observations()
    assert observation.stamp_ns == START
    assert observation.position is not None
    assert len([r for r in source.report.remarks if "header stamp is zero" in r]) == 2


def test_clocks_that_do_not_agree_are_remarked(tmp_path: Path) -> None:
    records: list[Record] = [
        ("/fix", fix(START, 1.0, 1.0), START), ("/camera", compressed(5 * S, JPEG), START)
    ]  # fmt: skip
    source = open_source(write_rosbag2(tmp_path / "b", records))
    (observation,) = source.observations()
    assert observation.position is None
    assert "one clock?" in source.report.remarks[0]


def test_a_damaged_message_is_counted(tmp_path: Path) -> None:
    bag = write_rosbag2(tmp_path / "b", drive(), "sqlite3")
    with sqlite3.connect(bag / "b.db3") as database:
        database.execute("UPDATE messages SET data = x'0001000000' WHERE id IN (2, 3)")
    database.close()
    source = open_source(bag)
    assert len(list(source.observations())) == 3
    assert source.report.left_out == Counter(
        {"image message is damaged": 1, "fix message is damaged": 1}
    )


def test_missing_metadata(tmp_path: Path) -> None:
    bag = write_rosbag2(tmp_path / "b", drive())
    (bag / "metadata.yaml").unlink()
    with pytest.raises(SourceError, match="ros2 bag reindex b"):
        open_source(bag)


def test_missing_storage_file(tmp_path: Path) -> None:
    bag = write_rosbag2(tmp_path / "b", drive())
    (bag / "b.mcap").unlink()
    with pytest.raises(SourceError, match="missing"):
        open_source(bag)


@pytest.mark.parametrize("name", ["b.mcap", "b.db3", "b.bag"])
@pytest.mark.parametrize("content", [b"", b"nonsense", b"SQLite format 3\0" + bytes(100)])
def test_files_that_are_no_bags(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceError, match=r"b\.\w+ cannot be read.*; try `"):
        open_source(tmp_path / name)


@pytest.fixture(scope="module")
def small_bags(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bags")
    return [
        write_rosbag2(folder / "m", drive(2), "mcap") / "m.mcap",
        write_rosbag2(folder / "s", drive(2), "sqlite3") / "s.db3",
        write_rosbag1(folder / "r.bag", drive(2, store=STORE1)),
    ]


@settings(max_examples=60)
@given(which=st.integers(0, 2), data=st.data())
def test_damaged_bags_raise_only_our_errors(
    small_bags: list[Path], which: int, data: st.DataObject
) -> None:
    original = small_bags[which]
    content = bytearray(original.read_bytes())
    if data.draw(st.booleans()):
        content = content[: data.draw(st.integers(0, len(content)))]
    for _ in range(data.draw(st.integers(0, 6)) if content else 0):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    damaged = original.with_name("damaged" + original.suffix)
    damaged.write_bytes(content)
    try:
        for observation in open_source(damaged).observations():
            observation.load()
    except VlmVprError:
        pass


def test_gardens_point(shared_data: Path) -> None:
    source = open_source(shared_data / "gardens_point" / "rosbag2_map_drive")
    observations = list(source.observations())
    assert (source.count(), len(observations)) == (200, 200)
    positions = np.array(
        [(o.position.lat_deg, o.position.lon_deg) for o in observations if o.position]
    )
    table = open_source(shared_data / "gardens_point" / "day_right.csv")
    expected = [
        (o.position.lat_deg, o.position.lon_deg) for o in table.observations() if o.position
    ]
    np.testing.assert_allclose(positions, expected, atol=1e-8)
    assert {o.sigma_m for o in observations} == {1.0}
    assert all(o.course_deg is not None for o in observations)
    assert observations[0].load().shape == (540, 960, 3)
    assert not source.report.left_out


def test_lund(shared_data: Path) -> None:
    source = open_source(shared_data / "opensfm_lund" / "rosbag2_sqlite3")
    observations = list(source.observations())
    assert len([o for o in observations if o.position]) == 29
    assert {o.sigma_m for o in observations} == {5.0}
    assert observations[-1].load().shape == (768, 1024, 3)


def test_kitti(shared_data: Path) -> None:
    source = open_source(
        shared_data / "kitti_0002_10f" / "rosbag2_mcap", image_topic="/camera/image_raw/compressed"
    )
    observations = list(source.observations())
    assert len([o for o in observations if o.position]) == 10
    assert observations[0].load().shape == (375, 1242, 3)
    # The camera looks ahead, so the course is the heading that the set's own table gives.
    truth = open_source(shared_data / "kitti_0002_10f" / "images.csv")
    for observation, reference in zip(observations, truth.observations(), strict=True):
        assert observation.course_deg == pytest.approx(reference.heading_deg, abs=1.5)


@pytest.mark.parametrize("bag", ["test1.bag", "rosbag2_sqlite3"])
def test_husky(shared_data: Path, bag: str) -> None:
    path = shared_data / "husky_navsat_bag" / bag
    with pytest.raises(SourceError, match=r"989 messages on /fix .*but no image topic"):
        open_source(path)
    with open_bag(path) as opened:
        topic = next(topic for topic in opened.topics if topic.name == "/fix")
        messages = [message for _, message in opened.messages(topic)]
    fixes = [
        fix_from_message(m, m.header.stamp.sec * S + m.header.stamp.nanosec)
        for m in messages
        if fix_problem(m) is None
    ]
    assert (len(messages), len(fixes)) == (989, 989)
    sigmas = sorted({round(f.sigma_m or 0.0, 3) for f in fixes})
    assert (len(sigmas), sigmas[0], sigmas[-1]) == (9, 0.8, 1.7)
    track = FixTrack(fixes)
    first, last = track.span_ns
    assert all(track.at(stamp) is not None for stamp in range(first, last, S // 3))


def test_a_real_bag_copied_without_its_metadata(shared_data: Path, tmp_path: Path) -> None:
    original = shared_data / "opensfm_lund" / "rosbag2_sqlite3" / "rosbag2_sqlite3.db3"
    copy = tmp_path / "broken"
    copy.mkdir()
    shutil.copyfile(original, copy / original.name)
    with pytest.raises(SourceError, match="reindex"):
        open_source(copy)
    assert len(list(open_source(copy / original.name).observations())) == 29
