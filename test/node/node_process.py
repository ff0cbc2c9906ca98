"""The node under test in a process of its own, and what its stand-in localizer notes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

WAIT_S = 20.0
HERE = Path(__file__).parent
_REPLACED = re.compile(
    r"Traceback \(most recent call last\):\n( .*\n)*"
    r"OSError: Signal \d+ ignored due to race condition\n"
)


def script(region: Path, **values: Any) -> None:
    fresh = region / "script.new"
    fresh.write_text(json.dumps(values))
    fresh.replace(region / "script.json")


def events(region: Path, name: str) -> list[dict[str, Any]]:
    log = region / "log.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return [event for event in map(json.loads, lines) if event["event"] == name]


def until(condition: Callable[[], Any], timeout_s: float = WAIT_S) -> Any:
    """Poll for what no event tells (files of the other process); fail after the timeout."""
    end_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.01)
    return value


class Process:
    """The node in a process of its own."""

    def __init__(self, program: list[str], arguments: list[str]) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, *program, *(["--ros-args", *arguments] if arguments else [])],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(HERE.parents[1])])},
        )
        self.output = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout
        for line in self.popen.stdout:
            self.output += line

    def wait(self) -> int:
        try:
            return self.popen.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()  # else the thread that reads it would keep pytest from ending
            raise
        finally:
            self._reader.join()

    def interrupt_all_the_way(self) -> int:
        """Send SIGINT again and again, down to the end of the interpreter."""
        while self.popen.poll() is None:
            self.popen.send_signal(signal.SIGINT)
        code = self.wait()
        # Python's own note on a signal that came while its handler was being replaced.
        self.output = _REPLACED.sub("", self.output)
        return code

    def interrupt(self, number: int = signal.SIGINT) -> int:
        self.popen.send_signal(number)
        return self.wait()


Launch = Callable[..., Process]
"""Starts a launch file of the installed package: (file, argument=value, ...)."""


def jpeg(value: int = 128) -> bytes:
    ok, data = cv2.imencode(".jpg", np.full((48, 64, 3), value, np.uint8))
    assert ok
    return bytes(data.tobytes())
