"""Two builds to one region at the same time."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.streets import drive
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.mapping.build_lock import LOCK, locked
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.retrieval.encoder import Encoder

ROOT = Path(__file__).parents[2]

# Builds 20 images, and at the last waits for a line on its standard input.
BUILD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from support.streets import drive, view
    from vlm_vpr_ros.config import EncoderConfig
    from vlm_vpr_ros.mapping.builder import build_region
    from vlm_vpr_ros.networks import Networks
    from vlm_vpr_ros.retrieval.encoder import Encoder

    def waiting():
        print("waiting", flush=True)
        sys.stdin.readline()
        return view(19)

    encoder = Encoder.load(EncoderConfig(name=sys.argv[1], providers=("CPUExecutionProvider",)))
    build_region([drive("a", range(20), loads={19: waiting})], Path(sys.argv[2]), Networks(encoder))
    """
)


@pytest.fixture(name="card")
def _card(tmp_path: Path) -> Path:
    return write_tiny_encoder(tmp_path / "models")


@pytest.fixture(name="networks")
def _networks(card: Path) -> Networks:
    return Networks(
        Encoder.load(EncoderConfig(name=str(card), providers=("CPUExecutionProvider",)))
    )


@pytest.fixture(name="other")
def _other(tmp_path: Path, card: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process in the middle of a build to `region`."""
    with subprocess.Popen(
        [sys.executable, "-c", BUILD, str(card), str(tmp_path / "region")],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'test'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout and process.stdout.readline() == "waiting\n"
        yield process
        process.kill()


@pytest.mark.parametrize("resume", [False, True])
def test_the_second_build_is_refused_and_the_first_goes_on(
    tmp_path: Path, networks: Networks, other: subprocess.Popen[str], resume: bool
) -> None:
    out = tmp_path / "region"
    with pytest.raises(RegionError, match="region.building: another build is at work here. Wait"):
        build_region([drive("a", range(20))], out, networks, resume=resume)
    other.communicate("go on\n", timeout=60)
    assert other.returncode == 0
    assert Region.open(out, verify=True).manifest.drives == {"a": 20}
    assert not out.with_name("region.building").exists()
    assert build_region([drive("b", range(3))], out, networks).total == 23


def test_a_killed_build_holds_nothing(
    tmp_path: Path, networks: Networks, other: subprocess.Popen[str]
) -> None:
    out = tmp_path / "region"
    other.kill()  # SIGKILL
    other.wait(timeout=60)
    assert (tmp_path / "region.building" / LOCK).exists()
    assert build_region([drive("a", range(20))], out, networks, resume=True).total == 20
    assert not out.with_name("region.building").exists()


def test_another_region_is_not_locked(
    tmp_path: Path, networks: Networks, other: subprocess.Popen[str]
) -> None:
    assert build_region([drive("a", range(3))], tmp_path / "other", networks).total == 3
    assert other.poll() is None


def test_the_folder_goes_when_it_is_empty(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    with locked(folder), pytest.raises(RegionError, match="another build"), locked(folder):
        pass
    assert not folder.exists()
    with locked(folder):
        (folder / "batch").touch()
    assert {path.name for path in folder.iterdir()} == {"batch", LOCK}
    with locked(folder):
        (folder / "batch").unlink()
    assert not folder.exists()
