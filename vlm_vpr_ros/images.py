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
from stat import S_ISDIR, S_ISREG
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError
from vlm_vpr_ros.heif import is_heif, read_heif
from vlm_vpr_ros.jpeg import decode_jpeg, upright
from vlm_vpr_ros.types import RgbImage

MAX_BYTES = 256 * 2**20
MAX_PIXELS = 150_000_000  # a 16384 × 8192 panorama passes
SUFFIXES = frozenset([".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".heic", ".heif"])
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
        if is_heif(data):
            pixels = read_heif(data, what, MAX_PIXELS).pixels
            assert pixels is not None
            return pixels
        header = Image.open(io.BytesIO(data), formats=_PILLOW_FORMATS)
        _check_pixels(header.size, what)
        if header.format in {"JPEG", "MPO"} and header.mode in {"RGB", "L"}:
            return decode_jpeg(data, _orientation(header), what)
        header.load()  # which turns a TIFF, and finds what a PNG says behind its pixels
        return upright(_rgb(header, what), _orientation(header))


def read_image(path: Path) -> RgbImage:
    """Read and decode an image file; see `decode_image`.

    Raises:
        ImageError: also when the file is missing or unreadable.
    """
    what = str(path)
    try:
        _check_file(path)
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
        _check_file(path)
        with path.open("rb") as file:
            heif = is_heif(file.read(12))
        if heif:
            tags = Image.Exif()
            tags.load(read_heif(path.read_bytes(), str(path), MAX_PIXELS, pixels=False).exif)
            return _exif_data(tags)
        with Image.open(path, formats=_PILLOW_FORMATS) as image:
            _check_pixels(image.size, str(path))  # Pillow loads a PNG whose EXIF comes last
            return _exif_data(image.getexif())


def _exif_data(tags: Image.Exif) -> ExifData:
    return ExifData(dict(tags), dict(tags.get_ifd(_PHOTO_IFD)), dict(tags.get_ifd(_GPS_IFD)))


def _check_file(path: Path) -> None:
    found = path.stat()
    if not (S_ISREG(found.st_mode) or S_ISDIR(found.st_mode)):  # to open a pipe is to wait for ever
        raise ImageError(f"{path} is a pipe or a device, expected an image file")
    _check_bytes(found.st_size, str(path))


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
    except UnidentifiedImageError as error:  # its text names an object of Python's
        raise ImageError(f"{what} is damaged or not an image: copy or record it again") from error
    except Exception as error:  # decoders raise nearly everything on damaged input
        reason = str(error) or type(error).__name__
        raise ImageError(
            f"{what} cannot be decoded: it is damaged or not an image ({reason}); "
            "copy or record it again"
        ) from error


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # broken EXIF does not make the pixels unusable
        return 1


def _rgb(image: Image.Image, what: str) -> RgbImage:
    if image.mode.startswith("I"):  # "I": older Pillow reads 16-bit grey so
        grey = np.asarray(image)
        if grey.min() < 0 or grey.max() > 0xFFFF:
            raise UnsupportedEncodingError(f"{what} has 32-bit samples: convert it to 8 or 16 bit")
        return np.repeat((grey >> 8).astype(np.uint8)[:, :, np.newaxis], 3, axis=2)
    if image.mode == "F":
        raise UnsupportedEncodingError(f"{what} has float samples: convert it to 8 or 16 bit")
    if "transparency" in image.info:
        image = image.convert("RGBA")
    return np.array(image.convert("RGB"))
