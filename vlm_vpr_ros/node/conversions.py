"""Messages become frames, outcomes become messages."""

from __future__ import annotations

import json
import math
from array import array
from dataclasses import replace
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from cv_bridge import CvBridge
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image, NavSatFix, NavSatStatus
from std_msgs.msg import Header

from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError
from vlm_vpr_ros.outcome_json import outcome_record
from vlm_vpr_ros.ros_images import decode_message
from vlm_vpr_ros.types import Fix, Frame, Outcome, RgbImage

IMAGE_TYPES = {"compressed": CompressedImage, "raw": Image}
"""Message type of the topic `image` for each value of the parameter `image_transport`."""

_BRIDGE = CvBridge()
_CV_BRIDGE_CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}
_ANSWER = (
    "reason",
    "detail",
    "lat",
    "lon",
    "alt_m",
    "sigma_m",
    "covariance_enu_m2",
    "probability",
    "frames",
    "prior",
    "stamp_ns",
    "latency_ms",
)
_VIDEO = ("h264", "h265", "hevc", "av1", "vp8", "vp9", "theora")


def frame(data: bytes, message_type: type, topic: str) -> Frame:
    """Decode a serialized Image or CompressedImage.

    Raises:
        ImageError: with the attribute `stamp_ns` as soon as the stamp is known.
        UnsupportedEncodingError: likewise.
    """
    try:
        message: Any = deserialize_message(data, message_type)
    except Exception as error:
        raise ImageError(f"the message on {topic} cannot be deserialized: {error}") from None
    stamp = stamp_ns(message.header)
    try:
        codec = getattr(message, "format", "").lower()
        if codec.startswith(_VIDEO):
            raise UnsupportedEncodingError(
                f"the message on {topic} is a piece of {codec} video: "
                "choose the JPEG or raw topic of the camera"
            )
        pixels = _pixels(message, f"the image on {topic}")
        return Frame(pixels, stamp, topic, camera=message.header.frame_id)
    except ImageError as error:
        error.stamp_ns = stamp
        raise


def _pixels(message: Any, what: str) -> RgbImage:
    """RGB pixels: by cv_bridge where every release of it is right, else by our own reader.

    Some releases take padded rows for pixels, or know no YUV, Bayer or 16-bit grey; and none of
    them checks that a message holds what its fields promise.
    """
    channels = _CV_BRIDGE_CHANNELS.get(getattr(message, "encoding", ""))
    row_bytes = message.width * channels if channels else 0
    size = row_bytes * message.height if channels else 0
    if size and message.step == row_bytes and len(message.data) == size:
        return np.ascontiguousarray(_BRIDGE.imgmsg_to_cv2(message, "rgb8"), np.uint8)
    return decode_message(message, what)


def stamp_ns(header: Header) -> int:
    """The stamp of a header in nanoseconds."""
    return int(header.stamp.sec) * 10**9 + int(header.stamp.nanosec)


def nav_sat_fix(outcome: Outcome, frame_id: str) -> NavSatFix:
    """The fix, or for a refused frame STATUS_NO_FIX with NaN position.

    The covariance is east-north-up in m², `KNOWN` only if it was fitted on held-out drives. A
    height that is not known is NaN. `service` is 0: no satellite was asked.
    """
    message = NavSatFix(header=header(outcome.stamp_ns, frame_id))
    message.status.service = 0
    fix = outcome.fix
    if fix is None:
        message.status.status = NavSatStatus.STATUS_NO_FIX
        message.latitude = message.longitude = message.altitude = math.nan
        message.position_covariance_type = NavSatFix.COVARIANCE_TYPE_UNKNOWN
        return message
    message.status.status = NavSatStatus.STATUS_FIX
    message.latitude = float(fix.position.lat_deg)
    message.longitude = float(fix.position.lon_deg)
    message.altitude = math.nan if fix.position.alt_m is None else float(fix.position.alt_m)
    message.position_covariance = _covariance(fix)
    message.position_covariance_type = (
        NavSatFix.COVARIANCE_TYPE_KNOWN
        if fix.calibrated
        else NavSatFix.COVARIANCE_TYPE_APPROXIMATED
    )
    return message


def image(pixels: RgbImage, stamp_ns: int, frame_id: str) -> Image:
    """A picture as a message."""
    height, width = pixels.shape[:2]
    message = Image(header=header(stamp_ns, frame_id), height=height, width=width)
    message.encoding, message.step = "rgb8", 3 * width
    # rclpy takes an array of bytes as it is; from anything else it checks byte by byte.
    message.data = array("B", pixels.tobytes())
    return message


def answer(outcome: Outcome, service_ms: float) -> str:
    """The `message` of `~/relocalize`: one JSON object, the same keys whatever the outcome.

    outcome: "accepted" or "refused". All others are as in `outcome_json.outcome_record`, which the
    command line prints: reason: a word of `Reason`; detail: a sentence; lat, lon: degrees; alt_m:
    metres above the WGS 84 ellipsoid or null; sigma_m: horizontal standard deviation, one axis;
    covariance_enu_m2: three rows of three; probability: that the best hypothesis is right; frames:
    how many the answer rests on; prior: status, source, detail and its heaviest places; stamp_ns:
    of the (last) image, 0 when there was none; latency_ms: of each stage and, as "service", from
    request to answer. Not in the record: hypothesis_count, of the places considered (~/hypotheses
    has them all). Without a fix, lat to covariance_enu_m2 are null.
    """
    latency_ms = {**outcome.latency_ms, "service": service_ms}
    record = outcome_record(replace(outcome, latency_ms=latency_ms))
    verdict = {"outcome": "accepted" if outcome.accepted else "refused"}
    count = {"hypothesis_count": len(outcome.hypotheses)}
    return json_text(verdict | {key: record[key] for key in _ANSWER} | count)


def _covariance(fix: Fix) -> list[float]:
    return [float(value) for value in np.asarray(fix.covariance_enu_m2).reshape(9)]


def header(stamp_ns: int, frame_id: str) -> Header:
    """A header."""
    sec, nanosec = divmod(stamp_ns, 10**9)
    return Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame_id)


def json_text(value: dict[str, Any]) -> str:
    """One line of strict JSON."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False)
