"""Keeps a worker process at hand: starts it, limits its time, starts another when it fails."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from vlm_vpr_ros.prior.vlm.process import WorkerError, WorkerProcess, said_error
from vlm_vpr_ros.prior.vlm.protocol import Settings

_LONGEST_PAUSE_S = 60.0
_LOADING_S = 600.0
"""A model of some gigabytes on a slow disk is loaded within this."""

_Attempt = asyncio.Future["WorkerProcess | WorkerError"]


class Watchdog:
    """One worker at a time. Made and used in one asyncio loop, where `run` is running.

    Attributes:
        starts: processes started so far.
        last_failure: why the last one ended, or gave no answer.
        worker: the process, None between two.
        ready: whether it has loaded the model.
    """

    def __init__(self, settings: Settings, max_memory_mib: int) -> None:
        self._settings = settings
        self._max_memory_mib = max_memory_mib
        self._attempt: _Attempt = asyncio.get_running_loop().create_future()
        self._number = 0
        self._failures_in_a_row = 0
        self.starts = 0
        self.last_failure = ""
        self.worker: WorkerProcess | None = None
        self.ready = False

    async def run(self) -> None:
        """Have a worker, until cancelled.

        After a failure another one starts at once, after the next in 1 s, 2 s, 4 s ...
        """
        try:
            while True:
                self.last_failure = await self._one_life()
                self._failures_in_a_row += 1
                self._expect_another()
                if pause_s := _pause_s(self._failures_in_a_row):
                    self._attempt.set_result(WorkerError(self.last_failure))
                    await asyncio.sleep(pause_s)
                    self._expect_another()
        finally:
            if not self._attempt.done():
                self._attempt.set_result(WorkerError("the VLM was closed"))
            if self.worker:
                await self.worker.ended()

    async def ask(self, height: int, width: int, pixels: bytes, timeout_s: float) -> dict[str, Any]:
        """Ask about an image; one at a time.

        Args:
            height: of the image.
            width: of the image.
            pixels: RGB, row by row.
            timeout_s: for the answer, and for a worker that is starting.

        Raises:
            WorkerError: no answer.
        """
        deadline = time.monotonic() + timeout_s
        try:
            worker = await asyncio.wait_for(asyncio.shield(self._attempt), timeout_s)
        except asyncio.TimeoutError:
            raise WorkerError("the VLM is still being loaded") from None
        if isinstance(worker, WorkerError):
            raise worker
        self._number += 1
        answer = worker.ask(self._number, height, width, pixels)
        try:
            said = await asyncio.wait_for(answer, deadline - time.monotonic())
        except (asyncio.TimeoutError, WorkerError) as error:
            late = isinstance(error, asyncio.TimeoutError)
            reason = f"the VLM gave no answer within {timeout_s:.3g} s" if late else str(error)
            worker.kill(reason)
            self._expect_another()
            raise WorkerError(reason) from None
        self._failures_in_a_row = 0
        if "error" in said:
            raise WorkerError(said_error(said))
        return said

    def _expect_another(self) -> None:
        """Frames wait for the next worker from now on."""
        if self._attempt.done():
            self._attempt = asyncio.get_running_loop().create_future()

    async def _one_life(self) -> str:
        """Start a worker and wait for its end; returns why it ended."""
        self.starts += 1
        try:
            worker = self.worker = await WorkerProcess.start(self._settings)
        except WorkerError as error:
            self._attempt.set_result(error)
            return str(error)
        watching = asyncio.create_task(worker.watch_memory(self._max_memory_mib))
        try:
            await asyncio.wait_for(worker.ready(), _LOADING_S)
            self.ready = True
            self._attempt.set_result(worker)
            return await worker.ended()
        except (asyncio.TimeoutError, WorkerError) as error:
            late = isinstance(error, asyncio.TimeoutError)
            reason = f"the VLM is not loaded after {_LOADING_S:g} s" if late else str(error)
            self._attempt.set_result(WorkerError(reason))
            return reason
        finally:
            self.ready = False
            watching.cancel()
            worker.kill("the VLM was closed")
            await worker.ended()
            self.worker = None


def _pause_s(failures_in_a_row: int) -> float:
    if failures_in_a_row < 2:
        return 0.0
    return float(min(2.0 ** min(failures_in_a_row - 2, 10), _LONGEST_PAUSE_S))
