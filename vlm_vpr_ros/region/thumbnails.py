"""Small pictures of a region's references, for people (see `record_store` for the files).

No computation uses them. They show beside a query what it was matched with, months later and on
another machine. Each is a JPEG of at most `MAX_BYTES`: with 1,024 local features of 36,872 bytes, a
reference stays below 40 kB.
"""

from __future__ import annotations

import io
from pathlib import Path

import cv2
from PIL import Image

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.jpeg import decode_jpeg
from vlm_vpr_ros.record_store import OFFSETS, RecordStore
from vlm_vpr_ros.types import RgbImage

THUMBNAIL_FOLDER = "thumbnails"
THUMBNAILS = "thumbnails.bin"
THUMBNAIL_FILES = (f"{THUMBNAIL_FOLDER}/{THUMBNAILS}", f"{THUMBNAIL_FOLDER}/{OFFSETS}")

LONG_SIDE_PX = 160
MAX_BYTES = 3000
_QUALITIES = (60, 45, 30, 20, 10)


def encode_thumbnail(image: RgbImage) -> bytes:
    """A small JPEG of an image, b"" if even the coarsest one is too large."""
    height, width = image.shape[:2]
    scale = min(1.0, LONG_SIDE_PX / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.cvtColor(cv2.resize(image, size, interpolation=cv2.INTER_AREA), cv2.COLOR_RGB2BGR)
    for quality in _QUALITIES:
        options = (cv2.IMWRITE_JPEG_QUALITY, quality, cv2.IMWRITE_JPEG_OPTIMIZE, 1)
        data: bytes = cv2.imencode(".jpg", small, options)[1].tobytes()
        if len(data) <= MAX_BYTES:
            return data
    return b""


class ThumbnailStore(RecordStore):
    """Thumbnails of all references, read where they lie."""

    @classmethod
    def open(cls, folder: Path, references: int) -> ThumbnailStore:
        """Map the files of a folder.

        Args:
            folder: holds thumbnails.bin and offsets.npy.
            references: how many the region has.

        Raises:
            RegionError: a file is missing, damaged, or of another number of references.
        """
        return cls(folder / THUMBNAILS, references, MAX_BYTES)

    def thumbnail(self, reference: int) -> RgbImage | None:
        """The picture of a reference, or None if it has none.

        Raises:
            RegionError: its bytes are damaged.
        """
        data = bytes(self.encoded(reference))
        if not data:
            return None
        try:
            _check_size(data)
            return decode_jpeg(data, 1, "the thumbnail")
        except ImageError as error:
            raise self._damaged(reference, error) from None


def _check_size(data: bytes) -> None:
    """Raise ImageError unless it is a JPEG of the size of a thumbnail: before its pixels."""
    try:
        width, height = Image.open(io.BytesIO(data), formats=("JPEG",)).size
    except Exception as error:  # Pillow raises nearly everything on damaged input
        raise ImageError(f"no JPEG ({error})") from None
    if max(width, height) > LONG_SIDE_PX:
        raise ImageError(f"it claims {width} × {height} pixels")
