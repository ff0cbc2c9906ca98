"""Local features as few bytes, which are checked when they are read.

    "VLF1" | n uint16 | dim uint16 | keypoints (n, 2) uint16 | descriptors (n, dim / 2) uint8

Little-endian. Keypoints are in 1/64 pixel. A descriptor has 4 bits a component, the lower nibble
first: nibble q stands for q - 7.5, on a scale of the descriptor's own that need not be kept, since
descriptors have unit length. All bytes of the right number are valid features: what is decoded from
them is finite.
"""

from __future__ import annotations

import struct

import numpy as np

from vlm_vpr_ros.descriptors import unit_rows
from vlm_vpr_ros.verification.local_features import LocalFeatures

MAX_KEYPOINTS = 2048
MAX_DIM = 256

_MAGIC = b"VLF1"
_HEADER = struct.Struct("<4sHH")
_STEPS_PER_PIXEL = 64
_LEVELS = 16

_NIBBLE_VALUES = np.arange(_LEVELS, dtype=np.float32) - (_LEVELS - 1) / 2
_BYTE_VALUES = np.stack(
    [_NIBBLE_VALUES[np.arange(256) % _LEVELS], _NIBBLE_VALUES[np.arange(256) // _LEVELS]], axis=1
)
# Both numbers of a byte as one element: gathered ten times as fast.
_BYTE_PAIRS = _BYTE_VALUES.view(np.uint64).ravel()

MAX_BYTES = _HEADER.size + MAX_KEYPOINTS * (4 + MAX_DIM // 2)
"""No features are larger."""


def encode_features(features: LocalFeatures) -> bytes:
    """Features as bytes: 36,872 for 1,024 keypoints of 64 numbers.

    Raises:
        ValueError: too many features, an odd dim, or keypoints outside [0, 1024) pixels.
    """
    count, dim = features.descriptors.shape
    if count > MAX_KEYPOINTS or dim > MAX_DIM or dim % 2:
        raise ValueError(f"cannot encode {count} descriptors of {dim} numbers")
    steps = np.round(features.keypoints * _STEPS_PER_PIXEL)
    if not ((steps >= 0) & (steps < 1 << 16)).all():
        raise ValueError("keypoints outside [0, 1024) pixels cannot be encoded")
    largest = np.abs(features.descriptors).max(axis=1, initial=0, keepdims=True)
    step = np.maximum(largest, np.finfo(np.float32).tiny) / (_LEVELS // 2)
    levels = np.floor(features.descriptors / step) + _LEVELS // 2
    nibbles = np.clip(levels, 0, _LEVELS - 1).astype(np.uint8)
    packed = nibbles[:, 0::2] | nibbles[:, 1::2] << 4
    header = _HEADER.pack(_MAGIC, count, dim)
    return b"".join([header, steps.astype("<u2").tobytes(), packed.tobytes()])


def decode_features(data: bytes | memoryview) -> LocalFeatures:
    """Features from bytes.

    Raises:
        ValueError: the bytes are not what `encode_features` writes.
    """
    if len(data) < _HEADER.size:
        raise ValueError(f"{len(data)} bytes are too few for local features")
    magic, count, dim = _HEADER.unpack_from(data)
    if magic != _MAGIC or count > MAX_KEYPOINTS or not 0 < dim <= MAX_DIM or dim % 2:
        raise ValueError("not the header of local features")
    expected = _HEADER.size + count * (4 + dim // 2)
    if len(data) != expected:
        raise ValueError(f"{len(data)} bytes instead of {expected} for {count} local features")
    steps = np.frombuffer(data, "<u2", 2 * count, _HEADER.size)
    packed = np.frombuffer(data, np.uint8, count * dim // 2, _HEADER.size + 4 * count)
    return LocalFeatures(
        keypoints=(steps / np.float32(_STEPS_PER_PIXEL)).reshape(count, 2),
        descriptors=unit_rows(np.take(_BYTE_PAIRS, packed).view(np.float32).reshape(count, dim)),
    )
