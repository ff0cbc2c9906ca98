"""A build killed at any moment continues and ends with the same bytes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.streets import FakeSource, drive
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.errors import RegionError, SourceError
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.manifest import HASHED_FILES, MANIFEST
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import RgbImage

ROOT = Path(__file__).parents[2]
CPU = ("CPUExecutionProvider",)


@pytest.fixture(name="card", scope="module")
def _card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("models"))


@pytest.fixture(name="encoder", scope="module")
def _encoder(card: Path) -> Encoder:
    return Encoder.load(EncoderConfig(name=str(card), providers=CPU))


def content(region: Path) -> dict[str, bytes]:
    return {name: (region / name).read_bytes() for name in (*HASHED_FILES, MANIFEST)}


class KilledError(BaseException):
    """Nothing handles it: what runs after a kill does not run."""


def kill_at_image(place: int) -> dict[int, Callable[[], RgbImage]]:
    def load() -> RgbImage:
        raise KilledError

    return {place: load}


# The real thing: the process kills itself while it reads the 40th image.
KILL = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from support.streets import drive
    from vlm_vpr_ros.config import EncoderConfig
    from vlm_vpr_ros.mapping.builder import build_region
    from vlm_vpr_ros.networks import Networks
    from vlm_vpr_ros.retrieval.encoder import Encoder

    encoder = Encoder.load(EncoderConfig(name=sys.argv[1], providers=("CPUExecutionProvider",)))
    loads = {40: lambda: os.kill(os.getpid(), signal.SIGKILL)}
    build_region([drive("a", range(50), loads=loads)], Path(sys.argv[2]), Networks(encoder))
    """
)


def test_kill_9_in_the_middle_of_a_build(tmp_path: Path, card: Path, encoder: Encoder) -> None:
    build_region([drive("a", range(50))], tmp_path / "undisturbed", Networks(encoder))
    out = tmp_path / "region"
    killed = subprocess.run(
        [sys.executable, "-c", KILL, str(card), str(out)],
        check=False,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'test'}"},
        timeout=60,
    )
    assert killed.returncode == -signal.SIGKILL
    assert not out.exists()
    work = tmp_path / "region.building"
    assert list(work.glob("batch_*"))

    with pytest.raises(RegionError, match="an interrupted build lies here. Add --resume"):
        build_region([drive("a", range(50))], out, Networks(encoder))
    build_region([drive("a", range(50))], out, Networks(encoder), resume=True)
    assert content(out) == content(tmp_path / "undisturbed")
    assert not work.exists()
    Region.open(out, verify=True)


def test_a_resumed_build_repeats_no_stored_batch(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KilledError):
        build_region(
            [drive("a", range(60), loads=kill_at_image(50))], tmp_path / "region", Networks(encoder)
        )
    encoded: list[int] = []
    encode_batch = encoder.encode_batch

    def counting(images: list[RgbImage]) -> np.ndarray:
        encoded.append(len(images))
        return encode_batch(images)

    monkeypatch.setattr(encoder, "encode_batch", counting)
    build_region([drive("a", range(60))], tmp_path / "region", Networks(encoder), resume=True)
    assert 0 < sum(encoded) <= 60 - 32


