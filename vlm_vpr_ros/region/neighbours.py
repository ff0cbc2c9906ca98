"""Which references were taken just before and after another one, on the same drive."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlm_vpr_ros.geodesy import earth_centred_m
from vlm_vpr_ros.region.references import References

WITHIN_M = 10.0
"""References farther apart than this show too little in common to speak for each other."""


def neighbours(references: References, rows: Sequence[int]) -> list[tuple[int, ...]]:
    """The rows beside each row that are of the same drive and within `WITHIN_M`, none to two each.

    The rows of a drive lie in the order in which it was recorded.
    """
    if not rows:
        return []
    around = np.clip(np.asarray(rows)[:, None] + [-1, 0, 1], 0, len(references) - 1)
    points_m = earth_centred_m(references.lat_deg[around], references.lon_deg[around])
    near = np.linalg.norm(points_m - points_m[:, 1:2], axis=2) <= WITHIN_M
    return [
        tuple(
            int(other)
            for other, is_near in zip(trio, close, strict=True)
            if is_near and other != row and references.drive[other] == references.drive[row]
        )
        for row, trio, close in zip(rows, around, near, strict=True)
    ]
