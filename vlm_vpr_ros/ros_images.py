"""Pixels of sensor_msgs Image and CompressedImage, without ROS: for bags and for the node alike."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError
from vlm_vpr_ros.images import MAX_PIXELS, decode_image
from vlm_vpr_ros.types import RgbImage

# encoding -> (bytes a sample, samples a pixel, OpenCV code that gives RGB of 8-bit samples).
# OpenCV names a Bayer pattern by its second row: its BG is ROS's RGGB.
_ENCODINGS: dict[str, tuple[int, int, int | None]] = {
    "rgb8": (1, 3, None),
    "bgr8": (1, 3, cv2.COLOR_BGR2RGB),
    "rgba8": (1, 4, cv2.COLOR_RGBA2RGB),
    "bgra8": (1, 4, cv2.COLOR_BGRA2RGB),
    "mono8": (1, 1, cv2.COLOR_GRAY2RGB),
    "8UC1": (1, 1, cv2.COLOR_GRAY2RGB),
    "8UC3": (1, 3, cv2.COLOR_BGR2RGB),
    "8UC4": (1, 4, cv2.COLOR_BGRA2RGB),
    "rgb16": (2, 3, None),
    "bgr16": (2, 3, cv2.COLOR_BGR2RGB),
    "rgba16": (2, 4, cv2.COLOR_RGBA2RGB),
    "bgra16": (2, 4, cv2.COLOR_BGRA2RGB),
    "mono16": (2, 1, cv2.COLOR_GRAY2RGB),
    "bayer_rggb8": (1, 1, cv2.COLOR_BayerBG2RGB),
    "bayer_bggr8": (1, 1, cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg8": (1, 1, cv2.COLOR_BayerGR2RGB),
    "bayer_grbg8": (1, 1, cv2.COLOR_BayerGB2RGB),
    "bayer_rggb16": (2, 1, cv2.COLOR_BayerBG2RGB),
    "bayer_bggr16": (2, 1, cv2.COLOR_BayerRG2RGB),
    "bayer_gbrg16": (2, 1, cv2.COLOR_BayerGR2RGB),
    "bayer_grbg16": (2, 1, cv2.COLOR_BayerGB2RGB),
    "uyvy": (1, 2, cv2.COLOR_YUV2RGB_UYVY),
    "yuv422": (1, 2, cv2.COLOR_YUV2RGB_UYVY),
    "yuyv": (1, 2, cv2.COLOR_YUV2RGB_YUYV),
    "yuv422_yuy2": (1, 2, cv2.COLOR_YUV2RGB_YUYV),
    "nv12": (1, 1, cv2.COLOR_YUV2RGB_NV12),
    "nv21": (1, 1, cv2.COLOR_YUV2RGB_NV21),
}


def decode_message(message: Any, what: str) -> RgbImage:
    """Decode a sensor_msgs Image or CompressedImage of rclpy or of a bag.

    Args:
        message: only its fields are read; `data` may be bytes, an array or a buffer.
        what: names the image in error messages.

    Raises:
        ImageError: the message does not hold what its fields promise.
        UnsupportedEncodingError: depth, or an encoding that we do not read.
    """
    if hasattr(message, "format"):
        if "compressedDepth" in message.format:
            raise UnsupportedEncodingError(
                f"{what} holds depth ({message.format!r}): choose the topic of a colour camera"
            )
        return decode_image(bytes(message.data), what)
    return _decode_raw(message, what)


def _decode_raw(message: Any, what: str) -> RgbImage:
    encoding: str = message.encoding
    if encoding not in _ENCODINGS:
        raise UnsupportedEncodingError(
            f"{what} has the encoding {encoding!r}; understood are: {', '.join(_ENCODINGS)}"
        )
    sample_bytes, samples, to_rgb = _ENCODINGS[encoding]
    height, width, step = int(message.height), int(message.width), int(message.step)
    data = np.frombuffer(message.data, np.uint8)
    row_bytes = width * samples * sample_bytes
    if encoding in {"nv12", "nv21"}:
        # Half as many rows of colour follow; drivers disagree whether `height` counts them.
        height = data.size // max(step, 1)
    if not 0 < width * height <= MAX_PIXELS:
        raise ImageError(f"{what} claims {width} × {height} pixels; allowed are 1 to {MAX_PIXELS}")
    needed = step * (height - 1) + row_bytes  # the last row may lack its padding
    if step < row_bytes or data.size < needed:
        raise ImageError(
            f"{what} is damaged: {width} × {height} pixels in {encoding} need rows of {row_bytes} "
            f"bytes and {needed} bytes in all, it has {step} and {data.size}"
        )
    rows = np.lib.stride_tricks.as_strided(data, (height, row_bytes), (step, 1), writeable=False)
    pixels = np.ascontiguousarray(rows)
    if sample_bytes == 2:
        # The high byte is all that 8 bits can keep.
        pixels = np.ascontiguousarray(pixels[:, 0 if message.is_bigendian else 1 :: 2])
    return _to_rgb(pixels.reshape(height, width, samples), to_rgb, what)


def _to_rgb(pixels: npt.NDArray[np.uint8], code: int | None, what: str) -> RgbImage:
    if code is None:
        return np.array(pixels)
    try:
        return np.asarray(cv2.cvtColor(pixels, code), np.uint8)
    except cv2.error as error:  # such as an odd width in YUV 4:2:2
        height, width = pixels.shape[:2]
        raise ImageError(
            f"{what} is damaged: {width} × {height} does not fit its encoding"
        ) from error
