"""A small town for the command line: pictures made here, mapped with a tiny encoder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from small_town import ROOT, Command, write_drive
from support.tiny_encoder import write_tiny_encoder


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
