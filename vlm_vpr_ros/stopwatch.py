"""How long each stage of a frame took."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType


class Stopwatch:
    """Names the stages it times, and runs from its creation."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._laps_ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time the block under this name."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self._laps_ms[name] = 1e3 * (time.perf_counter() - start)

    def laps_ms(self) -> Mapping[str, float]:
        """The stages so far, and `total` since the creation."""
        total = 1e3 * (time.perf_counter() - self._start)
        return MappingProxyType({**self._laps_ms, "total": total})
