"""The description of a simulated world, read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.sim.world_file import read_world

WORLD = {
    "towns": [{"key": "siena", "city": "Siena", "country": "Italy", "copied_share": 0.4}],
    "drives": [
        {
            "bag": "query",
            "kidnapped_ns": [7],
            "frames": [{"stamp_ns": 7, "town": "siena", "kind": "copied"}],
        }
    ],
}


def test_views_are_found_by_the_names_readers_give_them(tmp_path: Path) -> None:
    path = tmp_path / "world.json"
    path.write_text(json.dumps(WORLD))
    world = read_world(path)
    assert world.kind_of("query:/camera/image_raw/compressed@7") == "copied"
    for other in ("query:/camera@8", "map:/camera@7", "query", "photo.jpg", "query:/camera@x"):
        assert world.kind_of(other) is None
    assert (world.city("siena"), world.city("ys")) == ("Siena", "ys")


@pytest.mark.parametrize("text", ["", "{}", '{"towns": [], "drives": [{"bag": 1}]}'])
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "world.json"
    path.write_text(text)
    with pytest.raises(SourceError, match="does not describe a simulated world"):
        read_world(path)
    with pytest.raises(SourceError, match="cannot be read"):
        read_world(tmp_path / "absent.json")
