"""Small bags for tests, written with `rosbags`."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_typestore

STORE = get_typestore(Stores.ROS2_JAZZY)
STORE1 = get_typestore(Stores.ROS1_NOETIC)
T = STORE.types


def header(stamp_ns: int, store: Any = STORE) -> Any:
    time = store.types["builtin_interfaces/msg/Time"](
        sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9
    )
    extra = {"seq": 0} if store is STORE1 else {}
    return store.types["std_msgs/msg/Header"](stamp=time, frame_id="x", **extra)


def fix(
    stamp_ns: int,
    lat: float,
    lon: float,
    *,
    alt: float = math.nan,
    status: int = 0,
    covariance: tuple[float, float] = (4.0, 4.0),
    kind: int = 2,
    store: Any = STORE,
) -> Any:
    types = store.types
    return types["sensor_msgs/msg/NavSatFix"](
        header=header(stamp_ns, store),
        status=types["sensor_msgs/msg/NavSatStatus"](status=status, service=1),
        latitude=lat,
        longitude=lon,
        altitude=alt,
        position_covariance=np.diag([*covariance, 9.0]).ravel(),
        position_covariance_type=kind,
    )


def compressed(stamp_ns: int, data: bytes, format_: str = "jpeg", store: Any = STORE) -> Any:
    return store.types["sensor_msgs/msg/CompressedImage"](
        header=header(stamp_ns, store), format=format_, data=np.frombuffer(data, np.uint8)
    )


def raw(
    stamp_ns: int,
    pixels: np.ndarray,
    encoding: str,
    *,
    padding: int = 0,
    bigendian: int = 0,
    store: Any = STORE,
) -> Any:
    """`pixels` is (height, bytes a row)."""
    rows = pixels.reshape(pixels.shape[0], -1).view(np.uint8)
    width = pixels.shape[1]
    padded = np.pad(rows, ((0, 0), (0, padding)), constant_values=99)
    return store.types["sensor_msgs/msg/Image"](
        header=header(stamp_ns, store),
        height=pixels.shape[0],
        width=width,
        encoding=encoding,
        is_bigendian=bigendian,
        step=padded.shape[1],
        data=padded.ravel(),
    )


Record = tuple[str, Any, int]
"""Topic, message, time of recording (ns)."""


def write_rosbag2(
    path: Path, records: Iterable[Record], storage: str = "mcap", compress: bool = False
) -> Path:
    writer = Writer2(path, version=9, storage_plugin=StoragePlugin[storage.upper()])
    if compress:
        writer.set_compression(CompressionMode.FILE, CompressionFormat.ZSTD)
    with writer:
        connections: dict[str, Any] = {}
        for topic, message, record_ns in records:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE)
            writer.write(connections[topic], record_ns, STORE.serialize_cdr(message, kind))
    return path


def write_rosbag1(path: Path, records: Iterable[Record]) -> Path:
    with Writer1(path) as writer:
        connections: dict[str, Any] = {}
        for topic, message, record_ns in records:
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=STORE1)
            writer.write(connections[topic], record_ns, STORE1.serialize_ros1(message, kind))
    return path
