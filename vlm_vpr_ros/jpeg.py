"""JPEG, the format of cameras: decoded by OpenCV, its holes found, its turn undone."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.types import RgbImage

# Saves the pass from BGR to RGB; OpenCV has it since 4.11.
_COLOUR: int = getattr(cv2, "IMREAD_COLOR_RGB", cv2.IMREAD_COLOR)

_END, _SCAN = 0xD9, 0xDA
_BETWEEN_SCANS = frozenset([0xC4, 0xCC, _SCAN, 0xDB, 0xDC, 0xDD, *range(0xE0, 0xF0), 0xFE])
"""Tables, scans, the number of lines, application data, comments (ITU-T T.81, table B.1)."""
_ENDS_PIXELS = np.ones(256, bool)
_ENDS_PIXELS[[0x00, *range(0xD0, 0xD8), 0xFF]] = False  # a pixel's 0xFF, restarts, fill bytes
_MAX_SEGMENTS = 10_000
"""A progressive image has about ten scans, each with a table."""


def decode_jpeg(data: bytes, orientation: int, what: str) -> RgbImage:
    """Decode a colour or grey JPEG.

    Args:
        data: the whole file.
        orientation: EXIF Orientation, 1 to 8; anything else means upright.
        what: names the image in error messages.

    Raises:
        ImageError: truncated or damaged.
    """
    problem = _problem(data)
    if problem is not None:  # OpenCV fills what is missing with grey and says nothing
        raise ImageError(f"{what} is a {problem} JPEG: copy or record it again")
    image = cv2.imdecode(np.frombuffer(data, np.uint8), _COLOUR | cv2.IMREAD_IGNORE_ORIENTATION)
    if image is None:
        raise ImageError(f"{what} is a damaged JPEG: copy or record it again")
    if _COLOUR == cv2.IMREAD_COLOR:
        image = cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
    return upright(image, orientation)


def _problem(data: bytes) -> str | None:
    """Follow the markers from the first pixel to the end of the image; say what is wrong.

    The coded pixels hold no marker but those of restarts, so that foreign bytes, of which one in
    256 looks like the beginning of one, are found without decoding: a thousand of them nearly
    always, a hundred in every other file, a single one hardly ever.
    """
    at = _first_scan(data)
    octets = np.frombuffer(data, np.uint8)
    begins = np.flatnonzero(octets[at:-1] == 0xFF) + at
    begins = begins[_ENDS_PIXELS[octets[begins + 1]]]
    code = _SCAN
    for _ in range(_MAX_SEGMENTS):
        if at + 4 > len(data):
            return "truncated"
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        following = int(np.searchsorted(begins, at))
        if following == len(begins):
            return "truncated"
        if code != _SCAN and begins[following] != at:  # only pixels lie between two segments
            return "damaged"
        at = int(begins[following])
        code = data[at + 1]
        if code == _END:
            return None
        if code not in _BETWEEN_SCANS:
            return "damaged"
    return "damaged"


def _first_scan(data: bytes) -> int:
    """Offset of the main image's pixels: an end marker before it is that of a thumbnail."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker == 0xDA:
            return at
        if marker == 0xFF:  # a fill byte
            at += 1
        elif marker in {0x00, 0x01} or 0xD0 <= marker <= 0xD9:  # markers without a length
            at += 2
        else:
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return len(data)


def upright(image: Any, orientation: int) -> RgbImage:
    """Undo the turn that EXIF Orientation tells of, 1 to 8; anything else means upright."""
    if orientation in {5, 7}:
        image = cv2.transpose(image)
    if orientation == 6:
        image = cv2.rotate(image, cv2.ROTATE_90_CLOCKWISE)
    elif orientation == 8:
        image = cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE)
    elif orientation in {3, 7}:
        image = cv2.rotate(image, cv2.ROTATE_180)
    elif orientation in {2, 4}:
        image = cv2.flip(image, 1 if orientation == 2 else 0)
    return np.asarray(image, np.uint8)
