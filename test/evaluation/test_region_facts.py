from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import h3
import numpy as np
import pytest
from stand_ins import references

from vlm_vpr_ros.evaluation.region_facts import region_facts
from vlm_vpr_ros.region.manifest import FORMAT_VERSION, Background, Bounds, EncoderId, FileEntry
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.text import aligned, counted, length, plain, size
from vlm_vpr_ros.types import AltitudeDatum

CELL = h3.str_to_int(h3.latlng_to_cell(-16.8, 180, 8))


def facts(rows: References, bounds: Bounds, background: Background | None = None) -> Any:
    manifest = SimpleNamespace(
        references=len(rows),
        format_version=FORMAT_VERSION,
        encoder=EncoderId(name="tiny", fingerprint="0" * 64, dim=144),
        files={"references.parquet": FileEntry(bytes=300, sha256="0" * 64)},
        bounds=bounds,
        cell_resolution=8,
        cells=1,
        background=background,
        features=None,
        thumbnails=False,
    )
    rows = replace(rows, cell=np.full(len(rows), CELL, np.uint64))
    region = SimpleNamespace(
        folder=Path("/maps/town"), references=rows, places=(), manifest=manifest
    )
    return json.loads(json.dumps(region_facts(region), allow_nan=False))  # type: ignore[arg-type]


TAVEUNI = Bounds(south=-16.8, north=-16.79, west=179.99, east=-179.99)


def test_a_region_across_the_antimeridian_is_small() -> None:
    found = facts(references([-16.8, -16.8, -16.79], [179.99, -179.99, -179.99]), TAVEUNI)
    assert found["extent_m"]["east_west"] == pytest.approx(2131, abs=2)
    assert found["extent_m"]["north_south"] == pytest.approx(1107, abs=2)
    assert found["drives"]["a"]["length_m"] == pytest.approx(2132 + 1107, abs=3)
    assert found["cells"]["area_km2"] == pytest.approx(0.7, abs=0.3)
    assert found["bytes_per_reference"] == 100.0
    assert found["background_similarity"] is found["local_features"] is None


def test_shares_of_what_is_known() -> None:
    rows = replace(
        references([-16.8] * 4, [180.0] * 4, ["a", "a", "a", "b"], [10, np.nan, np.nan, np.nan]),
        sigma_m=np.array([1, 3, np.nan, np.nan], np.float32),
        alt_m=np.array([5, 5, np.nan, 7.0]),
        alt_datum=(AltitudeDatum.ELLIPSOID, AltitudeDatum.ELLIPSOID, *[AltitudeDatum.UNKNOWN] * 2),
        stamp_ns=np.array([7, 5, -1, -1]),
    )
    found = facts(rows, TAVEUNI)
    assert found["heading_share"] == 0.25
    assert found["position_sigma_m"] == {"known_share": 0.5, "p50": 2.0, "max": 3.0}
    assert found["altitude_datum"] == {"ellipsoid": 0.5, "none": 0.25, "unknown": 0.25}
    assert found["drives"]["a"]["first_stamp_ns"] == 5
    assert found["drives"]["b"]["spacing_m"] is None
    assert found["drives"]["b"]["first_stamp_ns"] is None


def test_text_for_terminals() -> None:
    assert aligned(["a", "bb"], [["long", "1"]]) == "a     bb\nlong   1"
    assert plain("a\x1b[31m\nb") == "a\ufffd[31m\ufffdb"
    assert [size(n) for n in (0, 999, 1000, 999_949, 999_960, 2e12)] == [
        *("0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "2.0 TB")
    ]
    assert [length(m) for m in (4.96, 120, 1234)] == ["5.0 m", "120 m", "1.2 km"]
    assert [counted(n, "image") for n in (0, 1, 1200)] == ["0 images", "1 image", "1,200 images"]
