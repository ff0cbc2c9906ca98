from __future__ import annotations

from array import array
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from bags import compressed, raw
from hypothesis import given
from hypothesis import strategies as st
from test_images import close, encoded, picture

from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError, VlmVprError
from vlm_vpr_ros.ros_images import _ENCODINGS, decode_message

RGB = picture()
GREY = np.repeat(RGB[:, :, :1], 3, axis=2)
BGR = np.ascontiguousarray(RGB[:, :, ::-1])
ALPHA = np.full((*RGB.shape[:2], 1), 7, np.uint8)


def mosaic(pattern: str) -> np.ndarray:
    out = np.empty(RGB.shape[:2], np.uint8)
    for i, letter in enumerate(pattern):
        y, x = divmod(i, 2)
        out[y::2, x::2] = RGB[y::2, x::2, "rgb".index(letter)]
    return out


def wide(pixels: np.ndarray) -> np.ndarray:
    return pixels.astype(np.uint16) * 257


CASES = {
    "rgb8": (RGB, RGB),
    "bgr8": (BGR, RGB),
    "8UC3": (BGR, RGB),
    "rgba8": (np.dstack([RGB, ALPHA]), RGB),
    "bgra8": (np.dstack([BGR, ALPHA]), RGB),
    "8UC4": (np.dstack([BGR, ALPHA]), RGB),
    "mono8": (RGB[:, :, 0], GREY),
    "8UC1": (RGB[:, :, 0], GREY),
    "mono16": (wide(RGB[:, :, 0]), GREY),
    "rgb16": (wide(RGB), RGB),
    "bgr16": (wide(BGR), RGB),
    "rgba16": (wide(np.dstack([RGB, ALPHA])), RGB),
    "bgra16": (wide(np.dstack([BGR, ALPHA])), RGB),
    **{f"bayer_{p}8": (mosaic(p), RGB) for p in ("rggb", "bggr", "gbrg", "grbg")},
    **{f"bayer_{p}16": (wide(mosaic(p)), RGB) for p in ("rggb", "bggr", "gbrg", "grbg")},
}


@pytest.mark.parametrize("encoding", CASES)
@pytest.mark.parametrize("padding", [0, 6])
def test_encodings(encoding: str, padding: int) -> None:
    pixels, expected = CASES[encoding]
    message = raw(1, np.ascontiguousarray(pixels), encoding, padding=padding)
    assert close(decode_message(message, "x"), expected, 4.0)


@pytest.mark.parametrize("order", ["uyvy", "yuv422", "yuyv", "yuv422_yuy2"])
def test_yuv_422(order: str) -> None:
    yuv = cv2.cvtColor(RGB, cv2.COLOR_RGB2YUV)
    packed = np.empty((*RGB.shape[:2], 2), np.uint8)
    luma = 0 if order in {"yuyv", "yuv422_yuy2"} else 1
    packed[:, :, luma] = yuv[:, :, 0]
    packed[:, ::2, 1 - luma] = yuv[:, ::2, 1]
    packed[:, 1::2, 1 - luma] = yuv[:, ::2, 2]
    assert close(decode_message(raw(1, packed, order), "x"), RGB, 20.0)
    assert decode_message(raw(1, packed, order, padding=8), "x").shape == RGB.shape


@pytest.mark.parametrize("counted", [True, False])
def test_nv12_whether_the_height_counts_the_colour_rows_or_not(counted: bool) -> None:
    i420 = cv2.cvtColor(RGB, cv2.COLOR_RGB2YUV_I420)
    height, width = RGB.shape[:2]
    u, v = i420[height:].reshape(2, -1)
    nv12 = np.vstack([i420[:height], np.column_stack([u, v]).reshape(-1, width)])
    message = raw(1, nv12, "nv12")
    message.height = nv12.shape[0] if counted else height
    assert close(decode_message(message, "x"), RGB, 6.0)


def test_big_endian_and_the_array_of_rclpy() -> None:
    pixels = wide(RGB[:, :, 0])
    message = SimpleNamespace(
        height=32, width=48, encoding="mono16", is_bigendian=1, step=96,
        data=array("B", pixels.astype(">u2").tobytes()),
    )  # fmt: skip
    assert close(decode_message(message, "x"), GREY, 0.5)


def test_the_last_row_may_lack_its_padding() -> None:
    message = raw(1, RGB, "rgb8", padding=6)
    message.data = message.data[:-6]
    assert close(decode_message(message, "x"), RGB, 0.5)


def test_compressed() -> None:
    data = encoded(RGB, "JPEG")
    assert close(decode_message(compressed(1, data, "bgr8; jpeg compressed bgr8"), "x"), RGB)
    with pytest.raises(UnsupportedEncodingError, match="depth"):
        decode_message(compressed(1, data, "16UC1; compressedDepth png"), "x")


@pytest.mark.parametrize("encoding", ["16UC1", "32FC1", "", "nonsense"])
def test_unsupported_encodings_are_named(encoding: str) -> None:
    message = raw(1, RGB[:, :, 0].copy(), "mono8")
    message.encoding = encoding
    with pytest.raises(UnsupportedEncodingError, match="understood are"):
        decode_message(message, "/camera@1")


@given(
    st.sampled_from(sorted(_ENCODINGS)),
    st.integers(0, 2**32 - 1) | st.integers(0, 40),
    st.integers(0, 2**32 - 1) | st.integers(0, 40),
    st.integers(0, 2**32 - 1) | st.integers(0, 200),
    st.binary(max_size=2000),
)
def test_lying_messages_raise_only_our_errors(
    encoding: str, height: int, width: int, step: int, data: bytes
) -> None:
    message = SimpleNamespace(
        height=height, width=width, step=step, encoding=encoding, is_bigendian=0, data=data
    )
    try:
        image = decode_message(message, "x")
    except VlmVprError:
        return
    assert image.shape[1] == width
    assert image.shape[2] == 3


def test_short_data_says_what_is_missing() -> None:
    message = raw(1, RGB, "rgb8")
    message.data = message.data[:-1]
    with pytest.raises(ImageError, match="need rows of 144 bytes and 4608 bytes in all"):
        decode_message(message, "x")
