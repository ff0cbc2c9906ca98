"""Where the streets of a plan and their rows of houses begin, and where they lead."""

from __future__ import annotations

from vlm_vpr_ros.sim.layout import BLOCK_M, HALF_STREET_M, Street
from vlm_vpr_ros.sim.mesh import GroundFrame


def street_place(street: Street) -> GroundFrame:
    """The frame of a street: it begins in the middle of its first crossing."""
    (i, j), (k, m) = street.start, street.end
    return GroundFrame(i * BLOCK_M, j * BLOCK_M, (float(k - i), float(m - j)))


def row_corners(street: Street) -> tuple[GroundFrame, GroundFrame]:
    """The frames of its left and right row of houses.

    A row begins at its left end, seen from the street, and `along` leads away from the street.
    """
    place = street_place(street)
    return (
        place.moved(HALF_STREET_M, -HALF_STREET_M, 3),
        place.moved(BLOCK_M - HALF_STREET_M, HALF_STREET_M, 1),
    )
