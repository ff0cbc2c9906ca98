"""The one thread in which images are decoded and localized."""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError
from vlm_vpr_ros.evaluation.outcome_picture import OutcomePainter
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.types import Frame, Outcome, Reason, RgbImage

OpenLocalizer = Callable[[Path, LocalizerConfig], Localizer]
"""Opens a region: `Localizer.open`, or a stand-in."""

T = TypeVar("T")


@dataclass(frozen=True)
class _Told:
    """A prior that somebody told."""

    prior: GeoPrior
    stamp_ns: int
    arrived_s: float

    def moment_ns(self, frame_ns: int) -> int:
        """When it was true, on the clock of a frame that is looked at now.

        When it arrived, unless its stamp says that it is older: the stamp may be missing, or of a
        clock that a replayed camera knows nothing of.
        """
        arrived_ns = frame_ns - int(1e9 * (time.monotonic() - self.arrived_s))
        return min(self.stamp_ns, arrived_ns) if self.stamp_ns else arrived_ns


class Worker:
    """Owns the localizer and does one job after the other, in the order given.

    Every method returns at once; a future tells the result. The done-callbacks of a future run in
    the worker's thread.
    """

    def __init__(self, open_localizer: OpenLocalizer) -> None:
        self._open_localizer = open_localizer
        self._localizer: Localizer | None = None
        self._opened: tuple[Path, LocalizerConfig] | None = None
        self._painter: OutcomePainter | None = None
        self._seen: tuple[Frame, Outcome] | None = None
        self._told: _Told | None = None
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        # A daemon: a frame that hangs in native code must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name="localizer", daemon=True)
        self._thread.start()

    def open(self, region: Path, config: LocalizerConfig) -> Future[dict[str, str]]:
        """Open a region in place of the present one; the result describes what is in use."""

        def job() -> dict[str, str]:
            self._close()
            self._localizer = self._open_localizer(region, config)
            self._opened = region, config
            return self._localizer.describe()

        return self._submit(job)

    def release(self) -> Future[None]:
        """Let go of the region; the frame in hand does not wait for a prior any longer."""
        self._end_waiting()
        return self._submit(self._close)

    def describe(self) -> Future[dict[str, str]]:
        """What is in use and how it is, for diagnostics."""

        def job() -> dict[str, str]:
            return self._localizer.describe() if self._localizer else {}

        return self._submit(job)

    def reconfigure(self, config: LocalizerConfig) -> Future[None]:
        """Give the open localizer a config that differs in live parameters only."""

        def job() -> None:
            if self._localizer is not None:
                self._localizer.reconfigure(config)

        return self._submit(job)

    def reset(self) -> Future[None]:
        """Forget earlier frames and what was told."""

        def job() -> None:
            self._told = None
            if self._localizer is not None:
                self._localizer.reset()

        return self._submit(job)

    def tell_prior(self, prior: GeoPrior, stamp_ns: int) -> Future[None]:
        """Take a prior that has just arrived, for the frames from now on.

        Args:
            prior: replaces the one told before.
            stamp_ns: when it was true; 0 if that is not known.
        """
        told = _Told(prior, stamp_ns, time.monotonic())

        def job() -> None:
            self._told = told

        return self._submit(job)

    def localize(self, load: Callable[[], Frame], wait_for_prior_s: float) -> Future[Outcome]:
        """Decode a frame and localize it; whatever is wrong with it becomes a refusal.

        Args:
            load: decodes the frame. Raises `ImageError`, whose `stamp_ns` goes into the outcome.
            wait_for_prior_s: see `Localizer.localize`.
        """

        def job() -> Outcome:
            if self._localizer is None:
                return Outcome(0, Reason.INACTIVE, "no region is open")
            started_s = time.monotonic()
            try:
                frame = load()
                decode_ms = 1e3 * (time.monotonic() - started_s)
                self._hand_over(frame.stamp_ns)
                outcome = self._localizer.localize(frame, wait_for_prior_s)
            except UnsupportedEncodingError as error:
                return Outcome(error.stamp_ns, Reason.UNSUPPORTED_ENCODING, str(error))
            except ImageError as error:
                return Outcome(error.stamp_ns, Reason.CORRUPT_IMAGE, str(error))
            except Exception as error:  # a bug of ours: the node lives on and says so
                traceback.print_exc()
                return Outcome(0, Reason.INTERNAL_ERROR, f"{type(error).__name__}: {error}")
            self._seen = frame, outcome
            return replace(outcome, latency_ms={"decode": decode_ms, **outcome.latency_ms})

        return self._submit(job)

    def picture(self) -> Future[tuple[RgbImage, Frame] | None]:
        """Draw the last frame beside its best match; the result has the frame, too.

        None if no frame was localized yet. The future's exception says why nothing can be drawn.
        """

        def job() -> tuple[RgbImage, Frame] | None:
            if self._seen is None or self._opened is None:
                return None
            if self._painter is None:
                self._painter = OutcomePainter.open(*self._opened)
            frame, outcome = self._seen
            return self._painter.picture(frame, outcome), frame

        return self._submit(job)

    def stop(self) -> None:
        """Cancel the jobs that have not begun; the thread ends after the one in hand.

        That one does not wait for a prior any longer.
        """
        with suppress(queue.Empty):
            while True:
                entry = self._jobs.get_nowait()
                if entry is not None:
                    entry[1].cancel()
        self._jobs.put(None)
        self._end_waiting()

    def join(self, timeout_s: float) -> bool:
        """Wait for the thread to end; False if it takes longer."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _submit(self, job: Callable[[], T]) -> Future[T]:
        future: Future[T] = Future()
        self._jobs.put((job, future))
        return future

    def _run(self) -> None:
        while (entry := self._jobs.get()) is not None:
            job, future = entry
            try:
                result = job()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)
        self._close()

    def _close(self) -> None:
        localizer, self._localizer = self._localizer, None
        self._opened = self._painter = self._seen = self._told = None
        if localizer is not None:
            localizer.close()

    def _end_waiting(self) -> None:
        """Close the localizer while it may be at work: the jobs behind a frame need not wait."""
        localizer = self._localizer
        if localizer is not None:
            localizer.close()

    def _hand_over(self, frame_ns: int) -> None:
        """Give the localizer the prior that was told since the last frame."""
        told, self._told = self._told, None
        if told is None or self._localizer is None:
            return
        if self._seen is not None and frame_ns < self._seen[0].stamp_ns:
            self._localizer.reset()  # a new drive: it would forget the prior with the old one
        self._localizer.observe_prior(told.prior, told.moment_ns(frame_ns))
