"""The image files below a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from vlm_vpr_ros.images import SUFFIXES


def image_files(
    folder: Path, unreadable: Callable[[OSError], None] = lambda _: None
) -> Iterator[Path]:
    """Yield the image files below a folder, hidden ones left out, in no particular order.

    Args:
        folder: where to begin.
        unreadable: is told of every folder that cannot be listed.
    """
    for parent, children, files in os.walk(folder, onerror=unreadable):
        children[:] = [child for child in children if not child.startswith(".")]
        for file in files:
            if not file.startswith(".") and Path(file).suffix.lower() in SUFFIXES:
                yield Path(parent, file)


def natural_order(path: Path) -> list[list[tuple[int, str]]]:
    """Sort key: folder by folder, numbers by value ("9" before "10")."""
    return [
        [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]
        + [(-2, name)]
        for name in path.parts
    ]
