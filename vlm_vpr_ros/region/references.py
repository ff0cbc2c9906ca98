"""references.parquet: where each reference was taken, as GeoParquet 1.1.

Opens in QGIS, GeoPandas and DuckDB. Row i is reference i of the index.
"""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.types import AltitudeDatum, GeoPoint

MAX_NAME_BYTES = 4096
"""No drive and no source has a longer name; no path of Linux is longer."""
_ROW_BYTES = 4 * MAX_NAME_BYTES
_HEAD_BYTES = 1 << 16
"""No row, and nothing that does not grow with the rows, takes more in a table of ours."""
_WKB_POINT = struct.Struct("<BIdd")  # byte order, geometry type 1, x (longitude), y (latitude)
_COLUMNS = {
    "geometry": pa.binary(),
    "altitude_m": pa.float64(),
    "altitude_datum": pa.string(),
    "heading_deg": pa.float32(),
    "stamp_ns": pa.int64(),
    "drive": pa.string(),
    "source": pa.string(),
    "cell": pa.uint64(),
    "sigma_m": pa.float32(),
    "descriptor_norm": pa.float32(),
}
_TEXTS = ["geometry", "altitude_datum", "drive", "source"]
_NULLABLE = {"altitude_m", "heading_deg", "stamp_ns", "sigma_m"}
_DESCRIPTIONS = {
    "altitude_m": "height in metres above altitude_datum",
    "heading_deg": "direction of view, degrees clockwise from true north",
    "stamp_ns": "when the image was taken, nanoseconds since 1970",
    "cell": "H3 cell",
    "sigma_m": "horizontal standard deviation of the position in metres, one axis",
    "descriptor_norm": "length of the centred descriptor before it was normalised",
}


@dataclass(frozen=True)
class References:
    """The references of a region as columns of equal length n.

    NaN (or -1 for stamps) where a value is not known. Units as in the names.
    """

    lat_deg: npt.NDArray[np.float64]
    lon_deg: npt.NDArray[np.float64]
    alt_m: npt.NDArray[np.float64]
    alt_datum: tuple[AltitudeDatum, ...]
    heading_deg: npt.NDArray[np.float32]
    stamp_ns: npt.NDArray[np.int64]
    drive: tuple[str, ...]
    source: tuple[str, ...]
    cell: npt.NDArray[np.uint64]
    sigma_m: npt.NDArray[np.float32]
    descriptor_norm: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.lat_deg)

    def point(self, row: int) -> GeoPoint:
        """Position of one reference; its height only if it is ellipsoidal."""
        known = self.alt_datum[row] is AltitudeDatum.ELLIPSOID and np.isfinite(self.alt_m[row])
        return GeoPoint(
            float(self.lat_deg[row]),
            float(self.lon_deg[row]),
            float(self.alt_m[row]) if known else None,
        )

    @staticmethod
    def concatenate(first: References, second: References) -> References:
        """The rows of both, in order."""
        columns = {}
        for column in fields(References):
            a, b = getattr(first, column.name), getattr(second, column.name)
            columns[column.name] = a + b if isinstance(a, tuple) else np.concatenate([a, b])
        return References(**columns)


def write_references(references: References, path: Path) -> None:
    """Write GeoParquet; the bytes depend on the content alone."""
    columns = [
        [_wkb(lon, lat) for lat, lon in zip(references.lat_deg, references.lon_deg, strict=True)],
        _nullable(references.alt_m),
        [datum.value for datum in references.alt_datum],
        _nullable(references.heading_deg),
        pa.array(references.stamp_ns, pa.int64(), mask=references.stamp_ns < 0),
        list(references.drive),
        list(references.source),
        references.cell,
        _nullable(references.sigma_m),
        references.descriptor_norm,
    ]
    schema = pa.schema(
        [
            pa.field(name, kind, metadata={"description": _DESCRIPTIONS.get(name, name)})
            for name, kind in _COLUMNS.items()
        ],
        metadata={"geo": json.dumps(_geo_metadata(references))},
    )
    arrays = [pa.array(c, type=f.type) for c, f in zip(columns, schema, strict=True)]
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), path, compression="zstd")


