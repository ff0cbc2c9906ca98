from __future__ import annotations

import contextlib
import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from PIL.TiffImagePlugin import IFDRational

from vlm_vpr_ros.errors import VlmVprError
from vlm_vpr_ros.images import ExifData, read_exif
from vlm_vpr_ros.mapping import exif as module
from vlm_vpr_ros.mapping.coordinates import NOT_NUMBERS, NULL_ISLAND, OUT_OF_RANGE
from vlm_vpr_ros.mapping.exif import GeoTag, read_geotag
from vlm_vpr_ros.types import AltitudeDatum

LUND: dict[int, Any] = {1: "N", 2: (55.0, 41.0, 53.75), 3: "E", 4: (13.0, 11.0, 42.5)}


def tag(gps: dict[int, Any], photo: dict[int, Any] | None = None) -> GeoTag:
    return read_geotag(ExifData({}, photo or {}, gps))


@pytest.mark.parametrize(
    ("change", "lat", "lon"),
    [
        ({}, 55.698264, 13.195139),
        ({1: "S"}, -55.698264, 13.195139),
        ({3: "W"}, 55.698264, -13.195139),
        ({1: b"n\0", 3: "E  "}, 55.698264, 13.195139),
        ({2: (55.0, 41.8958333)}, 55.698264, 13.195139),
        ({2: (55.698264,)}, 55.698264, 13.195139),
        ({2: 55.698264}, 55.698264, 13.195139),
        ({2: ("55", "41", "53.75")}, 55.698264, 13.195139),
        (
            {2: tuple(IFDRational(n, d) for n, d in ((55, 1), (41, 1), (5375, 100)))},
            55.698264,
            13.195139,
        ),
    ],
)
def test_positions(change: dict[int, Any], lat: float, lon: float) -> None:
    position = tag({**LUND, **change}).position
    assert position is not None
    assert position.lat_deg == pytest.approx(lat, abs=1e-6)
    assert position.lon_deg == pytest.approx(lon, abs=1e-6)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({1: None}, module.NO_REFERENCE),
        ({3: ""}, module.NO_REFERENCE),
        ({3: "\0"}, module.NO_REFERENCE),
        ({2: (55.0, 41.0, IFDRational(0, 0))}, NOT_NUMBERS),
        ({2: ()}, NOT_NUMBERS),
        ({2: "north"}, NOT_NUMBERS),
        ({2: (-55.0, 41.0, 0.0)}, NOT_NUMBERS),
        ({2: (55.0, 61.0, 0.0)}, NOT_NUMBERS),
        ({2: (95.0, 0.0, 0.0), 4: (100.0, 0.0, 0.0)}, OUT_OF_RANGE),
        ({2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)}, NULL_ISLAND),
        ({18: "TOKYO"}, module.OLD_DATUM),
    ],
)
def test_unusable_positions_are_explained(change: dict[int, Any], problem: str) -> None:
    found = tag({**LUND, **change})
    assert found.position is None
    assert found.position_problem == problem


def test_no_gps_at_all() -> None:
    assert tag({}).position_problem == module.NO_POSITION


@pytest.mark.parametrize(
    ("reference", "version", "alt", "datum"),
    [
        (None, None, 30.0, AltitudeDatum.MEAN_SEA_LEVEL),
        (b"\0", b"0232", 30.0, AltitudeDatum.MEAN_SEA_LEVEL),
        (b"\1", b"0232", -30.0, AltitudeDatum.MEAN_SEA_LEVEL),
        (0, b"0300", 30.0, AltitudeDatum.UNKNOWN),
        (1, "0300", -30.0, AltitudeDatum.UNKNOWN),
        (2, b"0300", 30.0, AltitudeDatum.MEAN_SEA_LEVEL),
        (3, b"0300", -30.0, AltitudeDatum.MEAN_SEA_LEVEL),
        (9, None, 30.0, AltitudeDatum.UNKNOWN),
    ],
)
def test_altitudes(reference: Any, version: Any, alt: float, datum: AltitudeDatum) -> None:
    found = tag({**LUND, 5: reference, 6: 30.0}, {0x9000: version})
    assert found.position is not None
    assert (found.position.alt_m, found.altitude_datum) == (alt, datum)


def test_an_altitude_with_denominator_zero_is_unknown() -> None:
    found = tag({**LUND, 6: IFDRational(1, 0)})
    assert found.position is not None
    assert (found.position.alt_m, found.altitude_datum) == (None, AltitudeDatum.UNKNOWN)


