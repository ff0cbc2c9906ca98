"""What the node and the worker process say to each other over two pipes.

A frame is a magic word, the lengths of its two parts, a JSON object, and raw bytes (an image, or
nothing). The first frame to the worker holds the `Settings`; it answers `{"ready": ...}`. Then each
frame to the worker is an image, `{"id", "height", "width"}` and its RGB bytes, and each answer
`{"id"}` with `answers` (texts) or `probabilities`. Instead of any answer there may be
`{"error": text}`. Neither side trusts lengths.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

_PREFIX = struct.Struct("<4sII")
_MAGIC = b"VLM1"
_MOST_JSON = 1 << 20
_MOST_BYTES = 1 << 26

PREFIX_BYTES = _PREFIX.size


class ProtocolError(Exception):
    """The other side sent something that is no frame."""


@dataclass(frozen=True)
class PlaceNames:
    """The names of a place the model may choose; empty where unknown."""

    label: str
    country: str
    admin1: str
    city: str


@dataclass(frozen=True)
class Settings:
    """What a worker is started with.

    Attributes:
        model: path of the GGUF.
        mmproj: path of its vision tower.
        chat_handler: see `chat.template_named`; empty: the template in the GGUF.
        n_ctx: tokens of the context.
        n_threads: CPU threads.
        n_gpu_layers: layers on the GPU.
        temperature: of sampled answers.
        samples: sampled answers, or orders of the options.
        places: to choose from; empty: the answer is open.
        log: whether llama.cpp's messages go to stderr, or its errors alone.
    """

    model: str
    mmproj: str
    chat_handler: str
    n_ctx: int
    n_threads: int
    n_gpu_layers: int
    temperature: float
    samples: int
    places: tuple[PlaceNames, ...]
    log: bool

    def as_header(self) -> dict[str, Any]:
        """For a frame."""
        return asdict(self)

    @staticmethod
    def of_header(header: dict[str, Any]) -> Settings:
        """From a frame of `as_header`."""
        places = tuple(PlaceNames(**place) for place in header.pop("places"))
        return Settings(**header, places=places)


def frame(header: dict[str, Any], content: bytes = b"") -> bytes:
    """A frame as bytes."""
    return frame_head(header, len(content)) + content


def frame_head(header: dict[str, Any], content_bytes: int) -> bytes:
    """A frame up to its content: images need not be copied together with it."""
    text = json.dumps(header).encode()
    return _PREFIX.pack(_MAGIC, len(text), content_bytes) + text


def lengths(prefix: bytes) -> tuple[int, int]:
    """The lengths of a frame's JSON and of its content.

    Raises:
        ProtocolError: this is not how a frame starts.
    """
    magic, of_json, of_content = _PREFIX.unpack(prefix)
    if magic != _MAGIC or of_json > _MOST_JSON or of_content > _MOST_BYTES:
        raise ProtocolError(f"not a frame: {prefix!r}")
    return of_json, of_content


def header_of(text: bytes) -> dict[str, Any]:
    """The JSON object of a frame.

    Raises:
        ProtocolError: it is none.
    """
    try:
        header = json.loads(text)
    except (ValueError, RecursionError):
        raise ProtocolError("the JSON of a frame cannot be read") from None
    if not isinstance(header, dict):
        raise ProtocolError("the JSON of a frame is no object")
    return header


def read_frame(read: Callable[[int], bytes]) -> tuple[dict[str, Any], bytes] | None:
    """Read one frame with a blocking `read(count)`; None at the end of the stream.

    Raises:
        ProtocolError: it is no frame, or was cut off.
    """
    prefix = read(PREFIX_BYTES)
    if not prefix:
        return None
    if len(prefix) < PREFIX_BYTES:
        raise ProtocolError("a frame was cut off")
    of_json, of_content = lengths(prefix)
    text, content = read(of_json), read(of_content)
    if len(text) < of_json or len(content) < of_content:
        raise ProtocolError("a frame was cut off")
    return header_of(text), content
