"""references.parquet: what is written comes back, and a stranger's table does no harm."""

from __future__ import annotations

import json
import struct
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.small_regions import references

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.region.references import (
    MAX_NAME_BYTES,
    References,
    read_references,
    write_references,
)

COUNT = 12


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    write_references(references(COUNT), tmp_path / "r.parquet")
    return tmp_path / "r.parquet"


def replaced(file: Path, column: str, values: pa.Array) -> Path:
    """The table with another column in the place of one."""
    table = pq.read_table(file)
    at = table.schema.get_field_index(column)
    pq.write_table(table.set_column(at, column, values), file)
    return file


def test_everything_comes_back(file: Path) -> None:
    before, after = references(COUNT), read_references(file, COUNT)
    for column in fields(References):
        a, b = getattr(before, column.name), getattr(after, column.name)
        np.testing.assert_array_equal(a, b, err_msg=column.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype, column.name


def test_the_same_content_gives_the_same_bytes(file: Path, tmp_path: Path) -> None:
    write_references(references(COUNT), tmp_path / "again.parquet")
    assert (tmp_path / "again.parquet").read_bytes() == file.read_bytes()


def test_concatenation(file: Path) -> None:
    part = read_references(file, COUNT)
    both = References.concatenate(part, references(3))
    assert len(both) == COUNT + 3
    assert both.source == part.source + references(3).source
    assert both.point(COUNT) == part.point(0)


def test_height_is_given_only_when_ellipsoidal() -> None:
    table = references(COUNT)
    known = [i for i in range(COUNT) if table.point(i).alt_m is not None]
    assert known == [i for i in range(COUNT) if i % 3 == 0 and i % 2]


def test_opens_with_plain_pyarrow_and_unknown_is_null(file: Path) -> None:
    table = pq.read_table(file)
    assert table.num_rows == COUNT
    row = table.slice(0, 1).to_pylist()[0]
    assert [k for k, v in row.items() if v is None] == [
        "altitude_m",
        "heading_deg",
        "stamp_ns",
        "sigma_m",
    ]
    order, kind, lon, lat = struct.unpack("<BIdd", row["geometry"])
    assert (order, kind) == (1, 1)
    assert (lat, lon) == pytest.approx((45.4, 11.9))


def test_geo_metadata_is_geoparquet_1_1(file: Path) -> None:
    geo = json.loads(pq.read_schema(file).metadata[b"geo"])
    assert geo["version"] == "1.1.0"
    column = geo["columns"][geo["primary_column"]]
    assert column["encoding"] == "WKB"
    assert column["geometry_types"] == ["Point"]
    assert "crs" not in column  # its absence means OGC:CRS84; null would mean unknown
    west, south, east, north = column["bbox"]
    assert west <= east and south <= north
    table = references(COUNT)
    assert (west, north) == (table.lon_deg.min(), table.lat_deg.max())
    assert pq.read_schema(file).field(geo["primary_column"]).type == pa.binary()


def test_wrong_number_of_rows(file: Path) -> None:
    with pytest.raises(RegionError, match="12 rows, not 13"):
        read_references(file, COUNT + 1)


@pytest.mark.parametrize("keep", [0, 3, 4, 100, -1, -5, -100])
def test_truncated(file: Path, keep: int) -> None:
    data = file.read_bytes()
    file.write_bytes(data[:keep])
    with pytest.raises(RegionError, match="damaged"):
        read_references(file, COUNT)


def test_a_changed_byte_is_refused_or_gives_a_sane_table(file: Path) -> None:
    data = file.read_bytes()
    rng = np.random.default_rng(0)
    for at in rng.integers(0, len(data), 400):
        file.write_bytes(data[:at] + bytes([data[at] ^ int(rng.integers(1, 256))]) + data[at + 1 :])
        try:
            table = read_references(file, COUNT)
        except RegionError:
            continue
        assert all(len(getattr(table, column.name)) == COUNT for column in fields(References))


def wkb(order: int, kind: int, x: float, y: float) -> bytes:
    return struct.pack("<BIdd", order, kind, x, y)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("geometry", pa.array([None] * COUNT, pa.binary())),
        ("geometry", pa.array([b""] * COUNT)),
        ("geometry", pa.array([b"x" * 22] * COUNT)),
        ("geometry", pa.array([wkb(0, 1, 1, 1)] * COUNT)),
        ("geometry", pa.array([wkb(1, 2, 1, 1)] * COUNT)),
        ("geometry", pa.array([wkb(1, 1, np.nan, 1)] * COUNT)),
        ("geometry", pa.array([wkb(1, 1, 1, np.inf)] * COUNT)),
        ("geometry", pa.array([wkb(1, 1, 181, 1)] * COUNT)),
        ("geometry", pa.array([wkb(1, 1, 1, -90.1)] * COUNT)),
        ("geometry", pa.array([1.0] * COUNT)),
        ("altitude_m", pa.array(["high"] * COUNT)),
        ("altitude_m", pa.array([[1.0]] * COUNT)),
        ("altitude_datum", pa.array(["navd88"] * COUNT)),
        ("altitude_datum", pa.array([None] * COUNT, pa.string())),
        ("stamp_ns", pa.array([1e300] * COUNT)),
        ("cell", pa.array([-1] * COUNT)),
        ("cell", pa.array([None] * COUNT, pa.uint64())),
        ("drive", pa.array([None] * COUNT, pa.string())),
        ("drive", pa.array([b"\xff\xfe"] * COUNT)),
        ("source", pa.array([None] * COUNT, pa.string())),
        ("descriptor_norm", pa.array([None] * COUNT, pa.float32())),
        ("descriptor_norm", pa.array([np.inf] * COUNT, pa.float32())),
        ("sigma_m", pa.array([{"a": 1}] * COUNT)),
    ],
)
def test_hostile_columns(file: Path, column: str, values: pa.Array) -> None:
    with pytest.raises(RegionError, match=r"r\.parquet: damaged"):
        read_references(replaced(file, column, values), COUNT)


