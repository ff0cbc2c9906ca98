"""Writes a drive as a rosbag2 (mcap), with the messages a robot would record."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from vlm_vpr_ros.sim.camera import Pinhole
from vlm_vpr_ros.types import GeoPoint, RgbImage

IMAGE_TOPIC = "/camera/image/compressed"
INFO_TOPIC = "/camera/camera_info"
ODOMETRY_TOPIC = "/odom"
FIX_TOPIC = "/fix"
TRUTH_TOPIC = "/truth/fix"

_STORE = get_typestore(Stores.ROS2_JAZZY)
_JPEG_QUALITY = 88
_TRUTH_SIGMA_M = 0.01
_NO_FIX, _FIX = -1, 0
_COVARIANCE_KNOWN = 3


class Recording:
    """An open bag; use `record`. Stamps are nanoseconds; readers sort the topics by them."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._connections: dict[str, Any] = {}

    def image(self, stamp_ns: int, image: RgbImage, camera: Pinhole) -> None:
        """An image and its camera_info."""
        coded, data = cv2.imencode(
            ".jpg",
            cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
            [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY],
        )
        assert coded
        header = _header(stamp_ns, "camera")
        compressed = _type("sensor_msgs/msg/CompressedImage")
        self._write(
            IMAGE_TOPIC, stamp_ns, compressed(header=header, format="jpeg", data=data.ravel())
        )
        self._write(INFO_TOPIC, stamp_ns, _camera_info(header, camera))

    def fix(self, stamp_ns: int, point: GeoPoint, sigma_m: float | None) -> None:
        """A satellite fix; `sigma_m` of one horizontal axis, None when the receiver has no fix."""
        self._write(FIX_TOPIC, stamp_ns, _nav_sat_fix(stamp_ns, point, sigma_m))

    def truth(self, stamp_ns: int, point: GeoPoint) -> None:
        """Where the camera really is."""
        self._write(TRUTH_TOPIC, stamp_ns, _nav_sat_fix(stamp_ns, point, _TRUTH_SIGMA_M))

    def odometry(self, stamp_ns: int, x_m: float, y_m: float, yaw_rad: float) -> None:
        """The pose in the odometry frame; its covariance is not stated."""
        vector, point = _type("geometry_msgs/msg/Vector3"), _type("geometry_msgs/msg/Point")
        turn = _type("geometry_msgs/msg/Quaternion")(
            x=0.0, y=0.0, z=float(np.sin(yaw_rad / 2)), w=float(np.cos(yaw_rad / 2))
        )
        still = _type("geometry_msgs/msg/Twist")(
            linear=vector(x=0.0, y=0.0, z=0.0), angular=vector(x=0.0, y=0.0, z=0.0)
        )
        pose = _type("geometry_msgs/msg/Pose")(
            position=point(x=float(x_m), y=float(y_m), z=0.0), orientation=turn
        )
        message = _type("nav_msgs/msg/Odometry")(
            header=_header(stamp_ns, "odom"),
            child_frame_id="base_link",
            pose=_type("geometry_msgs/msg/PoseWithCovariance")(pose=pose, covariance=np.zeros(36)),
            twist=_type("geometry_msgs/msg/TwistWithCovariance")(
                twist=still, covariance=np.zeros(36)
            ),
        )
        self._write(ODOMETRY_TOPIC, stamp_ns, message)

    def _write(self, topic: str, stamp_ns: int, message: Any) -> None:
        kind = message.__msgtype__
        if topic not in self._connections:
            self._connections[topic] = self._writer.add_connection(topic, kind, typestore=_STORE)
        self._writer.write(self._connections[topic], stamp_ns, _STORE.serialize_cdr(message, kind))


@contextmanager
def record(path: Path) -> Iterator[Recording]:
    """Write a new bag; `path` must not exist."""
    with Writer(path, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        yield Recording(writer)


def _type(name: str) -> Any:
    return _STORE.types[name]


def _header(stamp_ns: int, frame_id: str) -> Any:
    time = _type("builtin_interfaces/msg/Time")(sec=stamp_ns // 10**9, nanosec=stamp_ns % 10**9)
    return _type("std_msgs/msg/Header")(stamp=time, frame_id=frame_id)


def _nav_sat_fix(stamp_ns: int, point: GeoPoint, sigma_m: float | None) -> Any:
    lost = sigma_m is None
    variances = np.square([sigma_m, sigma_m, 2 * sigma_m]) if sigma_m is not None else np.zeros(3)
    altitude = np.nan if point.alt_m is None else point.alt_m
    return _type("sensor_msgs/msg/NavSatFix")(
        header=_header(stamp_ns, "gps"),
        status=_type("sensor_msgs/msg/NavSatStatus")(status=_NO_FIX if lost else _FIX, service=1),
        latitude=np.nan if lost else point.lat_deg,
        longitude=np.nan if lost else point.lon_deg,
        altitude=np.nan if lost else altitude,
        position_covariance=np.diag(variances).ravel(),
        position_covariance_type=0 if lost else _COVARIANCE_KNOWN,
    )


def _camera_info(header: Any, camera: Pinhole) -> Any:
    matrix: npt.NDArray[np.float64] = camera.matrix
    return _type("sensor_msgs/msg/CameraInfo")(
        header=header,
        height=camera.height,
        width=camera.width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=matrix.ravel(),
        r=np.eye(3).ravel(),
        p=np.hstack([matrix, np.zeros((3, 1))]).ravel(),
        binning_x=0,
        binning_y=0,
        roi=_type("sensor_msgs/msg/RegionOfInterest")(
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        ),
    )
