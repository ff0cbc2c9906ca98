"""The thread that localizes, with the real localizer in a region of two towns."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.priors import at
from support.streets import ORIGIN, view
from support.tiny_encoder import write_tiny_encoder
from support.twin_towns import SHARED, build_twin_towns, encoder_of

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.node.worker import Worker
from vlm_vpr_ros.types import Frame, PriorStatus

TIMEOUT_S = 20.0
S = 10**9
FIRST_NS = 1_700_000_000 * S


@pytest.fixture(name="worker")
def _worker(tmp_path: Path) -> Iterator[Worker]:
    card = write_tiny_encoder(tmp_path / "models", card={"chance_similarity": 0.5})
    region = build_twin_towns(tmp_path / "twins", card)
    worker = Worker(Localizer.open)
    worker.open(region, LocalizerConfig(encoder=encoder_of(card))).result(TIMEOUT_S)
    yield worker
    worker.stop()
    assert worker.join(TIMEOUT_S)


def prior_of(worker: Worker, stamp_ns: int) -> PriorStatus:
    frame = Frame(view(SHARED), stamp_ns)
    return worker.localize(lambda: frame, 0.0).result(TIMEOUT_S).prior.status


def test_a_prior_that_was_told_outlives_the_jump_back_of_a_new_drive(worker: Worker) -> None:
    assert prior_of(worker, FIRST_NS + 60 * S) is PriorStatus.OFF
    worker.tell_prior(at(*ORIGIN, sigma_m=1000.0), 0)
    assert prior_of(worker, FIRST_NS) is PriorStatus.USED
    assert prior_of(worker, FIRST_NS - S) is PriorStatus.OFF, "told in an earlier drive"


def test_stopping_does_not_wait_for_a_job_that_the_thread_has_just_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begin, taken = threading.Event(), threading.Event()

    class Overtaken(queue.SimpleQueue):  # type: ignore[type-arg]
        """Between the look at an entry and the grip, the thread takes it."""

        def empty(self) -> bool:
            was = super().empty()
            begin.set()
            assert taken.wait(TIMEOUT_S)
            return was

        def get_nowait(self) -> object:
            begin.set()
            assert taken.wait(TIMEOUT_S)
            return super().get_nowait()

    monkeypatch.setattr(queue, "SimpleQueue", Overtaken)
    worker = Worker(Localizer.open)

    def load() -> Frame:
        raise AssertionError("no region is open: nothing is loaded")

    worker._submit(lambda: begin.wait(TIMEOUT_S))
    worker.localize(load, 0.0).add_done_callback(lambda _: taken.set())
    stopping = threading.Thread(target=worker.stop, daemon=True)
    stopping.start()
    stopping.join(TIMEOUT_S)
    assert not stopping.is_alive()
    assert worker.join(TIMEOUT_S)
