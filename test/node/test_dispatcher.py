import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.config import EvidenceConfig, NodeConfig, PriorConfig
from vlm_vpr_ros.node.dispatcher import Dispatcher
from vlm_vpr_ros.types import Fix, GeoPoint, Outcome, Reason

CONFIG = NodeConfig(
    max_image_age_s=2.0,
    relocalize_timeout_s=10.0,
    evidence=EvidenceConfig(max_frames=3, timeout_s=5.0),
    prior=PriorConfig(wait_s=4.0),
)
WAIT_S = CONFIG.prior.wait_s
HERE = Fix(GeoPoint(48.0, 11.0), np.eye(3))


class Bench:
    """A desk that notes what it is told."""

    def __init__(self):
        self.now_s = 100.0
        self.begun = []
        self.told = []
        self.answered = []
        self.reminders = []
        self.dispatcher = Dispatcher(lambda: CONFIG, self, lambda: self.now_s)

    def begin(self, image, wait_for_prior_s):
        self.begun.append((image.message, wait_for_prior_s))

    def tell(self, outcome):
        self.told.append(outcome.reason)

    def answer(self, outcome):
        self.answered.append((outcome.stamp_ns, outcome.reason))

    def remind(self, after_s):
        self.reminders.append(after_s)

    def silence(self):
        return "nobody publishes"

    def finish(self, reason=Reason.ACCEPTED):
        fix = HERE if reason is Reason.ACCEPTED else None
        self.dispatcher.finished(Outcome(len(self.begun), reason, "", fix))


@pytest.fixture
def bench():
    return Bench()


def test_nobody_asks(bench):
    bench.dispatcher.image(b"1")
    assert bench.begun == []


def test_a_call_takes_the_image_that_is_there(bench):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    assert bench.begun == [(b"1", WAIT_S)]
    bench.finish()
    assert bench.answered == [(1, Reason.ACCEPTED)]
    assert bench.told == [Reason.ACCEPTED]
    assert not bench.dispatcher.call_waits


def test_a_call_waits_for_a_first_image(bench):
    bench.dispatcher.call()
    assert bench.reminders == [10.0]
    bench.now_s += 9.9
    bench.dispatcher.image(b"1")
    assert bench.begun == [(b"1", WAIT_S)]


def test_no_image_comes(bench):
    bench.dispatcher.call()
    bench.dispatcher.expire()
    assert bench.answered == [(0, Reason.NO_IMAGE)]
    bench.dispatcher.call()
    assert bench.answered == [(0, Reason.NO_IMAGE)]


def test_a_stale_image_is_refused_only_after_waiting(bench):
    bench.dispatcher.image(b"1")
    bench.now_s += 2.1
    bench.dispatcher.call()
    assert (bench.begun, bench.answered) == ([], [])
    bench.now_s += 10.0
    bench.dispatcher.expire()
    assert bench.answered == [(0, Reason.STALE_IMAGE)]


def test_a_newer_image_saves_the_call(bench):
    bench.dispatcher.image(b"1")
    bench.now_s += 2.1
    bench.dispatcher.call()
    bench.dispatcher.image(b"2")
    assert bench.begun == [(b"2", WAIT_S)]


def test_a_call_gathers_new_frames_until_one_is_accepted(bench):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.finish(Reason.WEAK_EVIDENCE)
    assert bench.dispatcher.call_waits
    assert bench.reminders == [10.0, 5.0]
    bench.dispatcher.image(b"1")
    assert bench.begun == [(b"1", WAIT_S)], "the same message again is no new frame"
    bench.now_s += 1.5
    bench.dispatcher.image(b"2")
    bench.dispatcher.image(b"3")
    bench.finish()
    assert bench.begun == [(b"1", WAIT_S), (b"2", WAIT_S - 1.5)]
    assert bench.told == [Reason.WEAK_EVIDENCE, Reason.ACCEPTED]
    assert bench.answered == [(2, Reason.ACCEPTED)]


def test_a_call_waits_no_longer_for_priors_than_said(bench):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.now_s += WAIT_S + 1.0
    bench.finish(Reason.WEAK_EVIDENCE)
    bench.dispatcher.image(b"2")
    assert bench.begun[1:] == [(b"2", 0.0)]


def test_a_call_gives_up_after_so_many_frames(bench):
    bench.dispatcher.call()
    for message in (b"1", b"2", b"3"):
        bench.dispatcher.image(message)
        bench.finish(Reason.WEAK_EVIDENCE)
    bench.dispatcher.image(b"4")
    assert len(bench.begun) == 3
    assert bench.answered == [(3, Reason.WEAK_EVIDENCE)]


