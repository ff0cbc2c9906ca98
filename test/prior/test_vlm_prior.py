"""The model in its process: both ways to ask, and every way to fail, with the real llama.cpp."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.tiny_vlm import TinyVlm, write_tiny_vlm
from tiny_vlm_network import TinyVlmConfig

from vlm_vpr_ros.config import VlmConfig
from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.prior.vlm import process
from vlm_vpr_ros.prior.vlm.protocol import PlaceNames
from vlm_vpr_ros.prior.vlm.vlm_prior import VlmAnswer, VlmPrior

PATIENCE_S = 60.0
PLACES = [PlaceNames(f"P{i}, C{i % 3}", f"C{i % 3}", f"R{i % 5}", f"P{i}") for i in range(30)]
IMAGE = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)

Open = Callable[..., VlmPrior]


@pytest.fixture
def open_prior(tiny_vlm: TinyVlm) -> Iterator[Open]:
    """Opens priors and closes them after the test."""
    opened: list[VlmPrior] = []

    def make(places: list[PlaceNames] | None = None, **changes: Any) -> VlmPrior:
        model, mmproj = map(str, tiny_vlm.pair)
        usual = {"model": model, "mmproj": mmproj, "n_threads": 1, "samples": 3}
        config = VlmConfig(**{**usual, "timeout_s": PATIENCE_S, **changes})
        opened.append(VlmPrior(config, places or []))
        return opened[-1]

    yield make
    for prior in opened:
        prior.close()


def ask(prior: VlmPrior, image: np.ndarray = IMAGE, stamp_ns: int = 7) -> VlmAnswer:
    return prior.ask(image, stamp_ns).result(PATIENCE_S + 10)


def worker_of(prior: VlmPrior) -> int:
    """Its process, once it has answered."""
    assert not ask(prior).failure
    return int(prior.health()["vlm process"])


def test_open_answers(open_prior: Open) -> None:
    prior = open_prior()
    answer = ask(prior, stamp_ns=42)
    assert answer.failure == ""
    assert answer.stamp_ns == 42
    assert 1 <= len(answer.open) <= 3
    assert answer.choice == ()
    assert ask(prior).open == answer.open, "the same image, another answer"
    assert ask(prior, 255 - IMAGE).open != answer.open, "another image, the same answer"
    assert prior.health()["vlm mode"] == "open"


def test_probabilities_of_places(open_prior: Open) -> None:
    prior = open_prior(PLACES)
    answer = ask(prior)
    assert answer.failure == ""
    assert answer.open == ()
    assert len(answer.choice) == len(PLACES)
    assert sum(answer.choice) == pytest.approx(1)
    assert ask(prior).choice == answer.choice
    assert ask(prior, 255 - IMAGE).choice != answer.choice


@pytest.mark.parametrize(
    ("mode", "count", "expected"),
    [
        ("auto", 0, "open"),
        ("auto", 1, "open"),
        ("auto", 2, "choice"),
        ("auto", 400, "choice"),
        ("auto", 401, "open"),
        ("open", 30, "open"),
        ("choice", 30, "choice"),
    ],
)
def test_the_number_of_places_decides_how_to_ask(
    open_prior: Open, mode: str, count: int, expected: str
) -> None:
    assert open_prior((PLACES * 20)[:count], mode=mode).mode == expected


def test_a_choice_without_places_is_refused(open_prior: Open) -> None:
    with pytest.raises(ConfigError, match="the region knows 1 places"):
        open_prior(PLACES[:1], mode="choice")


def test_a_model_without_vision_tower_is_refused(open_prior: Open) -> None:
    with pytest.raises(ConfigError, match=r"vlm\.mmproj"):
        open_prior(mmproj="")


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 2), (1080, 1920)])
def test_images_of_any_size(open_prior: Open, size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 90, np.uint8)
    assert ask(open_prior(), image).failure == ""


def test_the_process_is_started_once(open_prior: Open) -> None:
    prior = open_prior()
    assert worker_of(prior) == worker_of(prior)
    assert prior.health()["vlm starts"] == "1"


def test_of_the_frames_that_wait_the_newest_is_answered(open_prior: Open) -> None:
    prior = open_prior()
    worker = worker_of(prior)
    os.kill(worker, signal.SIGSTOP)  # else it may answer one before the next is asked
    asked = [prior.ask(IMAGE, stamp_ns) for stamp_ns in range(5)]
    os.kill(worker, signal.SIGCONT)
    first, *passed_over, newest = [future.result(PATIENCE_S) for future in asked]
    assert not newest.failure
    assert newest.stamp_ns == 4
    assert all("newer frame" in answer.failure for answer in passed_over)
    assert not first.failure or "newer frame" in first.failure


def test_a_frame_does_not_wait_longer_than_its_time(open_prior: Open) -> None:
    prior = open_prior(timeout_s=3.0)
    assert works_again(prior)
    os.kill(int(prior.health()["vlm process"]), signal.SIGSTOP)
    asked = [prior.ask(IMAGE, stamp_ns) for stamp_ns in range(2)]
    assert all(future.result(PATIENCE_S).failure for future in asked)
    assert works_again(prior)


def test_killed_between_frames(open_prior: Open) -> None:
    prior = open_prior()
    os.kill(worker_of(prior), signal.SIGKILL)
    first = ask(prior)
    assert first.failure == "" or "SIGKILL" in first.failure  # it may have been asked too soon
    assert ask(prior).failure == ""
    assert "SIGKILL" in prior.health()["vlm last failure"]


def test_killed_while_it_answers(open_prior: Open) -> None:
    prior = open_prior()
    pid = worker_of(prior)
    os.kill(pid, signal.SIGSTOP)
    asked = prior.ask(IMAGE, 3)
    os.kill(pid, signal.SIGKILL)
    assert "SIGKILL" in asked.result(PATIENCE_S).failure
    assert ask(prior).failure == ""


@pytest.mark.parametrize("image", [IMAGE, np.zeros((1000, 1000, 3), np.uint8)])
def test_a_hang_ends_at_the_time_limit(open_prior: Open, image: np.ndarray) -> None:
    prior = open_prior(timeout_s=4.0)
    assert works_again(prior)  # has loaded
    pid = int(prior.health()["vlm process"])
    os.kill(pid, signal.SIGSTOP)
    answer = ask(prior, image)
    assert "no answer within 4 s" in answer.failure
    assert works_again(prior)
    assert not alive(pid)


def test_too_much_memory(open_prior: Open) -> None:
    prior = open_prior(max_memory_mib=128, n_ctx=1 << 20)  # a cache of some 300 MiB
    while not (failure := ask(prior).failure):  # it may answer before the watchdog looks
        pass
    assert "vlm.max_memory_mib is 128" in failure


def test_a_context_that_is_too_small(open_prior: Open) -> None:
    assert "vlm.n_ctx is 256" in ask(open_prior(PLACES, n_ctx=256)).failure


GARBAGE = {
    "text": "print('llama_model_loader: loaded')",
    "nothing": "pass",
    "huge": "sys.stdout.buffer.write(b'VLM1' + b'\\xff' * 8)",
    "no json": "sys.stdout.buffer.write(struct.pack('<4sII', b'VLM1', 2, 0) + b'{]')",
    "other json": "say({'hello': 1})",
    "endless": "[sys.stdout.write('x' * 65536) for _ in range(10**9)]",
    "stderr": "say({'ready': True}); [sys.stderr.write('x' * 65536) for _ in range(10**9)]",
    "wrong id": "say({'ready': True}); say({'id': 99, 'answers': []})",
    "no answers": "say({'ready': True}); say({'id': 1, 'answers': [1, None, '{']})",
    "answers of another type": "say({'ready': True}); say({'id': 1, 'answers': 'x'})",
    "bytes": "say({'ready': True}); sys.stdout.buffer.write(bytes(range(256)) * 9)",
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_garbage_instead_of_answers(
    open_prior: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """In place of the worker runs a program that is not one; then the worker is back."""
    stand_in = tmp_path / "stand_in_worker.py"
    stand_in.write_text(
        "import json, struct, sys\n"
        "def say(h):\n"
        "    text = json.dumps(h).encode()\n"
        "    sys.stdout.buffer.write(struct.pack('<4sII', b'VLM1', len(text), 0) + text)\n"
        f"{GARBAGE[kind]}\n"
        "sys.stdout.flush()\n"
        "sys.stdin.buffer.read()\n"
    )
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(process, "_MODULE", "stand_in_worker")
    prior = open_prior(timeout_s=3.0)
    answer = ask(prior)
    assert answer.failure
    assert answer.open == ()
    assert answer.seconds < PATIENCE_S


def test_after_garbage_the_next_frame_works(
    open_prior: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "stand_in_worker.py").write_text("print('garbage')")
    real = process._MODULE
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setattr(process, "_MODULE", "stand_in_worker")
    prior = open_prior()
    asked = prior.ask(IMAGE, 1)
    monkeypatch.setattr(process, "_MODULE", real)
    assert asked.result(PATIENCE_S).failure
    assert works_again(prior)


def test_no_file_and_then_one(open_prior: Open, tiny_vlm: TinyVlm, tmp_path: Path) -> None:
    model = tmp_path / "late.gguf"
    prior = open_prior(model=str(model))
    failure = ask(prior).failure
    assert str(model) in failure
    assert "No such file" in failure
    shutil.copy(tiny_vlm.pair.model, model)
    assert works_again(prior)


@pytest.mark.parametrize("which", ["model", "mmproj"])
def test_a_truncated_file(open_prior: Open, tiny_vlm: TinyVlm, tmp_path: Path, which: str) -> None:
    content = getattr(tiny_vlm.pair, which).read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(content[: len(content) * 3 // 4])
    failure = ask(open_prior(**{which: str(cut)})).failure
    assert "cut.gguf is damaged or was cut off" in failure


def test_an_mmproj_of_another_model(open_prior: Open, tmp_path: Path) -> None:
    other = write_tiny_vlm(tmp_path, TinyVlmConfig(embed=64))
    failure = ask(open_prior(mmproj=str(other.pair.mmproj))).failure
    assert "mmproj.gguf: llama.cpp cannot load it as the vision tower" in failure
    assert "mismatch" in failure, "llama.cpp's own reason is missing"


def test_model_and_mmproj_swapped(open_prior: Open, tiny_vlm: TinyVlm) -> None:
    model, mmproj = map(str, tiny_vlm.pair)
    assert "cannot load it" in ask(open_prior(model=mmproj, mmproj=model)).failure


def test_llama_cpp_is_silent_unless_asked(
    open_prior: Open, capfd: pytest.CaptureFixture[str]
) -> None:
    assert ask(open_prior()).failure == ""
    silent = capfd.readouterr()
    assert (silent.out, silent.err) == ("", "")
    assert ask(open_prior(log=True)).failure == ""
    assert "llama" in capfd.readouterr().err


def test_closing_ends_the_process_and_what_it_answers(open_prior: Open) -> None:
    prior = open_prior()
    pid = worker_of(prior)
    os.kill(pid, signal.SIGSTOP)
    asked = prior.ask(IMAGE, 1)
    prior.close()
    assert "closed" in asked.result(0).failure
    assert not alive(pid)
    assert "closed" in ask(prior).failure
    assert prior.health()["vlm state"] == "closed"
    prior.close()


def test_closing_waits_for_no_frame(open_prior: Open) -> None:
    prior = open_prior()
    os.kill(worker_of(prior), signal.SIGSTOP)
    asked = [prior.ask(IMAGE, 0)]
    while prior.health()["vlm state"] != "answering":
        time.sleep(0.01)
    asked.append(prior.ask(IMAGE, 1))  # waits for its turn
    prior.close()
    assert ["closed" in future.result(0).failure for future in asked] == [True] * 2


def test_the_worker_is_deaf_to_the_terminal(open_prior: Open) -> None:
    prior = open_prior()
    pid = worker_of(prior)
    os.kill(pid, signal.SIGINT)
    assert worker_of(prior) == pid


def alive(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def works_again(prior: VlmPrior) -> bool:
    """Whether it answers after the pauses between restarts; asks frame by frame, as a robot."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if not ask(prior).failure:
            return True
        time.sleep(0.05)  # the next frame
    return False
