"""Observations as the columns of a region."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import h3
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.mapping.observation import Observation
from vlm_vpr_ros.region.references import References

CELL_RESOLUTION = 8
"""H3 resolution of the inverted lists: hexagons of about 0.5 km edge, finer than any prior."""


def references_of(observed: Sequence[Observation]) -> References:
    """The columns of n observations with positions; `descriptor_norm` is left to the writer."""
    points = [o.position for o in observed if o.position is not None]
    return References(
        lat_deg=np.array([p.lat_deg for p in points]),
        lon_deg=np.array([p.lon_deg for p in points]),
        alt_m=np.array([np.nan if p.alt_m is None else p.alt_m for p in points]),
        alt_datum=tuple(o.altitude_datum for o in observed),
        heading_deg=_column(o.heading_deg for o in observed),
        stamp_ns=np.array([-1 if o.stamp_ns is None else o.stamp_ns for o in observed], np.int64),
        drive=tuple(o.drive for o in observed),
        source=tuple(o.source for o in observed),
        cell=np.array(
            [
                h3.str_to_int(h3.latlng_to_cell(p.lat_deg, p.lon_deg, CELL_RESOLUTION))
                for p in points
            ],
            np.uint64,
        ),
        sigma_m=_column(o.sigma_m for o in observed),
        descriptor_norm=np.zeros(len(points), np.float32),
    )


def _column(values: Iterable[float | None]) -> npt.NDArray[np.float32]:
    return np.array([np.nan if v is None else v for v in values], np.float32)
