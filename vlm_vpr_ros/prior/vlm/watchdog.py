"""Keeps a worker process at hand: starts it, limits its time, starts another when it fails."""

from __future__ import annotations

import asyncio
from typing import Any

from vlm_vpr_ros.prior.vlm.process import WorkerError, WorkerProcess, said_error
from vlm_vpr_ros.prior.vlm.protocol import Settings

_LONGEST_PAUSE_S = 60.0
_LOADING_S = 600.0
"""A model of some gigabytes on a slow disk is loaded within this."""

_Found = asyncio.Future["WorkerProcess | WorkerError"]
_Said = dict[str, Any]


class Watchdog:
    """One worker at a time. Made and used in one asyncio loop, where `run` is running.

    Two limits end a worker: for loading, and for one question from when it was sent. Somebody who
    gives up earlier, since he waited for either, does not end it.

    Attributes:
        starts: processes started so far.
        last_failure: why the last one ended, or gave no answer.
        worker: the process, None between two.
    """

    def __init__(self, settings: Settings, max_memory_mib: int, timeout_s: float) -> None:
        """Prepare; `run` starts the first worker.

        Args:
            settings: of the workers.
            max_memory_mib: a worker that takes more is ended.
            timeout_s: one that takes longer for an answer is ended.
        """
        self._settings = settings
        self._max_memory_mib = max_memory_mib
        self._timeout_s = timeout_s
        self._found: _Found = asyncio.get_running_loop().create_future()
        """The worker, once it is free to answer, or why there is none."""
        self._question: asyncio.Task[_Said | WorkerError]
        """Kept here, since asyncio keeps no task alive."""
        self._number = 0
        self._failures_in_a_row = 0
        self._loaded = False
        self.starts = 0
        self.last_failure = ""
        self.worker: WorkerProcess | None = None

    @property
    def state(self) -> str:
        """What the worker is doing, for people."""
        if self.worker is None:
            return "waiting to start again"
        if not self._loaded:
            return "loading"
        return "ready" if self._found.done() else "answering"

    async def run(self) -> None:
        """Have a worker, until cancelled.

        After a failure another one starts at once, after the next in 1 s, 2 s, 4 s ...
        """
        try:
            while True:
                self.last_failure = await self._one_life()
                self._failures_in_a_row += 1
                if pause_s := _pause_s(self._failures_in_a_row):
                    self._tell(WorkerError(self.last_failure))
                    await asyncio.sleep(pause_s)
                self._expect_another()
        finally:
            self._tell(WorkerError("the VLM was closed"))
            if self.worker:
                await self.worker.ended()

    async def free(self) -> WorkerProcess:
        """Wait for a worker that is free to answer; whoever calls `ask` at once has it.

        Raises:
            WorkerError: there is none, and it may take a while.
        """
        while True:
            waited_for = self._found
            found = await asyncio.shield(waited_for)
            if isinstance(found, WorkerError):
                raise found
            if waited_for is self._found:  # nobody else was faster
                return found

    async def ask(self, worker: WorkerProcess, height: int, width: int, pixels: bytes) -> _Said:
        """Ask about an image.

        When this is cancelled, the worker goes on with the question, and is free afterwards.

        Args:
            worker: what `free` has just returned.
            height: of the image.
            width: of the image.
            pixels: RGB, row by row.

        Raises:
            WorkerError: no answer.
        """
        self._expect_another()
        self._question = asyncio.create_task(self._answer(worker, height, width, pixels))
        said = await asyncio.shield(self._question)
        if isinstance(said, WorkerError):
            raise said
        return said

    async def _answer(
        self, worker: WorkerProcess, height: int, width: int, pixels: bytes
    ) -> _Said | WorkerError:
        """What the worker says. Errors are returned: perhaps nobody is left to catch them."""
        self._number += 1
        answer = worker.ask(self._number, height, width, pixels)
        try:
            said = await asyncio.wait_for(answer, self._timeout_s)
        except (asyncio.TimeoutError, WorkerError) as error:
            late = isinstance(error, asyncio.TimeoutError)
            reason = f"the VLM gave no answer within {self._timeout_s:g} s" if late else str(error)
            worker.kill(reason)
            return WorkerError(reason)
        self._failures_in_a_row = 0
        if worker is self.worker:  # it may have ended after its answer
            self._tell(worker)
        return WorkerError(said_error(said)) if "error" in said else said

    def _tell(self, found: WorkerProcess | WorkerError) -> None:
        """Those who wait for a free worker get this, and those who come later."""
        self._expect_another()
        self._found.set_result(found)

    def _expect_another(self) -> None:
        """Whoever comes waits for a worker from now on."""
        if self._found.done():
            self._found = asyncio.get_running_loop().create_future()

    async def _one_life(self) -> str:
        """Start a worker and wait for its end; returns why it ended."""
        self.starts += 1
        try:
            worker = self.worker = await WorkerProcess.start(self._settings)
        except WorkerError as error:
            self._tell(error)
            return str(error)
        watching = asyncio.create_task(worker.watch_memory(self._max_memory_mib))
        try:
            await asyncio.wait_for(worker.ready(), _LOADING_S)
            self._loaded = True
            self._tell(worker)
            return await worker.ended()
        except (asyncio.TimeoutError, WorkerError) as error:
            late = isinstance(error, asyncio.TimeoutError)
            reason = f"the VLM is not loaded after {_LOADING_S:g} s" if late else str(error)
            self._tell(WorkerError(reason))
            return reason
        finally:
            self._loaded = False
            watching.cancel()
            worker.kill("the VLM was closed")
            await worker.ended()
            self.worker = None


def _pause_s(failures_in_a_row: int) -> float:
    if failures_in_a_row < 2:
        return 0.0
    return float(min(2.0 ** min(failures_in_a_row - 2, 10), _LONGEST_PAUSE_S))
