"""A small town for the command line: pictures made here, mapped with a tiny encoder."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import pytest
from support.streets import view
from support.tiny_encoder import write_tiny_encoder

ROOT = Path(__file__).resolve().parents[2]
PLACES = 12
"""20 m apart, to the north of 0° N, 7° E."""

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def vlm_vpr() -> Command:
    """Runs the command in a process of its own."""

    def run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "vlm_vpr_ros.cli.main", *map(str, arguments)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The card of a tiny encoder."""
    return write_tiny_encoder(tmp_path_factory.mktemp("encoder"))


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


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with morning.csv and evening.csv, two drives past the same places."""
    folder = tmp_path_factory.mktemp("town")
    write_drive(folder, "morning")
    write_drive(folder, "evening", visit=1)
    return folder


@pytest.fixture(scope="session")
def region(town: Path, encoder: Path, vlm_vpr: Command) -> Path:
    """The region made from the morning drive; not to be changed."""
    vlm_vpr("build", town / "morning.csv", "--out", town / "region", "--encoder", encoder)
    return town / "region"
