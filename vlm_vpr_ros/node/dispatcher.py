"""Which frame is localized next, and for whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.node.inbox import Arrived, Inbox
from vlm_vpr_ros.types import Outcome, Reason

_IN_VAIN = frozenset(
    {
        Reason.UNSUPPORTED_ENCODING,
        Reason.FROZEN_IMAGE,
        Reason.REGION_UNAVAILABLE,
        Reason.INACTIVE,
        Reason.INTERNAL_ERROR,
    }
)
"""Refusals that the next frame would meet too."""


class Desk(Protocol):
    """What a dispatcher acts through."""

    def begin(self, image: Arrived, wait_for_prior_s: float) -> None:
        """Start to localize an image; `Dispatcher.finished` must be told when that is done."""

    def tell(self, outcome: Outcome) -> None:
        """Take note of what was found in a frame, or that there was none to look at."""

    def answer(self, outcome: Outcome) -> None:
        """Answer the call."""

    def remind(self, after_s: float) -> None:
        """Call `Dispatcher.expire` after so many seconds, instead of what was asked before."""

    def silence(self) -> str:
        """Why no images come, as far as can be seen from here."""


class Dispatcher:
    """Hands the newest frame to the worker whenever it is idle and somebody wants one.

    A call gathers evidence: it takes one new frame after the other until a fix is accepted, until
    `evidence.max_frames` were looked at or `evidence.timeout_s` have passed since the first, or
    until more frames cannot help. Its frames wait for the prior, up to `prior.wait_s` in all. A
    waiting call goes before continuous mode, so it waits for the one frame in flight at most. Only
    the newest message is kept, so nothing queues. Not thread-safe.

    Args:
        config: the present parameters.
        desk: is told what to do.
        clock: a steady clock, in seconds.
    """

    def __init__(
        self,
        config: Callable[[], NodeConfig],
        desk: Desk,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.inbox = Inbox(clock)
        self.call_waits = False
        self._config = config
        self._desk = desk
        self._expired = False
        self._clock = clock
        self._looks_since_s = 0.0
        """When the call's first frame was begun."""
        self._gathered: list[Outcome] = []
        """Of the call."""
        self._due = False
        self._in_flight = False
        self._for_call = False
        self._disowned = False

    def image(self, message: bytes) -> None:
        """An image arrived."""
        self.inbox.put(message)
        self.advance()

    def tick(self) -> None:
        """It is time for a frame of continuous mode."""
        self._due = True
        self.advance()

    def call(self) -> None:
        """Somebody calls; no other call may be waiting."""
        self.call_waits = True
        self._expired = False
        self._gathered = []
        self._desk.remind(self._config().relocalize_timeout_s)
        self.advance()

    def expire(self) -> None:
        """The call has waited long enough for images; a frame in flight may still end."""
        self._expired = True
        self.advance()

    def pause(self, why: str) -> None:
        """Answer the call, and forget the images and the frame in flight."""
        self.inbox.clear()
        self._due = False
        self._disowned = self._in_flight
        if self.call_waits:
            self._answer(Outcome(0, Reason.INACTIVE, why))

    def finished(self, outcome: Outcome) -> None:
        """The frame in flight is done."""
        self._in_flight = False
        if self._disowned:
            self._disowned = False
        else:
            self._desk.tell(outcome)
            if self._for_call:
                self._gather(outcome)
        self.advance()

    def advance(self) -> None:
        """Begin with the next frame, or answer a call that no more images came for."""
        if self._in_flight:
            return
        fresh = self.inbox.fresh(self._config().max_image_age_s)
        new = fresh and self.inbox.unseen
        if not self.call_waits:
            if self._due and new:
                self._start(for_call=False)
        elif self._gathered and self._expired:
            self._answer(self._gathered[-1])
        elif new or (fresh and not self._gathered):
            self._start(for_call=True)
        elif self._expired:
            outcome = self._without_image()
            self._desk.tell(outcome)
            self._answer(outcome)

    def _start(self, for_call: bool) -> None:
        self._in_flight = True
        self._for_call = for_call
        self._due = False
        wait_s = 0.0
        if for_call:
            now_s = self._clock()
            if not self._gathered:
                self._looks_since_s = now_s
            wait_s = max(0.0, self._config().prior.wait_s - (now_s - self._looks_since_s))
        self._desk.begin(self.inbox.take(), wait_s)

    def _gather(self, outcome: Outcome) -> None:
        evidence = self._config().evidence
        self._gathered.append(outcome)
        enough = outcome.accepted or outcome.reason in _IN_VAIN
        if enough or len(self._gathered) >= evidence.max_frames:
            self._answer(outcome)
        elif len(self._gathered) == 1:
            self._expired = False
            self._desk.remind(evidence.timeout_s)

    def _answer(self, outcome: Outcome) -> None:
        self.call_waits = False
        self._desk.answer(outcome)

    def _without_image(self) -> Outcome:
        config, age_s = self._config(), self.inbox.age_s()
        waited = f"within relocalize_timeout_s = {config.relocalize_timeout_s:g} s"
        if age_s is None:
            detail = f"no image arrived {waited}: {self._desk.silence()}"
            return Outcome(0, Reason.NO_IMAGE, detail)
        return Outcome(
            0,
            Reason.STALE_IMAGE,
            f"the newest image arrived {age_s:.1f} s ago, more than max_image_age_s = "
            f"{config.max_image_age_s:g} s, and none came {waited}: {self._desk.silence()}",
        )
