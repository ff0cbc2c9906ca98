"""A finished region takes its place at once, or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

from vlm_vpr_ros.files import sync, sync_folder
from vlm_vpr_ros.mapping.batches import remove_work
from vlm_vpr_ros.region.manifest import PREVIOUS

_STAGED = "region"
_MOVING = "moving"


def move_into_place(out: Path, staged: Path, work: Path) -> None:
    """Move the finished region into place; a crash between the moves is mended by the next build.

    A node that has the old region open keeps its mapped files.
    """
    sync_folder(staged)
    shutil.rmtree(work / PREVIOUS, ignore_errors=True)
    (work / _MOVING).touch()
    if out.exists():
        out.rename(work / PREVIOUS)
    staged.rename(out)
    sync(out.parent)


def mend_after_crash(out: Path, work: Path) -> None:
    """Undo, or finish, what a build that was killed while it moved its region left."""
    if not (work / _MOVING).exists():
        return
    if (work / _STAGED).exists():
        if (work / PREVIOUS).is_dir() and not out.exists():
            (work / PREVIOUS).rename(out)
        (work / _MOVING).unlink()
    else:
        remove_work(work)


def empty_staging(work: Path) -> Path:
    """A new empty folder for the files of the region."""
    folder = work / _STAGED
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
