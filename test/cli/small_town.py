"""Drives past a few places, and the command that is run on them."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
from support.streets import view

ROOT = Path(__file__).resolve().parents[2]
PLACES = 12
"""20 m apart, to the north of 0° N, 7° E."""

Command = Callable[..., subprocess.CompletedProcess[str]]


def write_drive(folder: Path, name: str, visit: int = 0, places: int = PLACES) -> Path:
    """Write pictures and a table of where they were taken; return the table."""
    (folder / name).mkdir(parents=True)
    lines = ["path,lat,lon"]
    for place in range(places):
        cv2.imwrite(str(folder / name / f"{place}.png"), view(place, visit))
        lines.append(f"{name}/{place}.png,{place * 20 / 111_000:.8f},7.0")
    table = folder / f"{name}.csv"
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return table
