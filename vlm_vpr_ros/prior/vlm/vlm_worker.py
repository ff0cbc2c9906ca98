"""The process that runs llama.cpp. Started by `process.py`; speaks `protocol.py` on stdin, stdout.

It ends when stdin does, whatever it is doing; it is deaf to SIGINT, which a terminal sends to
everybody; it leaves the CPU to others when they want it, and is the first to go when the machine
runs out of memory.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.vlm.protocol import ProtocolError, Settings, frame, read_frame

NICENESS = 5
"""Added to that of the process that starts it."""
_Frame = tuple[dict[str, Any], bytes]


def main() -> int:
    """Serve until stdin ends; returns the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, replies = _private_pipes()
    _step_back()
    frames: queue.Queue[_Frame] = queue.Queue()
    threading.Thread(target=_receive, args=(requests, frames), daemon=True).start()

    def reply(header: dict[str, Any]) -> None:
        replies.write(frame(header))
        replies.flush()

    header, _ = frames.get()
    settings = Settings.of_header(header)
    # llama.cpp takes a while to import: not before the pipes are safe from what it prints.
    from vlm_vpr_ros.prior.vlm.geo_asker import GeoAsker  # noqa: PLC0415
    from vlm_vpr_ros.prior.vlm.native_log import route_log  # noqa: PLC0415

    route_log(everything=settings.log)
    try:
        asker = GeoAsker(settings)
        asker.warm_up()
    except ModelError as error:
        reply({"error": str(error)})
        return 1
    reply({"ready": True})
    while True:
        header, content = frames.get()
        image = np.frombuffer(content, np.uint8).reshape(header["height"], header["width"], 3)
        try:
            said = asker.answer(image)
        except ModelError as error:
            said = {"error": str(error)}
        reply({"id": header["id"], **said})


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Stdin and stdout for us alone: what native code prints to stdout goes to stderr."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, replies


def _step_back() -> None:
    os.nice(NICENESS)
    try:
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    except OSError:  # not Linux
        return


def _receive(requests: BinaryIO, frames: queue.Queue[_Frame]) -> None:
    """Queue the frames; at the end of stdin end the process, though llama.cpp may be at work."""
    try:
        while (received := read_frame(requests.read)) is not None:
            frames.put(received)
    except ProtocolError as error:
        print(error, file=sys.stderr)
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
