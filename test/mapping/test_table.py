from __future__ import annotations

import csv
import os
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_images import close, encoded, picture

from vlm_vpr_ros.errors import ImageError, SourceError, VlmVprError
from vlm_vpr_ros.mapping.coordinates import NOT_NUMBERS, NULL_ISLAND, OUT_OF_RANGE, SWAPPED
from vlm_vpr_ros.mapping.observation import Observation, Source
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.mapping.table import TOO_MANY_CELLS
from vlm_vpr_ros.types import AltitudeDatum, GeoPoint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "img").mkdir()
    for i in range(3):
        (tmp_path / "img" / f"{i}.png").write_bytes(encoded(picture(), "PNG"))
    return tmp_path


def table(folder: Path, text: str, name: str = "monday.csv") -> Source:
    (folder / name).write_bytes(text.encode())
    return open_source(folder / name)


def only(folder: Path, text: str) -> Observation:
    (observation,) = table(folder, text).observations()
    return observation


def test_the_plain_table(folder: Path) -> None:
    source = table(folder, "path,lat,lon\nimg/0.png,55.7,13.2\nimg/1.png,55.8,13.3\n")
    first, second = source.observations()
    assert (source.name, source.count()) == ("monday.csv", 2)
    assert first.source == "img/0.png"
    assert first.drive == "monday"
    assert first.position == GeoPoint(55.7, 13.2)
    assert (first.sigma_m, first.heading_deg, first.stamp_ns) == (None, None, None)
    assert second.position == GeoPoint(55.8, 13.3)
    assert close(first.load(), picture())


def test_interleaved_drives_come_one_after_another(folder: Path) -> None:
    rows = [f"img/{i % 3}.png,55.7,13.{i},{'ba'[i % 2]}" for i in range(6)]
    source = table(folder, "\n".join(["path,lat,lon,drive", *rows, "img/0.png,55.7,13.6,"]))
    read = [(o.drive, o.position.lon_deg) for o in source.observations() if o.position]
    assert read == [
        *(("b", 13.0), ("b", 13.2), ("b", 13.4)),
        *(("a", 13.1), ("a", 13.3), ("a", 13.5)),
        ("monday", 13.6),
    ]
    named = open_source(folder / "monday.csv", drive="all").observations()
    assert [o.position.lon_deg for o in named if o.position] == [13 + i / 10 for i in range(7)]


def test_all_columns(folder: Path) -> None:
    observation = only(
        folder,
        "path,lat,lon,alt,heading,time,drive,sigma\n"
        "img/0.png,55.7,13.2,80.5,-10,2024-06-09T09:20:21Z,tuesday,2.5\n",
    )
    assert observation.position == GeoPoint(55.7, 13.2, 80.5)
    assert observation.altitude_datum is AltitudeDatum.UNKNOWN
    assert observation.heading_deg == 350.0
    assert observation.stamp_ns == 1717924821 * 10**9
    assert (observation.drive, observation.sigma_m) == ("tuesday", 2.5)


@pytest.mark.parametrize(
    "header",
    [
        "image,latitude,longitude",
        "filename,LAT,LNG",
        "File Name,Latitude (deg),Long",
        "name,gps_lat,gps_lon",
    ],
)
def test_spellings(folder: Path, header: str) -> None:
    assert only(folder, f"{header}\nimg/0.png,55.7,13.2\n").position == GeoPoint(55.7, 13.2)


@pytest.mark.parametrize(
    "text",
    [
        "path;lat;lon\nimg/0.png;55,7;13,2\n",
        "path\tlat\tlon\nimg/0.png\t55.7\t13.2\n",
        '\ufeffpath,lat,lon\r\n"img/0.png", 55.7 ,13.2\r\n\r\n,,\r\n',
    ],
)
def test_dialects(folder: Path, text: str) -> None:
    assert only(folder, text).position == GeoPoint(55.7, 13.2)


@pytest.mark.parametrize(
    ("column", "datum"),
    [
        ("altitude_m", AltitudeDatum.UNKNOWN),
        ("elevation", AltitudeDatum.MEAN_SEA_LEVEL),
        ("alt_ellipsoid", AltitudeDatum.ELLIPSOID),
    ],
)
def test_altitude_columns(folder: Path, column: str, datum: AltitudeDatum) -> None:
    observation = only(folder, f"path,lat,lon,{column}\nimg/0.png,1,2,3\n")
    assert observation.position == GeoPoint(1.0, 2.0, 3.0)
    assert observation.altitude_datum is datum


