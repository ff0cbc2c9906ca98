"""The newest image message, and how old it is."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


class Arrived(NamedTuple):
    """A serialized image."""

    message: bytes
    at_s: float
    """When it arrived, on the inbox's clock."""


class Inbox:
    """Holds one image message: a newer one takes its place, so nothing ever queues.

    Age is the time since arrival on a steady clock: the stamps of a bag may be years old.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._image: Arrived | None = None
        self._taken = False

    def put(self, message: bytes) -> None:
        """Keep a message that arrived now; byte for byte the same one as before is no new one."""
        last = self._image
        self._taken = self._taken and last is not None and message == last.message
        self._image = Arrived(message, self._clock())

    def clear(self) -> None:
        """Forget the message."""
        self._image = None
        self._taken = False

    def age_s(self) -> float | None:
        """Seconds since the newest message arrived; None if there is none."""
        return None if self._image is None else self._clock() - self._image.at_s

    def fresh(self, max_age_s: float) -> bool:
        """Whether there is a message that arrived no longer than this ago."""
        age_s = self.age_s()
        return age_s is not None and age_s <= max_age_s

    @property
    def unseen(self) -> bool:
        """Whether there is a message that was not taken yet."""
        return self._image is not None and not self._taken

    def take(self) -> Arrived:
        """The newest message; it stays available to later calls."""
        if self._image is None:
            raise LookupError("no message arrived")
        self._taken = True
        return self._image
