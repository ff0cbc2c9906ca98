"""Image files and compressed frames become RGB arrays; what they hold is not trusted.

The size is read from the header and checked before a pixel is decoded: a few kilobytes can claim
gigapixels. JPEG, the format of cameras, goes through OpenCV (fast); all others go through Pillow,
which refuses files that end too early. Both end upright: EXIF Orientation is applied.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import cv2
import numpy as np
from PIL import Image, ImageOps

from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError
from vlm_vpr_ros.types import RgbImage

MAX_BYTES = 256 * 2**20
MAX_PIXELS = 150_000_000  # a 16384 × 8192 panorama passes
SUFFIXES = frozenset(".jpg .jpeg .png .tif .tiff .webp .bmp .heic .heif".split())
"""Lower-case endings of the files that `read_image` understands."""

_PILLOW_FORMATS = ("JPEG", "PNG", "TIFF", "WEBP", "BMP")  # the JPEG opener knows MPO as well
_ORIENTATION, _PHOTO_IFD, _GPS_IFD = 0x0112, 0x8769, 0x8825


class ExifData(NamedTuple):
    """Raw EXIF tags by number: of the image, of the exposure, of the position."""

    image: dict[int, Any]
    photo: dict[int, Any]
    gps: dict[int, Any]


def decode_image(data: bytes, what: str) -> RgbImage:
    """Decode JPEG, PNG, TIFF, WebP, BMP or HEIC/HEIF bytes.

    Args:
        data: a whole image file.
        what: names the image in error messages.

    Returns:
        Upright RGB; 16-bit samples lose their low byte, transparency is dropped.

    Raises:
        ImageError: too large, truncated, damaged, or not an image.
        UnsupportedEncodingError: sound, but of a kind that has no faithful RGB.
    """
    _check_bytes(len(data), what)
    with _explaining(what):
        if _is_heif(data):
            return _decode_heif(data, what)
        header = Image.open(io.BytesIO(data), formats=_PILLOW_FORMATS)
        _check_pixels(header.size, what)
        if header.format in {"JPEG", "MPO"} and header.mode in {"RGB", "L"}:
            return _decode_jpeg(data, _orientation(header), what)
        return _decode_with_pillow(header, what)


def read_image(path: Path) -> RgbImage:
    """Read and decode an image file; see `decode_image`.

    Raises:
        ImageError: also when the file is missing or unreadable.
    """
    what = str(path)
    try:
        _check_bytes(path.stat().st_size, what)
        data = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        raise ImageError(f"{what} cannot be read: {getattr(error, 'strerror', error)}") from error
    return decode_image(data, what)


def read_exif(path: Path) -> ExifData:
    """Read the EXIF tags of an image file without decoding its pixels.

    Raises:
        ImageError: the file is missing, damaged, or not an image.
    """
    with _explaining(str(path)):
        with path.open("rb") as file:
            heif = _is_heif(file.read(12))
        if heif:
            tags = Image.Exif()
            tags.load(_pi_heif(str(path)).open_heif(path).info.get("exif") or b"")
            return _exif_data(tags)
        with Image.open(path, formats=_PILLOW_FORMATS) as image:
            _check_pixels(image.size, str(path))  # Pillow loads a PNG whose EXIF comes last
            return _exif_data(image.getexif())


def _exif_data(tags: Image.Exif) -> ExifData:
    return ExifData(dict(tags), dict(tags.get_ifd(_PHOTO_IFD)), dict(tags.get_ifd(_GPS_IFD)))


def _check_bytes(size: int, what: str) -> None:
    if size == 0:
        raise ImageError(f"{what} is empty: copy or record it again")
    if size > MAX_BYTES:
        raise ImageError(
            f"{what} has {size >> 20} MiB, more than {MAX_BYTES >> 20}: scale it down first"
        )


def _check_pixels(size: tuple[int, int], what: str) -> None:
    width, height = size
    if width * height > MAX_PIXELS:
        raise ImageError(
            f"{what} claims {width} × {height} pixels, more than {MAX_PIXELS}: scale it down first"
        )


@contextmanager
def _explaining(what: str) -> Iterator[None]:
    try:
        yield
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"{what} is too large ({error}): scale it down first") from error
    except Exception as error:  # decoders raise nearly everything on damaged input
        reason = str(error) or type(error).__name__
        raise ImageError(
            f"{what} cannot be decoded: it is damaged or not an image ({reason}); "
            "copy or record it again"
        ) from error


def _is_heif(start: bytes) -> bool:
    return start[4:8] == b"ftyp"


def _pi_heif(what: str) -> ModuleType:
    try:
        import pi_heif  # noqa: PLC0415  (only phones' photos need it; robots do without)
    except ImportError as error:
        raise UnsupportedEncodingError(
            f"{what} is HEIC: install the Python package pi-heif, or convert it to JPEG"
        ) from error
    return pi_heif  # type: ignore[no-any-return]


def _decode_heif(data: bytes, what: str) -> RgbImage:
    heif = _pi_heif(what).open_heif(data)
    _check_pixels(heif.size, what)
    # Turned upright by the container's own rotation; EXIF Orientation does not count in HEIF.
    return np.array(heif.to_pillow().convert("RGB"))


def _orientation(header: Image.Image) -> int:
    try:
        return int(header.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken EXIF does not make the pixels unusable
        return 1


def _decode_jpeg(data: bytes, orientation: int, what: str) -> RgbImage:
    if data.rfind(b"\xff\xd9", _first_scan(data)) < 0:
        # Older OpenCV fills the missing part with grey and says nothing.
        raise ImageError(f"{what} is a truncated JPEG: copy or record it again")
    bgr = cv2.imdecode(
        np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if bgr is None:
        raise ImageError(f"{what} is a damaged JPEG: copy or record it again")
    return _upright(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), orientation)


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


def _upright(image: RgbImage, orientation: int) -> RgbImage:
    """Undo an EXIF orientation, 1 to 8; anything else means upright."""
    if orientation in {5, 7}:
        image = cv2.transpose(image)
    turn = {6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
    if orientation in turn:
        return cv2.rotate(image, turn[orientation])  # type: ignore[no-any-return]
    if orientation in {3, 7}:
        return cv2.rotate(image, cv2.ROTATE_180)  # type: ignore[no-any-return]
    if orientation in {2, 4}:
        return cv2.flip(image, 1 if orientation == 2 else 0)  # type: ignore[no-any-return]
    return image


def _decode_with_pillow(image: Image.Image, what: str) -> RgbImage:
    image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # "I": older Pillow reads 16-bit grey so
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 0xFFFF:
            raise UnsupportedEncodingError(f"{what} has 32-bit samples: convert it to 8 or 16 bit")
        return cv2.cvtColor((grey >> 8).astype(np.uint8), cv2.COLOR_GRAY2RGB)  # type: ignore[no-any-return]
    if image.mode == "F":
        raise UnsupportedEncodingError(f"{what} has float samples: convert it to 8 or 16 bit")
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))
