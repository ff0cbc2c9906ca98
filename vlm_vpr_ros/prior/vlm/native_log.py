"""Where the messages of llama.cpp go: to stderr, its errors alone unless asked for all."""

from __future__ import annotations

import ctypes
import sys

import llama_cpp
from llama_cpp import mtmd_cpp

_ERROR = 4
_CONTINUES = 5
"""Level of a message that goes on with the line before it."""

_callbacks: list[object] = []
"""llama.cpp keeps pointers to them, which Python does not see."""


def route_log(everything: bool) -> None:
    """Send messages to stderr: all, or errors alone."""
    printing = False

    @llama_cpp.llama_log_callback  # type: ignore[untyped-decorator]
    def log(level: int, text: bytes, _: ctypes.c_void_p) -> None:
        nonlocal printing
        if level != _CONTINUES:
            printing = everything or level == _ERROR
        if printing:
            print(text.decode(errors="replace"), end="", file=sys.stderr, flush=True)

    _callbacks.append(log)
    llama_cpp.llama_log_set(log, ctypes.c_void_p())
    mtmd_cpp.mtmd_log_set(log, ctypes.c_void_p())
    mtmd_cpp.mtmd_helper_log_set(log, ctypes.c_void_p())
