"""Bags of ROS 1 and ROS 2 behind one door, with errors that say how to mend them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from rosbags.rosbag1 import Reader as Reader1
from rosbags.rosbag2 import Reader as Reader2
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from vlm_vpr_ros.errors import SourceError


@dataclass(frozen=True)
class Topic:
    """A topic of a bag; `type` is spelled as in ROS 2 ("sensor_msgs/msg/Image") for ROS 1 too."""

    name: str
    type: str
    count: int


class BagFile:
    """An open bag; use `open_bag`."""

    def __init__(self, reader: Reader1 | Reader2, path: Path) -> None:
        self._reader = reader
        self._path = path

    @property
    def topics(self) -> list[Topic]:
        """Topics that hold messages, by name."""
        counts: dict[tuple[str, str], int] = {}
        for connection in self._reader.connections:
            key = (connection.topic, connection.msgtype)
            counts[key] = counts.get(key, 0) + connection.msgcount
        return [Topic(*key, count) for key, count in sorted(counts.items()) if count]

    def messages(self, topic: Topic) -> Iterator[tuple[int, Any]]:
        """Yield (time of recording in ns, message, or None for one that is damaged).

        Raises:
            SourceError: the bag itself is damaged here.
        """
        chosen = [
            connection
            for connection in self._reader.connections
            if (connection.topic, connection.msgtype) == (topic.name, topic.type)
        ]
        ros1 = isinstance(self._reader, Reader1)
        store = _typestore(ros1)
        parse = store.deserialize_ros1 if ros1 else store.deserialize_cdr
        with _explaining(self._path):
            for connection, record_ns, raw in self._reader.messages(chosen):
                message: Any = None
                if record_ns < 2**63:  # what an .mcap holds is unsigned, what a region holds is not
                    with suppress(Exception):  # whatever a parser meets in damaged bytes
                        message = parse(raw, connection.msgtype)
                yield record_ns, message


@contextmanager
def open_bag(path: Path) -> Iterator[BagFile]:
    """Open a rosbag2 folder, a bare .mcap or .db3 file, or a ROS 1 .bag.

    Raises:
        SourceError: missing, incomplete or damaged.
    """
    with _explaining(path):
        reader: Reader1 | Reader2
        reader = Reader1(path) if _is_ros1(path) else Reader2(path)
        reader.open()
    try:
        yield BagFile(reader, path)
    finally:
        reader.close()


@lru_cache(maxsize=2)
def _typestore(ros1: bool) -> Typestore:
    """The standard types, the same in every bag: one odd custom type must not spoil the others."""
    return get_typestore(Stores.ROS1_NOETIC if ros1 else Stores.ROS2_JAZZY)


def _is_ros1(path: Path) -> bool:
    return path.is_file() and path.suffix not in {".mcap", ".db3"}


@contextmanager
def _explaining(path: Path) -> Iterator[None]:
    try:
        yield
    except SourceError:
        raise
    except Exception as error:  # damaged bags raise nearly everything
        reason = str(error) or type(error).__name__
        raise SourceError(f"{path.name} cannot be read ({reason}): {_mending(path)}") from error


def _mending(path: Path) -> str:
    if path.is_dir() and not (path / "metadata.yaml").exists():
        return (
            "it has no metadata.yaml, so the recording was not closed; write it with "
            f"`ros2 bag reindex {path.name}`, or give the .mcap or .db3 file itself"
        )
    if path.is_dir():
        return f"the bag is damaged or incomplete; try `ros2 bag reindex {path.name}`"
    if path.suffix == ".mcap":
        return f"the file is damaged or was not closed; try `mcap recover {path.name}`"
    if path.suffix == ".db3":
        return f"the file is damaged; try `sqlite3 {path.name} .recover`"
    return f"the file is damaged or was not closed; try `rosbag reindex {path.name}`"
