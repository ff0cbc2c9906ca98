"""Drives of a source come one after another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.streets import FakeSource, observation

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping.drives import one_after_another, whole_drives


@given(st.lists(st.sampled_from("abc")))
def test_drives_are_put_one_after_another(drives: list[str]) -> None:
    frames = list(enumerate(drives))
    ordered = one_after_another(frames, lambda frame: frame[1])
    begun = list(dict.fromkeys(drives))
    assert ordered == sorted(frames, key=lambda frame: (begun.index(frame[1]), frame[0]))
    source = FakeSource("week", [observation(place, drive) for place, drive in ordered])
    assert list(whole_drives(source)) == source.content


def test_a_source_that_goes_back_to_a_drive_is_refused() -> None:
    source = FakeSource("week", [observation(place, drive) for place, drive in enumerate("aabba")])
    read = whole_drives(source)
    assert [next(read).drive for _ in range(4)] == ["a", "a", "b", "b"]
    with pytest.raises(SourceError, match=r"week: drive `a` goes on at a/0004\.png after another"):
        next(read)
