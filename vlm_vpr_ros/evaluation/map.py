"""A scene as a file: the ending of its name says which kind."""

from __future__ import annotations

import json
from pathlib import Path

from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.evaluation.drawing import draw
from vlm_vpr_ros.evaluation.scene import Scene
from vlm_vpr_ros.files import write_output

SUFFIXES = (".html", ".png", ".geojson")


def check_map_path(path: Path) -> None:
    """Raise ConfigError unless a map can be written there: before the work, not after it."""
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"{path}: a map ends in {', '.join(SUFFIXES[:-1])} or {SUFFIXES[-1]}")


def write_map(scene: Scene, path: Path) -> None:
    """Draw a scene into a file.

    Raises:
        ConfigError: the file's ending is none of `SUFFIXES`.
        OSError: it cannot be written.
    """
    check_map_path(path)
    if path.suffix.lower() == ".png":
        from vlm_vpr_ros.evaluation.map_png import png  # noqa: PLC0415  (slow to import)

        write_output(path, png(draw(scene)))
    elif path.suffix.lower() == ".geojson":
        from vlm_vpr_ros.evaluation.map_geojson import feature_collection  # noqa: PLC0415

        text = json.dumps(feature_collection(scene), allow_nan=False, ensure_ascii=False)
        write_output(path, text.encode(errors="replace"))
    else:
        from vlm_vpr_ros.evaluation.map_html import page  # noqa: PLC0415

        write_output(path, page(draw(scene)).encode())