def test_a_call_gives_up_after_so_long(bench):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.finish(Reason.DARK_IMAGE)
    bench.dispatcher.image(b"2")
    bench.dispatcher.expire()
    assert bench.answered == []
    bench.dispatcher.image(b"3")
    bench.finish(Reason.WEAK_EVIDENCE)
    assert bench.answered == [(2, Reason.WEAK_EVIDENCE)]
    assert len(bench.begun) == 2


def test_a_call_does_not_wait_longer_than_said_for_a_second_frame(bench):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.finish(Reason.WEAK_EVIDENCE)
    bench.now_s += 5.0
    bench.dispatcher.expire()
    assert bench.answered == [(1, Reason.WEAK_EVIDENCE)]


@pytest.mark.parametrize("reason", ["internal_error", "frozen_image", "unsupported_encoding"])
def test_what_more_frames_cannot_mend_ends_the_call(bench, reason):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.finish(Reason(reason))
    assert bench.answered == [(1, Reason(reason))]


def test_continuous_takes_the_newest_and_none_twice(bench):
    bench.dispatcher.tick()
    bench.dispatcher.image(b"1")
    for message in (b"2", b"3"):
        bench.dispatcher.tick()
        bench.dispatcher.image(message)
    assert bench.begun == [(b"1", 0.0)]
    bench.finish()
    assert bench.begun == [(b"1", 0.0), (b"3", 0.0)]
    bench.finish()
    bench.dispatcher.tick()
    assert len(bench.begun) == 2
    bench.dispatcher.image(b"4")
    assert bench.begun[2:] == [(b"4", 0.0)]


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
    assert bench.told == [Reason.ACCEPTED]
    assert bench.answered == [], "the frame of continuous mode was not the call's"
    assert bench.begun[1:] == [(b"2", WAIT_S)]
    assert bench.dispatcher.call_waits


def test_a_frame_in_flight_does_not_time_the_call_out(bench):
    bench.dispatcher.tick()
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.now_s += 20.0
    bench.dispatcher.expire()
    assert bench.answered == []
    bench.dispatcher.image(b"2")
    bench.finish()
    assert bench.begun[1:] == [(b"2", WAIT_S)]


def test_pause_answers_the_call_and_disowns_the_frame(bench):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.dispatcher.pause("paused")
    assert bench.answered == [(0, Reason.INACTIVE)]
    bench.dispatcher.image(b"2")
    bench.dispatcher.call()
    bench.finish()
    assert bench.answered == [(0, Reason.INACTIVE)]
    assert bench.told == []
    assert bench.begun[1:] == [(b"2", WAIT_S)]
    bench.finish()
    assert bench.answered[1:] == [(2, Reason.ACCEPTED)]


def test_pause_answers_a_call_that_gathers(bench):
    bench.dispatcher.image(b"1")
    bench.dispatcher.call()
    bench.finish(Reason.WEAK_EVIDENCE)
    bench.dispatcher.pause("paused")
    assert bench.answered == [(0, Reason.INACTIVE)]
    bench.dispatcher.expire()
    assert len(bench.answered) == 1


EVENTS = ("image", "same image", "tick", "call", "expire", "finish", "refuse", "pause")


@given(st.lists(st.sampled_from(EVENTS), max_size=60))
def test_every_call_is_answered_once_whatever_happens(events):
    bench = Bench()
    calls, finished = 0, 0
    for number, event in enumerate(events):
        bench.now_s += 0.5
        if event == "image":
            bench.dispatcher.image(b"%d" % number)
        elif event == "same image":
            bench.dispatcher.image(b"same")
        elif event == "tick":
            bench.dispatcher.tick()
        elif event == "call" and not bench.dispatcher.call_waits:
            calls += 1
            bench.dispatcher.call()
        elif event == "expire" and bench.dispatcher.call_waits:
            bench.dispatcher.expire()
        elif event in ("finish", "refuse") and finished < len(bench.begun):
            finished += 1
            bench.finish(Reason.ACCEPTED if event == "finish" else Reason.WEAK_EVIDENCE)
        elif event == "pause":
            bench.dispatcher.pause("paused")
        assert len(bench.begun) - finished <= 1, "one frame at a time"
        assert len(bench.answered) == calls - bench.dispatcher.call_waits
    while bench.dispatcher.call_waits:
        bench.dispatcher.expire()
        if finished < len(bench.begun):
            finished += 1
            bench.finish(Reason.WEAK_EVIDENCE)
    assert len(bench.answered) == calls
