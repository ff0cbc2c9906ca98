"""Neighbours on the mapping drive."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from support.small_regions import references

from vlm_vpr_ros.region.neighbours import neighbours


def test_neighbours_are_near_and_of_the_same_drive() -> None:
    street = references(6, lat_deg=10.0, lon_deg=179.99995)
    metres = np.array([0, 5, 10, 15, 40, 45])  # across the antimeridian
    lon = (179.99995 + metres / 109_600 + 180) % 360 - 180
    street = replace(
        street, lat_deg=np.full(6, 10.0), lon_deg=lon, drive=("a", "a", "a", "b", "b", "b")
    )
    assert neighbours(street, [0, 1, 2, 3, 4, 5]) == [(1,), (0, 2), (1,), (), (5,), (4,)]
    assert neighbours(street, [4, 1]) == [(5,), (0, 2)]
    assert neighbours(street, []) == []


def test_a_region_of_one() -> None:
    assert neighbours(references(1), [0]) == [()]
