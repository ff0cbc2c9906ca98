"""Frames between the node and the worker: whole, or refused."""

from __future__ import annotations

import io
import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.prior.vlm.protocol import PlaceNames, ProtocolError, Settings, frame, read_frame

json_objects = st.dictionaries(st.text(), st.integers() | st.text() | st.none(), max_size=4)

SETTINGS = Settings(
    model="/m.gguf",
    mmproj="/p.gguf",
    chat_handler="",
    n_ctx=512,
    n_threads=2,
    n_gpu_layers=-1,
    temperature=0.5,
    samples=3,
    places=(PlaceNames("Malmö, Sweden", "Sweden", "Skåne", "Malmö"),),
    log=False,
)


@given(st.lists(st.tuples(json_objects, st.binary(max_size=200)), max_size=4))
def test_frames_come_out_as_they_went_in(frames: list[tuple[dict[str, object], bytes]]) -> None:
    stream = io.BytesIO(b"".join(frame(header, content) for header, content in frames))
    for header, content in frames:
        assert read_frame(stream.read) == (header, content)
    assert read_frame(stream.read) is None


@given(json_objects, st.binary(max_size=50), st.data())
def test_a_frame_that_was_cut_off_is_refused(
    header: dict[str, object], content: bytes, data: st.DataObject
) -> None:
    whole = frame(header, content)
    part = whole[: data.draw(st.integers(1, len(whole) - 1))]
    with pytest.raises(ProtocolError):
        read_frame(io.BytesIO(part).read)


@given(st.binary(min_size=1, max_size=60))
def test_garbage_is_refused(garbage: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_frame(io.BytesIO(garbage).read)


@pytest.mark.parametrize(
    "prefix",
    [struct.pack("<4sII", b"VLM1", 1 << 30, 0), struct.pack("<4sII", b"VLM1", 2, 1 << 31)],
)
def test_lengths_are_checked_before_anything_is_read(prefix: bytes) -> None:
    stream = io.BytesIO(prefix + bytes(100))
    with pytest.raises(ProtocolError):
        read_frame(stream.read)
    assert stream.tell() == len(prefix)


@pytest.mark.parametrize("text", [b"[]", b"7", b"{", b"[" * 9000, b"\xff\xff"])
def test_json_that_is_no_object_is_refused(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        read_frame(io.BytesIO(struct.pack("<4sII", b"VLM1", len(text), 0) + text).read)


def test_settings_travel_in_a_frame() -> None:
    received = read_frame(io.BytesIO(frame(SETTINGS.as_header())).read)
    assert received is not None
    assert Settings.of_header(received[0]) == SETTINGS
    assert Settings.of_header(replace(SETTINGS, places=()).as_header()).places == ()
