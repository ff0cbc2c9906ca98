"""Plays a bag on ROS topics: rosbag2 (sqlite3, mcap) and ROS 1 bags, without ros2bag."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rclpy
from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.signals import SignalHandlerOptions
from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection, Nodetype
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore
from rosgraph_msgs.msg import Clock

from vlm_vpr_ros.errors import SourceError

_CLOCK_PERIOD_S = 0.025
_PROGRESS_PERIOD_S = 1.0
_FLUSH = Duration(seconds=2)
_ROS2_TYPES = get_typestore(Stores.ROS2_HUMBLE)

Say = Callable[[str], None]


@dataclass
class Track:
    """A topic being played."""

    publisher: Publisher[Any]
    to_cdr: Callable[[bytes], bytes]


def replay(
    bag: Path,
    *,
    rate: float = 1.0,
    loop: bool = False,
    clock: bool = False,
    remaps: Mapping[str, str] | None = None,
    topics: Collection[str] = (),
    wait_for_subscribers: bool = False,
    say: Say = print,
) -> int:
    """Publish a bag's messages as they were recorded, until its end or Ctrl-C.

    Args:
        bag: folder of a rosbag2, an .mcap or .db3 file, or a ROS 1 .bag file.
        rate: speed; 2 plays twice as fast as recorded.
        loop: begin anew at the end, until Ctrl-C.
        clock: publish the time of recording on /clock, for nodes with use_sim_time.
        remaps: recorded topic -> topic to publish on.
        topics: recorded topics to play; all if empty.
        wait_for_subscribers: begin when somebody listens to one of the topics.
        say: is given a line for every topic left out, and the progress.

    Returns:
        How many messages were published.

    Raises:
        SourceError: the bag cannot be read, or has none of the topics.
    """
    with _opened(bag) as reader, _node() as node:
        tracks = _tracks(reader, node, dict(remaps or {}), topics, say)
        clock_publisher = node.create_publisher(Clock, "/clock", 10) if clock else None
        count = 0
        try:
            while wait_for_subscribers and not _heard(tracks):
                time.sleep(_CLOCK_PERIOD_S)
            while True:
                count += _play_once(reader, tracks, rate, clock_publisher, say)
                if not loop:
                    break
            for track in tracks.values():
                # A publisher that is destroyed takes what is still on its way with it.
                track.publisher.wait_for_all_acked(_FLUSH)
        except KeyboardInterrupt:
            say("stopped")
        return count


def _play_once(
    reader: AnyReader,
    tracks: Mapping[int, Track],
    rate: float,
    clock_publisher: Publisher[Any] | None,
    say: Say,
) -> int:
    connections = [c for c in reader.connections if id(c) in tracks]
    first_ns, duration_s = reader.start_time, reader.duration * 1e-9
    started_s = told_s = time.monotonic()
    count = 0
    for connection, stamp_ns, data in _messages(reader, connections):
        due_s = started_s + (stamp_ns - first_ns) * 1e-9 / rate
        while (ahead_s := due_s - time.monotonic()) > 0:
            if clock_publisher is None:
                time.sleep(ahead_s)
            else:
                _tick(clock_publisher, stamp_ns - int(ahead_s * rate * 1e9))
                time.sleep(min(ahead_s, _CLOCK_PERIOD_S))
        if clock_publisher is not None:
            _tick(clock_publisher, stamp_ns)
        track = tracks[id(connection)]
        track.publisher.publish(track.to_cdr(data))
        count += 1
        if time.monotonic() - told_s > _PROGRESS_PERIOD_S:
            told_s = time.monotonic()
            say(f"{(stamp_ns - first_ns) * 1e-9:.1f} of {duration_s:.1f} s, {count} messages")
    say(f"{duration_s:.1f} s, {count} messages: the end")
    return count


def _tracks(
    reader: AnyReader, node: Node, remaps: dict[str, str], topics: Collection[str], say: Say
) -> dict[int, Track]:
    recorded = {connection.topic for connection in reader.connections}
    unknown = sorted({*remaps, *topics} - recorded)
    if unknown:
        raise SourceError(
            f"the bag has no topic {', '.join(unknown)}; it has {', '.join(sorted(recorded))}"
        )
    tracks: dict[int, Track] = {}
    publishers: dict[str, Publisher[Any]] = {}
    for connection in reader.connections:
        if topics and connection.topic not in topics:
            continue
        try:
            message_type, to_cdr = _message_type(connection.msgtype), _to_cdr(reader, connection)
        except LookupError as error:
            say(f"{connection.topic} is left out: {error.args[0]}")
            continue
        name = remaps.get(connection.topic, connection.topic)
        if name not in publishers:
            publishers[name] = node.create_publisher(message_type, name, _qos(connection))
            say(f"{name} ({connection.msgtype}, {connection.msgcount} messages)")
        tracks[id(connection)] = Track(publishers[name], to_cdr)
    if not tracks:
        raise SourceError("the bag has no topic that can be played")
    return tracks


def _message_type(name: str) -> Any:
    package, _, kind = name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), kind)
    except (ImportError, AttributeError):
        raise LookupError(f"its type {name} is not installed") from None


def _to_cdr(reader: AnyReader, connection: Connection) -> Callable[[bytes], bytes]:
    name = connection.msgtype
    if reader.is2:
        coding = getattr(connection.ext, "serialization_format", "cdr")
        if coding not in {"cdr", ""}:
            raise LookupError(f"it is serialized as {coding}, not as cdr")
        return bytes
    if not _same_fields(name, reader.typestore, _ROS2_TYPES):
        raise LookupError(f"{name} of ROS 1 differs from that of ROS 2")
    return lambda data: bytes(_ROS2_TYPES.ros1_to_cdr(data, name))


def _same_fields(name: str, one: Typestore, other: Typestore) -> bool:
    """Whether a type has the same fields, at every depth, but for their names."""
    if name == "std_msgs/msg/Header":
        return True  # `seq`, which ROS 2 lacks, is dropped in the conversion
    if name not in one.fielddefs or name not in other.fielddefs:
        return False
    kinds = [kind for _, kind in one.fielddefs[name][1]]
    if kinds != [kind for _, kind in other.fielddefs[name][1]]:
        return False
    elements: list[Any] = [
        k[1][0] if k[0] in (Nodetype.ARRAY, Nodetype.SEQUENCE) else k for k in kinds
    ]
    return all(_same_fields(e[1], one, other) for e in elements if e[0] == Nodetype.NAME)


def _qos(connection: Connection) -> QoSProfile:
    """Reliable, which serves every subscriber; latched if it was when recorded."""
    recorded = getattr(connection.ext, "offered_qos_profiles", [])
    latched = getattr(connection.ext, "latching", None) or any(
        getattr(profile.durability, "name", "") == "TRANSIENT_LOCAL" for profile in recorded
    )
    durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
    return QoSProfile(depth=10, durability=durability)


def _heard(tracks: Mapping[int, Track]) -> bool:
    return any(track.publisher.get_subscription_count() for track in tracks.values())


def _tick(publisher: Publisher[Any], stamp_ns: int) -> None:
    sec, nanosec = divmod(stamp_ns, 10**9)
    publisher.publish(Clock(clock=Time(sec=sec, nanosec=nanosec)))


@contextmanager
def _opened(bag: Path) -> Iterator[AnyReader]:
    if not bag.exists():
        raise SourceError(f"{bag}: there is no such bag")
    try:
        reader = AnyReader([bag], default_typestore=_ROS2_TYPES)
        reader.open()
    except Exception as error:  # rosbags and the storages below it raise many types
        raise SourceError(f"{bag}: cannot be read as a bag: {error}") from error
    try:
        yield reader
    finally:
        reader.close()


def _messages(
    reader: AnyReader, connections: Sequence[Connection]
) -> Iterator[tuple[Connection, int, bytes]]:
    try:
        yield from reader.messages(connections)
    except Exception as error:
        raise SourceError(f"the bag is damaged: {error}") from error


@contextmanager
def _node() -> Iterator[Node]:
    context = rclpy.Context()
    # Python's own handler stays in place: Ctrl-C arrives as KeyboardInterrupt.
    rclpy.init(context=context, args=[], signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("vlm_vpr_replay", context=context)
    try:
        yield node
    finally:
        node.destroy_node()
        rclpy.shutdown(context=context)
