"""Messages become frames, outcomes become messages."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from cv_bridge import CvBridge
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CompressedImage, Image, NavSatFix, NavSatStatus
from std_msgs.msg import Header

from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError
from vlm_vpr_ros.ros_images import decode_message
from vlm_vpr_ros.types import Fix, Frame, Hypothesis, Outcome, RgbImage

IMAGE_TYPES = {"compressed": CompressedImage, "raw": Image}
"""Message type of the topic `image` for each value of the parameter `image_transport`."""

_BRIDGE = CvBridge()
_CV_BRIDGE_CHANNELS = {"rgb8": 3, "bgr8": 3, "rgba8": 4, "bgra8": 4, "mono8": 1}

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
    stamp_ns = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
    try:
        codec = getattr(message, "format", "").lower()
        if codec.startswith(_VIDEO):
            raise UnsupportedEncodingError(
                f"the message on {topic} is a piece of {codec} video: "
                "choose the JPEG or raw topic of the camera"
            )
        return Frame(_pixels(message, f"the image on {topic}"), stamp_ns, topic)
    except ImageError as error:
        error.stamp_ns = stamp_ns  # type: ignore[attr-defined]
        raise


def _pixels(message: Any, what: str) -> RgbImage:
    """RGB pixels: by cv_bridge where every release of it is right, else by our own reader.

    Some releases take padded rows for pixels, or know no YUV, Bayer or 16-bit grey; and none of
    them checks that a message holds what its fields promise.
    """
    channels = _CV_BRIDGE_CHANNELS.get(getattr(message, "encoding", ""))
    row_bytes = message.width * channels if channels else 0
    if row_bytes and message.step == row_bytes and len(message.data) == row_bytes * message.height:
        return np.ascontiguousarray(_BRIDGE.imgmsg_to_cv2(message, "rgb8"), np.uint8)
    return decode_message(message, what)


def nav_sat_fix(outcome: Outcome, frame_id: str) -> NavSatFix:
    """The fix, or for a refused frame STATUS_NO_FIX with NaN position.

    The covariance is east-north-up in m², `KNOWN` only if it was fitted on held-out drives. A
    height that is not known is NaN. `service` is 0: no satellite was asked.
    """
    message = NavSatFix(header=_header(outcome.stamp_ns, frame_id))
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


def answer(outcome: Outcome, service_ms: float) -> str:
    """The `message` of `~/relocalize`: one JSON object, the same keys whatever the outcome.

    outcome: "accepted" or "refused"; reason: a word of `Reason`; detail: a sentence; lat, lon:
    degrees; alt: metres above the WGS 84 ellipsoid or null; sigma_m: horizontal standard deviation,
    one axis; covariance_enu_m2: nine numbers, row by row; probability: that the best hypothesis is
    right; stamp_ns: of the image, 0 when there was none; latency_ms: of each stage and, as
    "service", from request to answer. Without a fix, lat to covariance_enu_m2 are null.
    """
    fix = outcome.fix
    return _json(
        {
            "outcome": "refused" if fix is None else "accepted",
            "reason": outcome.reason.value,
            "detail": outcome.detail,
            **_fix_members(fix),
            "probability": float(outcome.probability),
            "stamp_ns": outcome.stamp_ns,
            "latency_ms": {
                name: round(float(ms), 3)
                for name, ms in {**outcome.latency_ms, "service": service_ms}.items()
            },
        }
    )


def hypotheses(outcome: Outcome) -> str:
    """Every place considered, as a GeoJSON FeatureCollection (RFC 7946: longitude, latitude).

    Each feature is a Point (longitude, latitude and, when known, ellipsoidal height in metres) with
    the properties rank (1 is the most probable), probability, similarity (cosine) and sigma_m (one
    axis). Foreign members of the collection: stamp_ns, accepted, reason, detail, probability_none
    (that none of the places is right) and fix (null, or lat, lon, alt, sigma_m and
    covariance_enu_m2 as in the answer of ~/relocalize).
    """
    return _json(
        {
            "type": "FeatureCollection",
            "features": [_feature(rank, h) for rank, h in enumerate(outcome.hypotheses, 1)],
            "stamp_ns": outcome.stamp_ns,
            "accepted": outcome.accepted,
            "reason": outcome.reason.value,
            "detail": outcome.detail,
            "probability_none": float(outcome.probability_none),
            "fix": None if outcome.fix is None else _fix_members(outcome.fix),
        }
    )


def _feature(rank: int, hypothesis: Hypothesis) -> dict[str, Any]:
    position = hypothesis.position
    height = [] if position.alt_m is None else [float(position.alt_m)]
    return {
        "type": "Feature",
        "geometry": {
            "type": "Point",
            "coordinates": [float(position.lon_deg), float(position.lat_deg), *height],
        },
        "properties": {
            "rank": rank,
            "probability": float(hypothesis.probability),
            "similarity": float(hypothesis.similarity),
            "sigma_m": float(hypothesis.sigma_m),
        },
    }


def _fix_members(fix: Fix | None) -> dict[str, Any]:
    if fix is None:
        return dict.fromkeys(("lat", "lon", "alt", "sigma_m", "covariance_enu_m2"))
    covariance = _covariance(fix)
    return {
        "lat": float(fix.position.lat_deg),
        "lon": float(fix.position.lon_deg),
        "alt": None if fix.position.alt_m is None else float(fix.position.alt_m),
        "sigma_m": math.sqrt((covariance[0] + covariance[4]) / 2),
        "covariance_enu_m2": covariance,
    }


def _covariance(fix: Fix) -> list[float]:
    return [float(value) for value in np.asarray(fix.covariance_enu_m2).reshape(9)]


def _header(stamp_ns: int, frame_id: str) -> Header:
    sec, nanosec = divmod(stamp_ns, 10**9)
    return Header(stamp=Time(sec=sec, nanosec=nanosec), frame_id=frame_id)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(_finite(value), allow_nan=False, ensure_ascii=False)


def _finite(value: Any) -> Any:
    """The value with null in place of NaN and infinity, which JSON does not have."""
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
