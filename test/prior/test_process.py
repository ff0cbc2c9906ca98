"""The worker's process as asyncio sees it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator

import pytest

from vlm_vpr_ros.prior.vlm.process import WorkerProcess
from vlm_vpr_ros.prior.vlm.protocol import Settings

SETTINGS = Settings(
    model="model.gguf",
    mmproj="mmproj.gguf",
    chat_handler="",
    n_ctx=512,
    n_threads=1,
    n_gpu_layers=0,
    temperature=0.0,
    samples=1,
    places=(),
    log=False,
)


@pytest.fixture
def ends_noticed_by_the_loop() -> Iterator[None]:
    """As from Python 3.12 on, not by a thread, whose moment nobody knows."""
    if sys.version_info < (3, 12):
        asyncio.set_child_watcher(asyncio.PidfdChildWatcher())
        yield
        asyncio.set_child_watcher(None)
    else:
        yield


@pytest.mark.usefixtures("ends_noticed_by_the_loop")
def test_to_kill_what_has_just_ended_leaves_its_status_to_asyncio(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def ended() -> str:
        worker = await WorkerProcess.start(SETTINGS)
        os.kill(worker.pid, signal.SIGKILL)
        os.waitid(os.P_PID, worker.pid, os.WEXITED | os.WNOWAIT)  # the loop does not know it yet
        worker.kill("")
        return await worker.ended()

    assert asyncio.run(ended()) == "the VLM's process was killed by SIGKILL"
    assert caplog.messages == []