def test_time_columns(folder: Path) -> None:
    assert only(folder, "path,lat,lon,stamp_ns\nimg/0.png,1,2,17\n").stamp_ns == 17
    assert only(folder, "path,lat,lon,time_ms\nimg/0.png,1,2,17\n").stamp_ns == 17 * 10**6
    source = table(
        folder, "path,lat,lon,time\nimg/0.png,1,2,2024-06-09 09:20:21\nimg/1.png,1,2,x\n"
    )
    first, second = source.observations()
    assert (first.stamp_ns, second.stamp_ns) == (1717924821 * 10**9, None)
    assert source.report.remarks == ["times without a zone are read as UTC"]
    assert source.report.left_out == Counter({"time that is not understood (image kept)": 1})


@pytest.mark.parametrize("text", ["9999:12:31 23:59:59", "2300-01-01 00:00Z", "0001-01-01 00:00"])
def test_times_that_a_region_cannot_hold(folder: Path, text: str) -> None:
    source = table(folder, f"path,lat,lon,time\nimg/0.png,1,2,{text}\n")
    (observation,) = source.observations()
    assert observation.stamp_ns is None
    assert source.report.left_out == Counter({"time that is not understood (image kept)": 1})


def test_values_that_are_no_numbers_are_reported(folder: Path) -> None:
    source = table(folder, "path,lat,lon,alt,sigma,heading\nimg/0.png,1,2,high,inf,north\n")
    (observation,) = source.observations()
    assert observation.position == GeoPoint(1.0, 2.0)
    assert (observation.sigma_m, observation.heading_deg) == (None, None)
    assert source.report.left_out == Counter(
        f"{role} that is not a number (image kept)" for role in ("alt", "sigma", "heading")
    )


def test_a_row_of_more_cells_than_the_header_is_left_out(folder: Path) -> None:
    source = table(
        folder,
        'path,lat,lon\nimg/0.png,55,7,13,2\nimg/1.png,55.7,13.2,\nimg/2.png,55.8,13.3,"a note"\n',
    )
    (kept,) = source.observations()
    assert (kept.source, kept.position) == ("img/1.png", GeoPoint(55.7, 13.2))
    assert source.report.left_out == Counter({TOO_MANY_CELLS: 2})
    assert source.report.names[TOO_MANY_CELLS] == ["row 2: img/0.png", "row 4: img/2.png"]


@pytest.mark.parametrize("sigma", ["0", "-2.5"])
def test_a_sigma_that_is_not_positive_is_named(folder: Path, sigma: str) -> None:
    source = table(folder, f"path,lat,lon,sigma\nimg/0.png,55.7,13.2,{sigma}\n")
    (kept,) = source.observations()
    assert kept.sigma_m is None
    assert source.report.names == {"sigma that is not above 0 (image kept)": ["row 2: img/0.png"]}


def test_yaw_is_remarked(folder: Path) -> None:
    source = table(folder, "path,lat,lon,yaw_deg\nimg/0.png,1,2,90\n")
    (observation,) = source.observations()
    assert observation.heading_deg == 90.0
    assert "counter-clockwise" in source.report.remarks[0]


@pytest.mark.parametrize(
    ("lat", "lon", "problem"),
    [
        ("153.03", "-27.47", SWAPPED),
        ("91", "181", OUT_OF_RANGE),
        ("0", "0", NULL_ISLAND),
        ("north", "2", NOT_NUMBERS),
        ("", "2", NOT_NUMBERS),
        ("nan", "2", NOT_NUMBERS),
    ],
)
def test_bad_coordinates_are_reported_with_their_row(
    folder: Path, lat: str, lon: str, problem: str
) -> None:
    source = table(folder, f"path,lat,lon\nimg/0.png,1,2\nimg/1.png,{lat},{lon}\nimg/2.png,1,2\n")
    assert [o.source for o in source.observations()] == ["img/0.png", "img/2.png"]
    assert source.report.left_out == Counter({problem: 1})
    assert source.report.names[problem] == [f"row 3: img/1.png (latitude {lat}, longitude {lon})"]


def test_a_row_without_coordinates_has_no_position(folder: Path) -> None:
    assert only(folder, "path,lat,lon\nimg/0.png,,\n").position is None
    assert only(folder, "path,lat,lon\nimg/0.png\n").position is None


@pytest.mark.parametrize("path", ["../secret.png", "img/../../secret.png", "/etc/passwd", "", "."])
def test_paths_stay_inside_the_folder(folder: Path, path: str) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (folder / "secret.png").write_bytes(encoded(picture(), "PNG"))
    source = table(inner, f"path,lat,lon\n{path},1,2\n")
    assert list(source.observations()) == []
    assert source.report.left_out == Counter({"image path that leaves the table's folder": 1})