def read_references(path: Path, expected: int) -> References:
    """Read and validate the table.

    Args:
        path: the parquet file.
        expected: number of rows the manifest promises.

    Raises:
        RegionError: it is not the table of `expected` references that the manifest promises.
    """
    try:
        metadata = pq.read_metadata(path)
        _check_shape(metadata, expected)
        # As dictionaries: a text that all rows share is held once until its length is known.
        file = pq.ParquetFile(path, metadata=metadata, read_dictionary=_TEXTS)
        table = file.read(columns=list(_COLUMNS)).select(list(_COLUMNS))
        _check_texts(table)
        references = _from_table(table.cast(pa.schema(list(_COLUMNS.items()))))
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise RegionError(f"{path}: damaged: {error}. Copy the region again.") from None
    if not np.isfinite(references.descriptor_norm).all():
        raise RegionError(f"{path}: damaged: descriptor_norm is not finite. Copy the region again.")
    valid = (np.abs(references.lat_deg) <= 90) & (np.abs(references.lon_deg) <= 180)
    if not valid.all():  # NaN compares false, too
        raise RegionError(f"{path}: damaged: {(~valid).sum()} positions are not on Earth")
    return references


def _check_shape(metadata: pq.FileMetaData, expected: int) -> None:
    """Refuse what can be told without reading a column."""
    if metadata.num_rows != expected:
        raise ValueError(f"{metadata.num_rows} rows, not {expected}")
    paths = {metadata.schema.column(number).path for number in range(metadata.num_columns)}
    missing = [name for name in _COLUMNS if name not in paths]
    if missing:
        raise ValueError(f"it has no column {', '.join(missing)}")
    groups = [metadata.row_group(number) for number in range(metadata.num_row_groups)]
    chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
    size = sum(c.total_uncompressed_size for c in chunks if c.path_in_schema in _COLUMNS)
    if size > expected * _ROW_BYTES + _HEAD_BYTES:
        raise ValueError(f"it unpacks to {size} bytes, too many for {expected} rows")


def _check_texts(table: pa.Table) -> None:
    """Refuse texts that no reference of ours has, before every row holds its own copy."""
    for name in _TEXTS:
        for chunk in table[name].chunks:
            texts = chunk.dictionary if isinstance(chunk, pa.DictionaryArray) else chunk
            longest = pc.max(pc.binary_length(texts)).as_py()
            if longest is not None and longest > MAX_NAME_BYTES:
                raise ValueError(f"column {name} holds a text of {longest} bytes")


def _from_table(table: pa.Table) -> References:
    def floats(name: str) -> npt.NDArray[np.float64]:
        column = table[name].combine_chunks()
        return np.asarray(column.to_numpy(zero_copy_only=False), np.float64)

    for name in _COLUMNS.keys() - _NULLABLE:
        if table[name].null_count:
            raise ValueError(f"column {name} has empty values")
    try:
        points = [_WKB_POINT.unpack(value) for value in table["geometry"].to_pylist()]
    except struct.error:
        raise ValueError("geometry is not WKB points") from None
    if any(order != 1 or kind != 1 for order, kind, _, _ in points):
        raise ValueError("geometry is not little-endian WKB points")
    xy = np.array([p[2:] for p in points], np.float64).reshape(-1, 2)
    stamps = table["stamp_ns"].fill_null(-1).combine_chunks()
    return References(
        lat_deg=xy[:, 1].copy(),
        lon_deg=xy[:, 0].copy(),
        alt_m=floats("altitude_m"),
        alt_datum=tuple(AltitudeDatum(v) for v in table["altitude_datum"].to_pylist()),
        heading_deg=floats("heading_deg").astype(np.float32),
        stamp_ns=np.asarray(stamps.to_numpy(zero_copy_only=False), np.int64),
        drive=tuple(str(v) for v in table["drive"].to_pylist()),
        source=tuple(str(v) for v in table["source"].to_pylist()),
        cell=np.asarray(table["cell"].combine_chunks().to_numpy(zero_copy_only=False), np.uint64),
        sigma_m=floats("sigma_m").astype(np.float32),
        descriptor_norm=floats("descriptor_norm").astype(np.float32),
    )


def _wkb(lon_deg: float, lat_deg: float) -> bytes:
    return _WKB_POINT.pack(1, 1, lon_deg, lat_deg)


def _nullable(values: npt.NDArray[np.float64] | npt.NDArray[np.float32]) -> pa.Array:
    return pa.array(values, mask=np.isnan(values))


def _geo_metadata(references: References) -> dict[str, object]:
    """The `geo` key of GeoParquet 1.1; no `crs` means longitude, latitude on WGS 84 (OGC:CRS84)."""
    box = [
        references.lon_deg.min(),
        references.lat_deg.min(),
        references.lon_deg.max(),
        references.lat_deg.max(),
    ]
    column = {"encoding": "WKB", "geometry_types": ["Point"], "bbox": [float(v) for v in box]}
    return {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
