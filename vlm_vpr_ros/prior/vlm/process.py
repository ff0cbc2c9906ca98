"""The worker process seen from this side: started, spoken with, watched, ended."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import signal
import sys
from pathlib import Path
from typing import Any

from vlm_vpr_ros.prior.vlm.protocol import (
    PREFIX_BYTES,
    ProtocolError,
    Settings,
    frame_head,
    header_of,
    lengths,
)
from vlm_vpr_ros.text import plain

_MODULE = "vlm_vpr_ros.prior.vlm.vlm_worker"
_WATCH_PERIOD_S = 0.25
_LAST_WORDS = 400
"""Characters of stderr that are kept to explain an end."""
_LAST_WORDS_S = 1.0
_PIPE_BYTES = 1 << 20
"""The most that Linux grants everybody."""


class WorkerError(Exception):
    """The worker gave no answer; the text says why, for people."""


class WorkerProcess:
    """One worker process, from its start to its end. For one asyncio loop."""

    def __init__(self, process: asyncio.subprocess.Process, log: bool) -> None:
        self._process = process
        self._log = log
        self._last_words = ""
        self._killed_because = ""
        self._listening = asyncio.create_task(self._listen())
        self._reading = asyncio.Lock()
        self._emptying: asyncio.Task[None] | None = None

    @classmethod
    async def start(cls, settings: Settings) -> WorkerProcess:
        """Start a process and send it its settings; `ready` then waits until it has loaded.

        Raises:
            WorkerError: the system starts no process.
        """
        package = Path(__file__).resolve().parents[3]
        path = os.pathsep.join([str(package), *sys.path])
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", _MODULE, stdin=pipe, stdout=pipe, stderr=pipe,
                # Else llama.cpp calls a debugger when it crashes, which takes seconds.
                env={**os.environ, "PYTHONPATH": path, "GGML_NO_BACKTRACE": "1"},
            )  # fmt: skip
        except OSError as error:
            raise WorkerError(f"the VLM's process cannot be started: {error}") from None
        worker = cls(process, settings.log)
        worker._widen_pipe()
        await worker._send(settings.as_header(), b"")
        return worker

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    async def ready(self) -> None:
        """Wait until the model is loaded and warm.

        Raises:
            WorkerError: it cannot be loaded, or the process ended.
        """
        said = await self._receive()
        if "ready" not in said:
            # The process ends after that; what llama.cpp said of it is worth a moment.
            await asyncio.wait([self._listening], timeout=_LAST_WORDS_S)
            raise WorkerError(self._with_last_words(said_error(said)))

    async def ask(self, number: int, height: int, width: int, pixels: bytes) -> dict[str, Any]:
        """Send an image and wait for what the model says of it.

        Raises:
            WorkerError: it says nothing that can be read, or the process ended.
        """
        await self._send({"id": number, "height": height, "width": width}, pixels)
        said = await self._receive()
        if said.get("id") != number:
            raise WorkerError("the VLM's process sent garbage")
        return said

    async def watch_memory(self, limit_mib: int) -> None:
        """Kill the process when it takes more memory than this; runs until cancelled."""
        while True:
            used_mib = self.memory_mib()
            if used_mib > limit_mib:
                self.kill(
                    f"the VLM took {used_mib} MiB of memory, vlm.max_memory_mib is {limit_mib}"
                )
            await asyncio.sleep(_WATCH_PERIOD_S)

    def memory_mib(self) -> int:
        """Resident memory, the pages of the model file included; 0 where it is not known."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(errors="replace")
            return int(status.split("VmRSS:")[1].split()[0]) // 1024
        except (OSError, IndexError):  # it has ended; not Linux
            return 0

    def kill(self, because: str) -> None:
        """End the process, whatever it does."""
        if self._process.returncode is None:
            self._killed_because = self._killed_because or because
            # Not `Process.kill`: before Python 3.13 it looks whether the process has ended, which
            # takes the exit status away from asyncio; that complains and reports 255 (gh-87744).
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self._emptying = self._emptying or asyncio.create_task(self._empty())

    async def ended(self) -> str:
        """Wait until the process has ended; returns why it did, for people."""
        status = await self._process.wait()
        await asyncio.wait([self._listening])
        if self._emptying:
            await asyncio.wait([self._emptying])
        if self._process.stdin:
            self._process.stdin.close()
        if self._killed_because:
            return self._killed_because
        how = f"was killed by {_signal_name(-status)}" if status < 0 else f"ended ({status})"
        return self._with_last_words(f"the VLM's process {how}")

    def _widen_pipe(self) -> None:
        """An image then takes a few writes, each with its change of process, not dozens."""
        assert self._process.stdin is not None
        pipe = self._process.stdin.get_extra_info("pipe")
        with contextlib.suppress(OSError, AttributeError):  # not Linux; not allowed so much
            fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    async def _send(self, header: dict[str, Any], content: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(frame_head(header, len(content)))
        self._process.stdin.write(content)
        # That the process has ended is noticed, with its reason, where its answer is awaited.
        with contextlib.suppress(ConnectionError):
            await self._process.stdin.drain()

    async def _receive(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        try:
            async with self._reading:
                of_json, of_content = lengths(await self._process.stdout.readexactly(PREFIX_BYTES))
                rest = await self._process.stdout.readexactly(of_json + of_content)
            return header_of(rest[:of_json])
        except ProtocolError:
            raise WorkerError("the VLM's process sent garbage") from None
        except (asyncio.IncompleteReadError, ConnectionError):
            raise WorkerError(await self.ended()) from None

    async def _empty(self) -> None:
        """Read what nobody awaits any more: before its pipes are empty, no end is reported."""
        assert self._process.stdout is not None
        async with self._reading:
            while await self._process.stdout.read(_PIPE_BYTES):
                pass

    async def _listen(self) -> None:
        """Read stderr: keep what it said last, and pass it on where asked for."""
        assert self._process.stderr is not None
        while chunk := await self._process.stderr.read(4096):
            text = chunk.decode(errors="replace")
            self._last_words = (self._last_words + text)[-_LAST_WORDS:]
            if self._log:
                # llama.cpp prints what is in the file, which comes from strangers.
                sys.stderr.write("\n".join(plain(line) for line in text.split("\n")))

    def _with_last_words(self, reason: str) -> str:
        lines = [plain(line.strip()) for line in self._last_words.splitlines() if line.strip()]
        return " | ".join([reason, *lines])


def said_error(said: dict[str, Any]) -> str:
    """The error in a worker's answer, for people."""
    return plain(str(said.get("error", "the VLM's process gave no reason")))


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