def test_a_nul_is_a_character_like_any_other(folder: Path) -> None:
    source = table(folder, "path,lat,lon\nimg/0.png\0,1,2\nimg/1.png,1,2\n")
    assert [o.source for o in source.observations()] == ["img/1.png"]
    assert source.report.left_out == Counter({"image file is missing": 1})


def test_absolute_paths_inside_and_links_are_welcome(folder: Path) -> None:
    (folder / "link").symlink_to(folder / "img")
    (folder / "tables").mkdir()
    absolute = folder / "img" / "0.png"
    source = table(folder, f"path,lat,lon\n{absolute},1,2\nlink/1.png,1,2\nimg/../img/2.png,1,2\n")
    assert [o.source for o in source.observations()] == ["img/0.png", "link/1.png", "img/2.png"]


def test_relative_table_path(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(folder, "path,lat,lon\nimg/0.png,1,2\n")
    monkeypatch.chdir(folder)
    (observation,) = open_source("monday.csv").observations()
    assert observation.source == "img/0.png"
    assert not os.path.isabs(observation.source)  # noqa: PTH117


def test_missing_and_damaged_images(folder: Path) -> None:
    (folder / "bad.png").write_bytes(b"not a picture")
    source = table(folder, "path,lat,lon\nnone.png,1,2\nbad.png,1,2\nimg/0.png,1,2\n")
    bad, good = source.observations()
    assert source.report.left_out == Counter({"image file is missing": 1})
    with pytest.raises(ImageError, match=r"bad\.png"):
        bad.load()
    good.load()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column for path .*first row is: empty"),
        (
            "path,x,y\na,1,2\n",
            r"no column for lat \(spelled lat, latitude.*first row is: path, x, y",
        ),
        ("lat,lon\n1,2\n", "no column for path"),
    ],
)
def test_missing_columns_are_named(folder: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        table(folder, text)


def test_not_utf8(folder: Path) -> None:
    (folder / "latin.csv").write_bytes(b"path,lat,lon\nstra\xdfe.png,1,2\n")
    with pytest.raises(SourceError, match="save it as UTF-8"):
        open_source(folder / "latin.csv")


def test_topics_are_refused(folder: Path) -> None:
    (folder / "t.csv").write_text("path,lat,lon\n")
    with pytest.raises(SourceError, match="not a bag"):
        open_source(folder / "t.csv", image_topic="/camera")


def read_all(path: Path) -> None:
    try:
        for observation in open_source(path).observations():
            assert not observation.source.startswith(("/", ".."))
    except VlmVprError:
        pass


@given(st.binary(max_size=300))
def test_arbitrary_bytes(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "noise.csv"
    path.write_bytes(data)
    read_all(path)


# Without NUL, which Python 3.10's csv cannot write.
@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0"), max_size=20), max_size=9)))
def test_arbitrary_cells(tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]]) -> None:
    folder = tmp_path_factory.getbasetemp()
    (folder / "a.png").write_bytes(b"x")
    path = folder / "cells.csv"
    header = ["path", "lat", "lon", "alt", "heading", "time", "drive", "sigma"]
    with path.open("w", newline="", encoding="utf-8", errors="replace") as file:
        csv.writer(file).writerows([header, *rows, *(["a.png", *row] for row in rows)])
    read_all(path)


@pytest.mark.parametrize(
    ("name", "count", "headings", "drives"),
    [
        ("gardens_point/day_left.csv", 200, 0, 1),
        ("vprbench_corridor/ref.csv", 111, 0, 1),
        ("mapillary_streetscapes/images.csv", 25, 25, 11),
        ("kitti_0002_10f/images.csv", 10, 10, 1),
        ("penn_campus/images.csv", 90, 69, 1),
    ],
)
def test_real_tables(shared_data: Path, name: str, count: int, headings: int, drives: int) -> None:
    source = open_source(shared_data / name)
    observations = list(source.observations())
    assert (source.count(), len(observations)) == (count, count)
    assert all(o.position is not None for o in observations)
    assert sum(o.heading_deg is not None for o in observations) == headings
    assert len({o.drive for o in observations}) == drives
    assert not source.report.left_out
    assert observations[-1].load().shape[2] == 3


def test_mapillary_times_have_zones(shared_data: Path) -> None:
    source = open_source(shared_data / "mapillary_streetscapes" / "images.csv")
    first = next(iter(source.observations()))
    assert first.stamp_ns == 1720488324045 * 10**6
    assert source.report.remarks == []
