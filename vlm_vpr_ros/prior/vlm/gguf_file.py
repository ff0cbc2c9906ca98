"""A GGUF file looked over before llama.cpp reads it.

llama.cpp reads a vision tower that was cut off without noticing. The format: magic, version, counts
of tensors and of key-value pairs, the pairs, a description of each tensor, the aligned data.
"""

from __future__ import annotations

import math
import mmap
import struct
from pathlib import Path

from vlm_vpr_ros.errors import ModelError

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_MOST_ENTRIES = 1 << 20
_MOST_VALUES = 1 << 24
_SCALAR_BYTES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Type of a value -> its size; 8 is a string, 9 an array."""
_STRING, _ARRAY = 8, 9
_BITS: dict[int, float] = {
    0: 32, 1: 16, 2: 4.5, 3: 5, 6: 5.5, 7: 6, 8: 8.5,
    10: 2.625, 11: 3.4375, 12: 4.5, 13: 5.5, 14: 6.5625, 30: 16,
}  # fmt: skip
"""Type of a tensor (F32, F16, Q4_0 to Q8_0, Q2_K to Q6_K, BF16) -> bits of a weight."""
_FEWEST_BITS = 1
"""Of the types that are not listed."""


def check_gguf(path: Path) -> None:
    """Check that a file is GGUF and that all its tensors lie inside it.

    Raises:
        ModelError: there is no such file, it is something else, damaged, or was cut off.
    """
    try:
        with path.open("rb") as file:
            if file.read(4) != _MAGIC:
                raise ModelError(f"{path} is no GGUF file: give a model in llama.cpp's format")
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
                _check_content(content)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror}") from None
    except (struct.error, _DamagedError):
        raise ModelError(
            f"{path} is damaged or was cut off ({path.stat().st_size} bytes): download it again"
        ) from None


class _DamagedError(Exception):
    """What the file says of itself cannot be."""


def _check_content(content: mmap.mmap) -> None:
    reader = _Reader(content)
    version, tensors, pairs = reader.take("<4xIQQ")
    if version not in _VERSIONS or max(tensors, pairs) > _MOST_ENTRIES:
        raise _DamagedError
    alignment = 32
    for _ in range(pairs):
        key = reader.text()
        (kind,) = reader.take("<I")
        start = reader.position
        reader.skip_value(kind)
        if key == b"general.alignment" and kind == 4:
            (alignment,) = struct.unpack_from("<I", content, start)
    furthest = 0
    for _ in range(tensors):
        reader.text()
        (dimensions,) = reader.take("<I")
        if dimensions > 8:
            raise _DamagedError
        *shape, kind, offset = reader.take(f"<{dimensions}QIQ")
        bits = math.prod(shape) * _BITS.get(kind, _FEWEST_BITS)
        furthest = max(furthest, offset + int(bits // 8))
    data = -(-reader.position // max(alignment, 1)) * alignment
    if data + furthest > len(content):
        raise _DamagedError


class _Reader:
    def __init__(self, content: mmap.mmap) -> None:
        self._content = content
        self.position = 0

    def take(self, layout: str) -> tuple[int, ...]:
        values = struct.unpack_from(layout, self._content, self.position)
        self.position += struct.calcsize(layout)
        return values

    def text(self) -> bytes:
        (length,) = self.take("<Q")
        self._skip(length)
        return self._content[self.position - length : self.position]

    def skip_value(self, kind: int) -> None:
        if kind == _STRING:
            self.text()
        elif kind == _ARRAY:
            of, count = self.take("<IQ")
            if count > _MOST_VALUES or of == _ARRAY:
                raise _DamagedError
            if of == _STRING:
                for _ in range(count):
                    self.text()
            else:
                self._skip(count * _size(of))
        else:
            self._skip(_size(kind))

    def _skip(self, count: int) -> None:
        self.position += count
        if self.position > len(self._content):
            raise _DamagedError


def _size(kind: int) -> int:
    if kind not in _SCALAR_BYTES:
        raise _DamagedError
    return _SCALAR_BYTES[kind]
