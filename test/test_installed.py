"""A colcon installation starts and finds its files: `colcon test` runs this, else it is skipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytestmark = pytest.mark.smoke

NAME = "vlm_vpr_ros"
CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def prefix() -> Path:
    packages = pytest.importorskip("ament_index_python.packages")
    try:
        return Path(packages.get_package_prefix(NAME)).resolve()
    except (LookupError, OSError):
        pytest.skip("vlm_vpr_ros is not installed in a sourced colcon workspace")


def _run(folder: Path, *command: str) -> str:
    # Away from the checkout: its own copy of the package must not be what is tested.
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def test_share_directory_is_found(prefix: Path, tmp_path: Path) -> None:
    code = "from vlm_vpr_ros.resources import share_dir; print(share_dir())"
    share = Path(_run(tmp_path, sys.executable, "-c", code))
    symlinked = (prefix / "share" / NAME / "package.xml").is_symlink()
    assert share == (CHECKOUT if symlinked else prefix / "share" / NAME)


@pytest.mark.parametrize("folder", ["models", "config", "launch"])
def test_every_file_is_installed(prefix: Path, folder: str) -> None:
    there = [p for p in (CHECKOUT / folder).glob("*") if p.is_file() and p.name[0] not in "_."]
    for path in there:
        installed = prefix / "share" / NAME / folder / path.name
        assert installed.is_file(), f"{path.name} is not installed: name its suffix in setup.py"
        assert installed.read_bytes() == path.read_bytes()


def test_command_line_starts(prefix: Path, tmp_path: Path) -> None:
    version = ElementTree.parse(CHECKOUT / "package.xml").findtext("version")
    assert version in _run(tmp_path, str(prefix / "lib" / NAME / "vlm_vpr"), "--version")


@pytest.mark.parametrize("name", ["relocalizer", "after_kidnapping"])
def test_nodes_are_where_ros2_run_looks_for_them(prefix: Path, name: str) -> None:
    assert os.access(prefix / "lib" / NAME / name, os.X_OK)
