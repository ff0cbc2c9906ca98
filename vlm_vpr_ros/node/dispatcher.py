"""Which frame is localized next, and for whom."""

from __future__ import annotations

import time
from collections.abc import Callable

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.node.inbox import Inbox
from vlm_vpr_ros.types import Outcome, Reason


class Dispatcher:
    """Hands the newest frame to the worker whenever it is idle and somebody wants one.

    A waiting call goes before continuous mode, so it waits for the one frame in flight at most.
    Only the newest message is kept, so nothing queues. Not thread-safe.

    Args:
        config: the present parameters.
        begin: starts to localize a message for a call (True) or for continuous mode; `finished`
            must be told when that is done.
        conclude: is told every outcome, and whether it is the answer to the call.
        clock: a steady clock, in seconds.
    """

    def __init__(
        self,
        config: Callable[[], NodeConfig],
        begin: Callable[[bytes, bool], None],
        conclude: Callable[[Outcome, bool], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.inbox = Inbox(clock)
        self.call_waits = False
        self._config = config
        self._begin = begin
        self._conclude = conclude
        self._call_expired = False
        self._due = False
        self._in_flight = False
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
        self._call_expired = False
        self.advance()

    def expire(self) -> None:
        """The call has waited long enough for an image; a frame in flight may still end."""
        self._call_expired = True
        self.advance()

    def pause(self, why: str) -> None:
        """Answer the call, and forget the images and the frame in flight."""
        self.inbox.clear()
        self._due = False
        self._disowned = self._in_flight
        if self.call_waits:
            self.call_waits = False
            self._conclude(Outcome(0, Reason.INACTIVE, why), True)

    def finished(self, outcome: Outcome, for_call: bool) -> None:
        """The frame in flight is done."""
        self._in_flight = False
        if self._disowned:
            self._disowned = False
        else:
            self.call_waits = self.call_waits and not for_call
            self._conclude(outcome, for_call)
        self.advance()

    def advance(self) -> None:
        """Begin with the next frame, or answer a call that no image came for."""
        if self._in_flight:
            return
        fresh = self.inbox.fresh(self._config().max_image_age_s)
        if self.call_waits:
            if fresh:
                self._start(for_call=True)
            elif self._call_expired:
                self.call_waits = False
                self._conclude(self._without_image(), True)
        elif self._due and fresh and self.inbox.unseen:
            self._start(for_call=False)

    def _start(self, for_call: bool) -> None:
        self._in_flight = True
        self._due = False
        self._begin(self.inbox.take(), for_call)

    def _without_image(self) -> Outcome:
        config, age_s = self._config(), self.inbox.age_s()
        waited = f"within relocalize_timeout_s = {config.relocalize_timeout_s:g} s"
        if age_s is None:
            return Outcome(0, Reason.NO_IMAGE, f"no image arrived {waited}")
        return Outcome(
            0,
            Reason.STALE_IMAGE,
            f"the newest image arrived {age_s:.1f} s ago, more than max_image_age_s = "
            f"{config.max_image_age_s:g} s, and none came {waited}",
        )
