"""A place-recognition encoder of 200 bytes for tests: average pooling, written byte by byte.

Its descriptor is the image in 8 x 6 grey-levels a channel: the same picture is found again, another
one is not. The ONNX file is assembled here because the package `onnx` is no dependency of ours.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

WIDTH, HEIGHT, CELL = 64, 48, 8
DIM = 3 * (WIDTH // CELL) * (HEIGHT // CELL)

_FLOAT = 1
_INT, _INTS = 2, 7  # AttributeProto.AttributeType


def write_tiny_encoder(folder: Path, name: str = "tiny") -> Path:
    """Write `name`.onnx and its card into a folder; return the card."""
    network = _model()
    (folder / f"{name}.onnx").write_bytes(network)
    card = folder / f"{name}.yaml"
    card.write_text(
        f"name: {name}\nkind: encoder\ndescription: average pooling, for tests\n"
        f"file: {name}.onnx\nsha256: {hashlib.sha256(network).hexdigest()}\ndim: {DIM}\n"
        f"input: {{name: image, width: {WIDTH}, height: {HEIGHT}}}\n"
        "output: {name: descriptor}\nchance_similarity: 0.6\n"
        "source: this test\nlicence: Apache-2.0\n",
        encoding="utf-8",
    )
    return card


def _model() -> bytes:
    pool = _node("AveragePool", "image", "pooled", _ints("kernel_shape"), _ints("strides"))
    flat = _node(
        "Flatten", "pooled", "descriptor", _field(5, _text(1, "axis") + _int(3, 1) + _int(20, _INT))
    )
    graph = (
        _field(1, pool)
        + _field(1, flat)
        + _text(2, "tiny")
        + _field(11, _tensor("image", ["n", 3, HEIGHT, WIDTH]))
        + _field(12, _tensor("descriptor", ["n", DIM]))
    )
    opset = _text(1, "") + _int(2, 13)
    return _int(1, 8) + _field(7, graph) + _field(8, opset)


def _node(kind: str, source: str, result: str, *attributes: bytes) -> bytes:
    return _text(1, source) + _text(2, result) + _text(4, kind) + b"".join(attributes)


def _ints(name: str) -> bytes:
    return _field(5, _text(1, name) + _int(8, CELL) * 2 + _int(20, _INTS))


def _tensor(name: str, shape: list[str | int]) -> bytes:
    dims = b"".join(_field(1, _text(2, d) if isinstance(d, str) else _int(1, d)) for d in shape)
    return _text(1, name) + _field(2, _field(1, _int(1, _FLOAT) + _field(2, dims)))


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _text(number: int, text: str) -> bytes:
    return _field(number, text.encode())
