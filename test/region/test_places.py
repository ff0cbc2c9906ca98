"""places.json: what was written is read, anything else is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from support.small_regions import write_small_region

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.region.places import PLACES, Place, read_places, write_places
from vlm_vpr_ros.region.region import Region

LUND = Place("Lund, Sweden", "Sweden", "Skåne", "Lund", 55.7, 13.2, 500.0, 30)
OSLO = Place("Oslo, Norway", "Norway", "Oslo", "Oslo", 59.9, 10.7, 900.0, 10)


def test_round_trip(tmp_path: Path) -> None:
    write_places([LUND, OSLO], tmp_path / PLACES)
    assert read_places(tmp_path / PLACES, 40) == (LUND, OSLO)
    assert "Skåne" in (tmp_path / PLACES).read_text(encoding="utf-8")  # for people and diff


def test_a_region_may_be_without(tmp_path: Path) -> None:
    write_small_region(tmp_path / "region")
    assert Region.open(tmp_path / "region", verify=True).places == ()


RECORD = json.loads(json.dumps(LUND.__dict__))


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"null",
        b"{}",
        b"[" * 5000,
        b"[1]",
        b"\xff",
        *(
            json.dumps([{**RECORD, **change}]).encode()
            for change in (
                {"lat_deg": 91},
                {"lon_deg": "13"},
                {"radius_m": 0},
                {"radius_m": 1e300},
                {"references": 0},
                {"references": 29},
                {"references": 1.5},
                {"label": ""},
                {"label": "x" * 201},
                {"city": "a\x1b[2J"},
                {"more": 1},
            )
        ),
        json.dumps([RECORD, RECORD]).encode(),
        json.dumps([RECORD] * 401).encode(),
        json.dumps([RECORD]).replace("55.7", "NaN").encode(),
        b"[" + b" " * (1 << 20) + b"]",
    ],
)
def test_anything_else_is_refused(tmp_path: Path, text: bytes) -> None:
    (tmp_path / PLACES).write_bytes(text)
    with pytest.raises(RegionError, match="places.json"):
        read_places(tmp_path / PLACES, 30)


def test_labels_are_unique(tmp_path: Path) -> None:
    write_places([LUND, replace(LUND, references=10)], tmp_path / PLACES)
    with pytest.raises(RegionError, match="one label"):
        read_places(tmp_path / PLACES, 40)
