"""Asks a vision-language model where a frame was taken, without ever waiting for it."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from vlm_vpr_ros.config import VlmConfig
from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.prior.answers import AnswerError, OpenAnswer, parse_open_answer
from vlm_vpr_ros.prior.vlm.options import NamedPlace
from vlm_vpr_ros.prior.vlm.process import WorkerError
from vlm_vpr_ros.prior.vlm.protocol import PlaceNames, Settings
from vlm_vpr_ros.prior.vlm.watchdog import Watchdog
from vlm_vpr_ros.types import RgbImage

FEWEST_PLACES, MOST_PLACES = 2, 400
"""How many places of a region the model chooses from; else it answers openly."""

_LONGEST_SIDE = 1024
"""Larger images are scaled down: every pixel costs some models time and context."""


@dataclass(frozen=True)
class VlmAnswer:
    """What the model said of one frame, or why it said nothing.

    Attributes:
        stamp_ns: of the frame.
        open: the sampled answers that could be read; empty in *choice* mode.
        choice: the probability of each place given to `VlmPrior`; empty in *open* mode.
        failure: why there is no answer, for people; empty when there is one.
        seconds: from the question to the answer.
    """

    stamp_ns: int
    open: tuple[OpenAnswer, ...] = ()
    choice: tuple[float, ...] = ()
    failure: str = ""
    seconds: float = 0.0


class VlmPrior:
    """A model in a process of its own, started here and loaded while others go on.

    Thread-safe. `close` ends the process.
    """

    def __init__(self, config: VlmConfig, places: Sequence[NamedPlace] = ()) -> None:
        """Start the process.

        Args:
            config: names a model.
            places: those of the region, to choose from in *choice* mode.

        Raises:
            ConfigError: no vision tower is named, or the mode is `choice` and there are too few or
                too many places.
        """
        if not config.mmproj:
            raise ConfigError(
                "vlm.model names a model, but vlm.mmproj no vision tower: it is the second GGUF "
                "file of the model, with `mmproj` in its name"
            )
        self._config = config
        self._places = _choices(config, places)
        self._newest: object = None
        """The frame that came last."""
        self._last = ""
        self._closed = False
        self._open_or_closed = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="vlm", daemon=True)
        self._thread.start()
        self._watchdog: Watchdog
        self._running: asyncio.Task[None]
        self._watchdog, self._running = self._in_loop(self._begin())

    @property
    def mode(self) -> str:
        """`choice` or `open`."""
        return "choice" if self._places else "open"

    def ask(self, image: RgbImage, stamp_ns: int, *, patient: bool = False) -> Future[VlmAnswer]:
        """Ask about a frame; returns at once, never raises.

        The future is done within `vlm.timeout_s`, also when there is no answer. One frame is
        answered at a time; of those that wait meanwhile only the newest is answered afterwards.

        Args:
            image: the frame.
            stamp_ns: of the frame.
            patient: wait for loading and earlier frames as long as it takes; then the model has
                all of `vlm.timeout_s` for this one.
        """
        future: Future[VlmAnswer] = Future()
        future.set_running_or_notify_cancel()  # from now on nobody can cancel it
        with self._open_or_closed:
            if self._closed:
                future.set_result(VlmAnswer(stamp_ns, failure="the VLM was closed"))
            else:
                limit_s = None if patient else self._config.timeout_s
                answering = self._answer(image, stamp_ns, limit_s, future)
                asyncio.run_coroutine_threadsafe(answering, self._loop)
        return future

    def health(self) -> dict[str, str]:
        """What the process is doing, for diagnostics."""
        watchdog = self._watchdog
        worker = watchdog.worker
        return {
            "vlm": self._config.model,
            "vlm mode": self.mode,
            "vlm state": "closed" if self._closed else watchdog.state,
            "vlm process": str(worker.pid) if worker else "none",
            "vlm memory": f"{worker.memory_mib() if worker else 0} MiB",
            "vlm starts": str(watchdog.starts),
            "vlm last answer": self._last or "none",
            "vlm last failure": watchdog.last_failure or "none",
        }

    def close(self) -> None:
        """End the process; a frame that is being answered gets a failure."""
        with self._open_or_closed:
            if self._closed:
                return
            self._closed = True
        self._in_loop(self._finish())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _in_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _begin(self) -> tuple[Watchdog, asyncio.Task[None]]:
        settings = _settings(self._config, self._places)
        watchdog = Watchdog(settings, self._config.max_memory_mib, self._config.timeout_s)
        return watchdog, asyncio.create_task(watchdog.run())

    async def _finish(self) -> None:
        self._running.cancel()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    async def _answer(
        self, image: RgbImage, stamp_ns: int, limit_s: float | None, future: Future[VlmAnswer]
    ) -> None:
        began = time.monotonic()
        try:
            said = await asyncio.wait_for(self._said(image), limit_s)
            answer = _read(said, stamp_ns, len(self._places))
        except asyncio.TimeoutError:
            late = f"the VLM gave no answer within {self._config.timeout_s:g} s"
            answer = VlmAnswer(stamp_ns, failure=f"{late}: it is {self._watchdog.state}")
        except WorkerError as error:
            answer = VlmAnswer(stamp_ns, failure=str(error))
        except Exception as error:  # a bug of ours; a frame must not wait for its answer for ever
            answer = VlmAnswer(stamp_ns, failure=f"internal error: {error!r}")
        answer = replace(answer, seconds=time.monotonic() - began)
        self._last = answer.failure or f"{answer.seconds:.2f} s"
        future.set_result(answer)

    async def _said(self, image: RgbImage) -> dict[str, Any]:
        this = self._newest = object()
        worker = await self._watchdog.free()
        if self._newest is not this:
            raise WorkerError("the VLM went on to a newer frame")
        small = _scaled_down(image)
        height, width = small.shape[:2]
        return await self._watchdog.ask(worker, height, width, small.tobytes())


def _choices(config: VlmConfig, places: Sequence[NamedPlace]) -> tuple[PlaceNames, ...]:
    if config.mode == "open":
        return ()
    if not FEWEST_PLACES <= len(places) <= MOST_PLACES:
        if config.mode == "auto":
            return ()
        raise ConfigError(
            f"vlm.mode is `choice`, but the region knows {len(places)} places, not "
            f"{FEWEST_PLACES} to {MOST_PLACES}: use `open` or `auto`"
        )
    return tuple(PlaceNames(p.label, p.country, p.admin1, p.city) for p in places)


def _settings(config: VlmConfig, places: tuple[PlaceNames, ...]) -> Settings:
    return Settings(
        model=str(Path(config.model).expanduser()),
        mmproj=str(Path(config.mmproj).expanduser()),
        chat_handler=config.chat_handler,
        n_ctx=config.n_ctx,
        n_threads=config.n_threads or max(1, (os.cpu_count() or 1) - 1),
        n_gpu_layers=config.n_gpu_layers,
        temperature=config.temperature,
        samples=config.samples,
        places=places,
        log=config.log,
    )


def _scaled_down(image: RgbImage) -> RgbImage:
    height, width = image.shape[:2]
    scale = _LONGEST_SIDE / max(height, width)
    if scale >= 1:
        return image
    size = max(round(width * scale), 1), max(round(height * scale), 1)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)


def _read(said: dict[str, Any], stamp_ns: int, places: int) -> VlmAnswer:
    """The worker's answer, which is not trusted.

    Raises:
        WorkerError: it says nothing of use.
    """
    if places:
        return VlmAnswer(stamp_ns, choice=_probabilities(said.get("probabilities"), places))
    texts = said.get("answers")
    answers = []
    for text in texts if isinstance(texts, list) else []:
        try:
            answers.append(parse_open_answer(text))
        except AnswerError:  # cut off, or garbage: the others count
            continue
    if not answers:
        raise WorkerError("none of the VLM's answers could be read")
    return VlmAnswer(stamp_ns, open=tuple(answers))


def _probabilities(values: Any, count: int) -> tuple[float, ...]:
    numbers = values if isinstance(values, list) else []
    sound = len(numbers) == count and all(
        isinstance(number, float) and 0 <= number <= 1 for number in numbers
    )
    total = sum(numbers) if sound else 0.0
    if not 0.99 < total < 1.01:
        raise WorkerError("the VLM's probabilities could not be read")
    return tuple(number / total for number in numbers)
