"""Swapped coordinates that are valid in both orders."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.streets import observation

from vlm_vpr_ros.mapping.reference_table import references_of
from vlm_vpr_ros.mapping.swapped import swapped_remark
from vlm_vpr_ros.types import GeoPoint


def remark(*drives: tuple[str, float, float]) -> str | None:
    """Of drives at these places, three references each."""
    return swapped_remark(
        references_of(
            [
                replace(observation(0, name), position=GeoPoint(lat + 1e-4 * i, lon))
                for name, lat, lon in drives
                for i in range(3)
            ]
        )
    )


def test_a_town_whose_coordinates_are_swapped() -> None:
    said = remark(("monday", 13.19, 55.7))
    assert said is not None
    assert "Drive `monday` is more than 100 km from any town at 13.1901, 55.7000" in said
    assert "Lund" in said and "at 55.7000, 13.1901" in said


def test_several_drives_are_one_remark() -> None:
    said = remark(("a", 55.7, 13.19), ("b", 13.19, 55.7), ("c", -0.1, 51.5))
    assert said is not None and "Drive `b` (and 1 drive more)" in said


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        (55.7, 13.19),  # Lund
        (-27.47, 153.03),  # Brisbane: swapped, the latitude would be out of range
        (-31.0, 129.0),  # the Nullarbor, with nothing for 700 km, and no latitude of 129
        (-45.0, -35.0),  # an ocean, and another one when swapped
    ],
)
def test_nothing_is_asked_without_reason(lat: float, lon: float) -> None:
    assert remark(("monday", lat, lon)) is None
