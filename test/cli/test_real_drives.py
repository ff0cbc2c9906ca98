from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_town import Command


@pytest.fixture
def gardens_point(shared_data: Path) -> Path:
    folder = shared_data / "gardens_point"
    if not folder.is_dir():
        pytest.skip(f"real data absent: {folder}")
    return folder


def test_a_bag_is_mapped_and_another_evaluated(
    vlm_vpr: Command, gardens_point: Path, encoder: Path, tmp_path: Path
) -> None:
    region, result = tmp_path / "region", tmp_path / "result.json"
    options = ("--set", f"encoder.name={encoder}")
    built = vlm_vpr(
        "build", gardens_point / "rosbag2_map_drive", "--out", region, "--encoder", encoder
    )
    assert "added rosbag2_map_drive: 200 references" in built.stdout
    facts = json.loads(vlm_vpr("info", region, "--json").stdout)
    assert facts["drives"]["rosbag2_map_drive"]["spacing_m"] == pytest.approx(5, abs=0.1)
    vlm_vpr("evaluate", region, gardens_point / "day_left.csv", "--json", result, *options)
    record = json.loads(result.read_text(encoding="utf-8"))
    assert record["fixes"]["queries"] == 200
    assert record["solvable"]["12"] == 200
    # Random kernels are no good encoder: above chance (2.5 %), and far from right.
    assert 0.05 < record["recall"]["12"]["1"] < 0.8