def _interrupt(monkeypatch: pytest.MonkeyPatch, at: int) -> None:
    """Raise KilledError instead of the at-th operation on a file."""
    left = [at]

    def killable(original: Callable[..., Any], half: Callable[..., None] | None = None) -> Any:
        def operation(*args: Any, **kwargs: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                if half:
                    half(*args)
                raise KilledError
            return original(*args, **kwargs)

        return operation

    def half_removed(folder: Path, *_: object) -> None:
        files = sorted(p for p in Path(folder).rglob("*") if p.is_file())
        for path in files[::2]:
            os.unlink(path)  # noqa: PTH108 (Path.unlink is counted)

    monkeypatch.setattr(os, "fsync", killable(os.fsync))
    monkeypatch.setattr(Path, "rename", killable(Path.rename))
    monkeypatch.setattr(Path, "replace", killable(Path.replace))
    monkeypatch.setattr(Path, "unlink", killable(Path.unlink))
    monkeypatch.setattr(Path, "touch", killable(Path.touch))
    monkeypatch.setattr(shutil, "rmtree", killable(shutil.rmtree, half_removed))


@pytest.mark.parametrize("adding", [False, True])
@pytest.mark.parametrize("share", range(4))
def test_killed_at_any_file_operation(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch, adding: bool, share: int
) -> None:
    expected = tmp_path / "expected"
    if adding:
        build_region([drive("base", range(5))], expected, Networks(encoder))
        shutil.copytree(expected, tmp_path / "base")
    build_region([drive("a", range(10, 28))], expected, Networks(encoder))

    at = share - 3
    while True:
        at += 4
        out = tmp_path / f"region_{at}"
        if adding:
            shutil.copytree(tmp_path / "base", out)
        with monkeypatch.context() as patch:
            _interrupt(patch, at)
            try:
                build_region([drive("a", range(10, 28))], out, Networks(encoder))
            except KilledError:
                pass
            else:
                break
        if out.exists():
            Region.open(out, verify=True)  # the old one or the new one, never a part of one
        try:
            build_region([drive("a", range(10, 28))], out, Networks(encoder), resume=True)
        except SourceError as error:  # the kill came after the region was in its place
            assert "has a drive `a` already" in str(error)
        assert content(out) == content(expected), at
        assert build_region([drive("b", range(2))], out, Networks(encoder)).total == 20 + 5 * adding
        assert not out.with_name(out.name + ".building").exists()
    assert at > 28


def test_resume_is_refused_for_another_build(tmp_path: Path, encoder: Encoder) -> None:
    out = tmp_path / "region"
    killed = drive("a", range(40), loads=kill_at_image(39))
    with pytest.raises(KilledError):
        build_region([killed], out, Networks(encoder))
    other_card = write_tiny_encoder(tmp_path / "models", seed=1)
    other_encoder = Encoder.load(EncoderConfig(name=str(other_card), providers=CPU))
    whole = drive("a", range(40))
    for arguments in [
        ([drive("b", range(40))], encoder, 0.0),
        ([whole, drive("b", range(40))], encoder, 0.0),
        ([whole], encoder, 5.0),
        ([whole], other_encoder, 0.0),
    ]:
        sources, used, every_m = arguments
        with pytest.raises(RegionError, match="other sources, options or another encoder"):
            build_region(sources, out, Networks(used), every_m=every_m, resume=True)
    assert build_region([whole], out, Networks(encoder), resume=True).total == 40


def test_a_recording_that_changed_is_not_mixed_up(tmp_path: Path, encoder: Encoder) -> None:
    """A photo added to the folder moves all others: stored batches are of other images now."""
    out = tmp_path / "region"
    with pytest.raises(KilledError):
        build_region([drive("a", range(1, 50), loads=kill_at_image(45))], out, Networks(encoder))
    build_region([drive("a", range(50))], out, Networks(encoder), resume=True)
    build_region([drive("a", range(50))], tmp_path / "expected", Networks(encoder))
    assert content(out) == content(tmp_path / "expected")


def test_a_damaged_batch_is_named(tmp_path: Path, encoder: Encoder) -> None:
    out = tmp_path / "region"
    for name in ("batch_0000000.json", "batch_0000000.descriptors.npy"):
        with pytest.raises(KilledError):
            build_region([drive("a", range(40), loads=kill_at_image(39))], out, Networks(encoder))
        (tmp_path / "region.building" / name).write_bytes(b"\x93NUMPY garbage")
        with pytest.raises(RegionError, match="batch 0 of the interrupted build is damaged"):
            build_region([drive("a", range(40))], out, Networks(encoder), resume=True)
        shutil.rmtree(tmp_path / "region.building")


def test_resume_without_anything_to_resume_is_a_build(tmp_path: Path, encoder: Encoder) -> None:
    source = FakeSource("a", drive("a", range(3)).content)
    assert build_region([source], tmp_path / "region", Networks(encoder), resume=True).total == 3
