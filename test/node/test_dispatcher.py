import pytest

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.node.dispatcher import Dispatcher
from vlm_vpr_ros.types import Outcome, Reason

CONFIG = NodeConfig(max_image_age_s=2.0, relocalize_timeout_s=10.0)


class Bench:
    def __init__(self):
        self.now_s = 100.0
        self.begun = []
        self.concluded = []
        self.dispatcher = Dispatcher(
            lambda: CONFIG,
            lambda message, for_call: self.begun.append((message, for_call)),
            lambda outcome, for_call: self.concluded.append((outcome.reason, for_call)),
            lambda: self.now_s,
        )

    def finish(self):
        self.dispatcher.finished(Outcome(1, Reason.AMBIGUOUS, ""), self.begun[-1][1])


@pytest.fixture
def bench():
    return Bench()


def test_nobody_asks(bench):
    bench.dispatcher.image(b"1")
    assert bench.begun == []


def test_a_call_takes_the_image_that_is_there(bench):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    assert bench.begun == [(b"1", True)]
    bench.finish()
    assert bench.concluded == [(Reason.AMBIGUOUS, True)]
    assert not bench.dispatcher.call_waits


def test_a_call_waits_for_a_first_image(bench):
    bench.dispatcher.call()
    bench.now_s += 9.9
    bench.dispatcher.image(b"1")
    assert bench.begun == [(b"1", True)]


def test_no_image_comes(bench):
    bench.dispatcher.call()
    bench.dispatcher.expire()
    assert bench.concluded == [(Reason.NO_IMAGE, True)]
    bench.dispatcher.call()
    assert bench.concluded == [(Reason.NO_IMAGE, True)]


def test_a_stale_image_is_refused_only_after_waiting(bench):
    bench.dispatcher.image(b"1")
    bench.now_s += 2.1
    bench.dispatcher.call()
    assert (bench.begun, bench.concluded) == ([], [])
    bench.now_s += 10.0
    bench.dispatcher.expire()
    assert bench.concluded == [(Reason.STALE_IMAGE, True)]


def test_a_newer_image_saves_the_call(bench):
    bench.dispatcher.image(b"1")
    bench.now_s += 2.1
    bench.dispatcher.call()
    bench.dispatcher.image(b"2")
    assert bench.begun == [(b"2", True)]


def test_continuous_takes_the_newest_and_none_twice(bench):
    bench.dispatcher.tick()
    bench.dispatcher.image(b"1")
    for message in (b"2", b"3"):
        bench.dispatcher.tick()
        bench.dispatcher.image(message)
    assert bench.begun == [(b"1", False)]
    bench.finish()
    assert bench.begun == [(b"1", False), (b"3", False)]
    bench.finish()
    bench.dispatcher.tick()
    assert len(bench.begun) == 2
    bench.dispatcher.image(b"4")
    assert bench.begun[2:] == [(b"4", False)]


def test_continuous_does_not_exceed_its_rate(bench):
    bench.dispatcher.tick()
    bench.dispatcher.image(b"1")
    bench.finish()
    bench.dispatcher.image(b"2")
    assert len(bench.begun) == 1


def test_a_call_goes_before_continuous(bench):
    bench.dispatcher.tick()
    bench.dispatcher.image(b"1")
    bench.dispatcher.tick()
    bench.dispatcher.call()
    bench.dispatcher.image(b"2")
    bench.finish()
    assert bench.concluded == [(Reason.AMBIGUOUS, False)]
    assert bench.begun[1:] == [(b"2", True)]
    assert bench.dispatcher.call_waits


def test_a_frame_in_flight_does_not_time_the_call_out(bench):
    bench.dispatcher.tick()
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.now_s += 20.0
    bench.dispatcher.expire()
    assert bench.concluded == []
    bench.dispatcher.image(b"2")
    bench.finish()
    assert bench.begun[1:] == [(b"2", True)]


def test_pause_answers_the_call_and_disowns_the_frame(bench):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.dispatcher.pause("paused")
    assert bench.concluded == [(Reason.INACTIVE, True)]
    bench.dispatcher.image(b"2")
    bench.dispatcher.call()
    bench.finish()
    assert bench.concluded == [(Reason.INACTIVE, True)]
    assert bench.begun[1:] == [(b"2", True)]
    bench.finish()
    assert bench.concluded[1:] == [(Reason.AMBIGUOUS, True)]
