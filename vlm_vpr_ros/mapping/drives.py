"""The drives of a source come one after another, each whole.

Splits, windows and promises go by drive: one that came in pieces would count as many.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping.observation import Observation, Source

T = TypeVar("T")


def one_after_another(items: Iterable[T], drive_of: Callable[[T], str]) -> list[T]:
    """The items by drive, drives in the order in which they begin; inside a drive none moves."""
    drives: dict[str, list[T]] = {}
    for item in items:
        drives.setdefault(drive_of(item), []).append(item)
    return [item for drive in drives.values() for item in drive]


def whole_drives(source: Source) -> Iterator[Observation]:
    """Yield the observations of a source, and hold it to what `Source` promises.

    Raises:
        SourceError: it cannot be read, or goes back to a drive that it had left.
    """
    left: set[str] = set()
    drive = None
    for observation in source.observations():
        if observation.drive != drive:
            if drive is not None:
                left.add(drive)
            drive = observation.drive
            if drive in left:
                raise SourceError(
                    f"{source.name}: drive `{drive}` goes on at {observation.source} after another "
                    "one. A source yields the frames of each drive together."
                )
        yield observation