@pytest.mark.parametrize(
    ("gps", "heading", "problem"),
    [
        ({}, None, None),
        ({16: "T", 17: 348.05}, 348.05, None),
        ({16: "T", 17: 360.0}, 0.0, None),
        ({16: "M", 17: 348.05}, None, module.MAGNETIC),
        ({17: 348.05}, None, module.HEADING_UNCLEAR),
        ({16: "T", 17: IFDRational(0, 0)}, None, module.HEADING_UNCLEAR),
    ],
)
def test_headings(gps: dict[int, Any], heading: float | None, problem: str | None) -> None:
    found = tag({**LUND, **gps})
    assert (found.heading_deg, found.heading_problem) == (heading, problem)


@pytest.mark.parametrize(
    ("error", "sigma", "problem"),
    [
        (14.25, 14.25, None),
        (0.0, None, module.BAD_ERROR),
        (-2.0, None, module.BAD_ERROR),
        (IFDRational(1, 0), None, None),
    ],
)
def test_sigma(error: Any, sigma: float | None, problem: str | None) -> None:
    found = tag({**LUND, 31: error})
    assert (found.sigma_m, found.sigma_problem) == (sigma, problem)


LOCAL = "2024:09:23 16:23:32"
RECEIVER = {7: (20.0, 23.0, 29.5), 29: "2024:09:23"}
TAKEN = 1727123012 * 10**9  # 2024-09-23 20:23:32 UTC


@pytest.mark.parametrize(
    ("gps", "photo", "expected"),
    [
        ({}, {0x9003: LOCAL, 0x9011: "-04:00", 0x9291: "76"}, (TAKEN + 76 * 10**7, True)),
        (RECEIVER, {0x9003: LOCAL}, (TAKEN - 25 * 10**8, True)),
        (RECEIVER, {0x9003: LOCAL, 0x9011: "  :  "}, (TAKEN - 25 * 10**8, True)),
        ({}, {0x9003: LOCAL}, (TAKEN - 4 * 3600 * 10**9, False)),
        ({7: (0.0, 0.0, 0.0), 29: "0000:00:00"}, {}, None),
        ({}, {0x9003: "9999:12:31 23:59:59", 0x9011: "+00:00"}, None),
        ({7: (0.0, 0.0, 0.0), 29: "2300:01:01"}, {}, None),
        ({7: (24.0, 0.0, 0.0), 29: "2262:04:11"}, {}, None),
        ({7: (IFDRational(0, 0),) * 3, 29: "2024:09:23"}, {0x9003: "0000:00:00 00:00:00"}, None),
    ],
)  # fmt: skip
def test_times(gps: dict[int, Any], photo: dict[int, Any], expected: Any) -> None:
    assert tag({**LUND, **gps}, photo).time == expected


values = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=30) | st.binary(max_size=30)
    | st.builds(IFDRational, st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)),
    lambda inner: st.lists(inner, max_size=4).map(tuple),
    max_leaves=6,
)  # fmt: skip
tags = st.dictionaries(st.sampled_from([1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 29, 31]), values)
photo_tags = st.dictionaries(st.sampled_from([0x9000, 0x9003, 0x9010, 0x9011, 0x9291]), values)


@given(tags, photo_tags)
def test_arbitrary_tags_never_raise(gps: dict[int, Any], photo: dict[int, Any]) -> None:
    found = tag(gps, photo)
    assert (found.position is None) == (found.position_problem is not None)


def photo_bytes() -> bytes:
    exif = Image.Exif()
    exif.get_ifd(0x8825).update({1: "N", 2: (55.0, 41.0, 53.75), 3: "E", 4: (13.0, 11.0, 42.5)})
    out = io.BytesIO()
    Image.new("RGB", (8, 8)).save(out, "JPEG", exif=exif)
    return out.getvalue()


@given(st.data())
def test_damaged_exif_raises_only_our_errors(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "damaged.jpg"
    content = bytearray(photo_bytes())
    for _ in range(data.draw(st.integers(0, 6))):
        content[data.draw(st.integers(0, 250))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with contextlib.suppress(VlmVprError):
        read_geotag(read_exif(path))


def test_world_photos_match_their_table(shared_data: Path) -> None:
    """Positions, altitudes and true headings of 60 real files as other tools read them."""
    folder = shared_data / "world_exif"
    with (folder / "images.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    magnetic = 0
    for row in rows:
        found = read_geotag(read_exif(folder / row["path"]))
        assert found.position is not None, row["path"]
        assert found.position.lat_deg == pytest.approx(float(row["lat"]), abs=1e-6), row["path"]
        assert found.position.lon_deg == pytest.approx(float(row["lon"]), abs=1e-6), row["path"]
        if row["alt_m"]:
            assert abs(found.position.alt_m or 0.0) == pytest.approx(abs(float(row["alt_m"])))
        magnetic += found.heading_problem == module.MAGNETIC
        if row["heading_deg"] and found.heading_problem is None:
            assert found.heading_deg == pytest.approx(float(row["heading_deg"]))
    assert (len(rows), magnetic) == (60, 6)