@pytest.mark.parametrize("column", ["geometry", "altitude_datum", "drive", "source"])
@pytest.mark.parametrize("dictionary", [True, False])
@pytest.mark.parametrize("length", [MAX_NAME_BYTES + 1, 20 << 20])
def test_long_texts_are_refused_before_every_row_holds_them(
    file: Path, column: str, dictionary: bool, length: int
) -> None:
    table = pq.read_table(file)
    at = table.schema.get_field_index(column)
    kind = table.schema.field(at).type
    text = pa.array([b"a" * length, b"b"]).cast(kind)
    rows = pa.array([0] * (COUNT if dictionary else 1) + [1] * (0 if dictionary else COUNT - 1))
    values = pa.DictionaryArray.from_arrays(rows, text) if dictionary else text.take(rows)
    table = table.set_column(at, column, values)
    pq.write_table(table, file, compression="zstd", use_dictionary=dictionary)
    before = pa.total_allocated_bytes()
    with pytest.raises(RegionError, match="damaged: (it unpacks to|column .* holds a text)"):
        read_references(file, COUNT)
    assert pa.total_allocated_bytes() - before < 1 << 20


def test_names_of_the_longest_kind_come_back(tmp_path: Path) -> None:
    name = "é" * (MAX_NAME_BYTES // 2)
    long = replace(references(3), drive=(name,) * 3, source=(name,) * 3)
    write_references(long, tmp_path / "r.parquet")
    assert read_references(tmp_path / "r.parquet", 3).source == long.source


def test_missing_and_other_columns(file: Path) -> None:
    table = pq.read_table(file)
    pq.write_table(table.append_column("extra", pa.array(range(COUNT))), file)
    assert len(read_references(file, COUNT)) == COUNT
    pq.write_table(table.drop_columns(["cell", "drive"]), file)
    with pytest.raises(RegionError, match="no column drive, cell"):
        read_references(file, COUNT)


def test_no_parquet_at_all(tmp_path: Path) -> None:
    path = tmp_path / "r.parquet"
    for data in (b"", b"PAR1", b"PAR1" * 100, np.random.default_rng(0).bytes(5000)):
        path.write_bytes(data)
        with pytest.raises(RegionError, match="damaged"):
            read_references(path, COUNT)
    with pytest.raises(RegionError, match="damaged"):
        read_references(tmp_path, COUNT)
