"""Files of a region that no build wrote: they survive when a drive is added."""

from __future__ import annotations

import shutil
from pathlib import Path

from vlm_vpr_ros.files import sync_folder

STALE = {"calibration.json"}
"""Fitted on the region as it was: wrong, and not missed, once a drive is added."""


def carry_over(old: Path, new: Path) -> list[str]:
    """Copy what lies in the old region beside its own files, notes of its user for example.

    Args:
        old: the region that is added to.
        new: the region that takes its place, with its own files; those are kept.

    Returns:
        Names of files that were left behind because they are stale, ascending.
    """
    left_behind = []
    for path in sorted(old.iterdir()):
        if path.name in STALE:
            left_behind.append(path.name)
        elif not (new / path.name).exists():
            if path.is_dir() and not path.is_symlink():
                shutil.copytree(path, new / path.name, symlinks=True)
            else:
                shutil.copy2(path, new / path.name, follow_symlinks=False)
    for folder in [p for p in new.rglob("*") if p.is_dir() and not p.is_symlink()]:
        sync_folder(folder)
    return left_behind
