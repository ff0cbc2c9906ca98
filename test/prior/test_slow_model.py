"""Time limits of a model that takes long, simulated in its process: only what hangs is ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from support.streets import observation

from vlm_vpr_ros.config import VlmConfig
from vlm_vpr_ros.model_store.photo_check import check_photos
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.vlm import process, watchdog
from vlm_vpr_ros.prior.vlm.vlm_prior import VlmAnswer, VlmPrior
from vlm_vpr_ros.types import GeoPoint

LOADING_S, ANSWERING_S, LIMIT_S = 1.5, 1.2, 2.2
"""It has time to answer, but not to be loaded and answer, nor to answer twice."""
PATIENCE_S = 60.0
IMAGE = np.zeros((8, 8, 3), np.uint8)
TRIES = 10
LUND = (
    '{"clues": [], "country": "Sweden", "region": "", "city": "Lund", "latitude": 55.7, '
    '"longitude": 13.2}'
)

Open = Callable[..., VlmPrior]

STAND_IN = """
import sys, time
from vlm_vpr_ros.prior.vlm.protocol import frame, read_frame

def say(header):
    sys.stdout.buffer.write(frame(header))
    sys.stdout.flush()

read_frame(sys.stdin.buffer.read)
time.sleep({loading_s})
say({{"ready": True}})
while received := read_frame(sys.stdin.buffer.read):
    time.sleep({answering_s})
    say({{"id": received[0]["id"], "answers": [{answer!r}]}})
"""


@pytest.fixture
def open_slow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """Opens models that take this long, and closes them after the test."""
    opened: list[VlmPrior] = []

    def make(loading_s: float = LOADING_S, answering_s: float = ANSWERING_S) -> VlmPrior:
        program = STAND_IN.format(loading_s=loading_s, answering_s=answering_s, answer=LUND)
        (tmp_path / "slow_worker.py").write_text(program, encoding="utf-8")
        monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
        monkeypatch.setattr(process, "_MODULE", "slow_worker")
        opened.append(VlmPrior(VlmConfig(model="m.gguf", mmproj="p.gguf", timeout_s=LIMIT_S)))
        return opened[-1]

    yield make
    for prior in opened:
        prior.close()


def until_answering(prior: VlmPrior) -> None:
    """Return when the process works on a frame."""
    while prior.health()["vlm state"] != "answering":
        time.sleep(0.01)


def first_answer(prior: VlmPrior) -> VlmAnswer:
    """Of frame after frame, as a robot asks."""
    for stamp_ns in range(TRIES):
        answer = prior.ask(IMAGE, stamp_ns).result(PATIENCE_S)
        if not answer.failure:
            break
    return answer


def test_loading_takes_nothing_from_the_time_to_answer(open_slow: Open) -> None:
    prior = open_slow()
    assert first_answer(prior).open[0].city == "Lund"
    assert prior.health()["vlm starts"] == "1"


def test_waiting_for_another_frame_takes_nothing_from_the_time_to_answer(open_slow: Open) -> None:
    prior = open_slow(loading_s=0.0)
    assert not first_answer(prior).failure
    first = prior.ask(IMAGE, 1)
    until_answering(prior)
    second = prior.ask(IMAGE, 2)
    assert not first.result(PATIENCE_S).failure
    assert "no answer within 2.2 s" in second.result(PATIENCE_S).failure  # it had 1 s left
    assert not first_answer(prior).failure
    assert prior.health()["vlm starts"] == "1"


def test_every_photo_gets_its_answer(open_slow: Open) -> None:
    gazetteer = Gazetteer.load()
    prior = open_slow()
    photos = [observation(i, "photos", position=GeoPoint(55.7, 13.2)) for i in range(2)]
    checked = list(check_photos(prior, photos, gazetteer))
    assert ["Lund, Sweden" in photo.said for photo in checked] == [True, True]
    assert prior.health()["vlm starts"] == "1"


def test_a_photo_that_takes_too_long_is_told_at_once(open_slow: Open) -> None:
    prior = open_slow(answering_s=PATIENCE_S)
    photo = observation(0, "photos", position=GeoPoint(55.7, 13.2))
    (checked,) = check_photos(prior, [photo], Gazetteer.load())
    assert "no answer within 2.2 s" in checked.said
    assert int(prior.health()["vlm starts"]) <= 2, "it was asked again"


def test_loading_has_a_limit_of_its_own(open_slow: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watchdog, "_LOADING_S", 0.5)
    failure = open_slow(loading_s=PATIENCE_S).ask(IMAGE, 0).result(PATIENCE_S).failure
    assert failure == "the VLM is not loaded after 0.5 s"
