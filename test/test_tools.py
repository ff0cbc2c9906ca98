"""The scripts behind the Makefile, as far as they can be tried without a second set-up."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parent.parent / "tools"


def _run(*command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(part) for part in command],
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _environment_without_ros(**variables: str) -> tuple[str, dict[str, str]]:
    """What leave_sourced_ros says, and the environment that it leaves."""
    script = f'set -euo pipefail; . "{TOOLS}/env.sh"; leave_sourced_ros >&2; env -0'
    done = _run("bash", "-c", script, **variables)
    assert done.returncode == 0, done.stderr
    return done.stderr, dict(e.split("=", 1) for e in done.stdout.split("\0") if "=" in e)


def test_a_sourced_ros_is_left_out() -> None:
    said, left = _environment_without_ros(
        ROS_DISTRO="jazzy",
        AMENT_PREFIX_PATH="/home/me/ws/install/a b:/opt/ros/jazzy",
        PYTHONPATH="/opt/ros/jazzy/lib/python3.12/site-packages",
        LD_LIBRARY_PATH="/home/me/ws/install/a b/lib:/opt/ros/jazzy/lib:/usr/local/cuda/lib64",
        RMW_IMPLEMENTATION="rmw_zenoh_cpp",
    )
    assert "jazzy" in said
    assert left["LD_LIBRARY_PATH"] == "/usr/local/cuda/lib64"
    assert left["ROS_AUTOMATIC_DISCOVERY_RANGE"] == "LOCALHOST"
    assert not {"PYTHONPATH", "AMENT_PREFIX_PATH", "RMW_IMPLEMENTATION", "ROS_DISTRO"} & set(left)


def test_nothing_is_said_where_no_ros_was_sourced() -> None:
    said, left = _environment_without_ros(AMENT_PREFIX_PATH="", LD_LIBRARY_PATH="")
    assert said == ""
    assert "LD_LIBRARY_PATH" not in left


@pytest.mark.skipif(platform.machine() != "x86_64", reason="llama.cpp chooses by itself elsewhere")
def test_llama_is_not_built_for_the_machine_at_hand() -> None:
    flags = _run(TOOLS / "llama_flags.sh").stdout.split()
    assert "-DGGML_NATIVE=OFF" in flags
    assert {flag.split("=")[1] for flag in flags} <= {"ON", "OFF"}
    features = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    assert (f"-DGGML_AVX2={'ON' if 'avx2' in features else 'OFF'}") in flags


def test_demo_says_how_it_is_called(tmp_path: Path) -> None:
    assert _run(TOOLS / "demo.sh", "--check", MAP="", QUERY="").returncode == 0
    done = _run(TOOLS / "demo.sh", "--check", MAP=str(tmp_path), QUERY="")
    assert done.returncode == 2
    assert "make demo MAP=" in done.stderr
    done = _run(TOOLS / "demo.sh", "--check", MAP=str(tmp_path), QUERY=str(tmp_path / "no such"))
    assert done.returncode == 2
    assert "no such" in done.stderr
    drive = tmp_path / "a drive's bag"
    drive.mkdir()
    assert _run(TOOLS / "demo.sh", "--check", MAP=str(drive), QUERY=str(drive)).returncode == 0
