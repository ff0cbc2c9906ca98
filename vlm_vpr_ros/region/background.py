"""How much different places of a region resemble each other by chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.region.manifest import Background
from vlm_vpr_ros.region.references import References

MAX_SAMPLE = 1000
RADIUS_M = 50.0
"""References farther apart than this show different places (the default `gate.false_radius_m`)."""


class BackgroundSample:
    """Finds, for a sample of a region's references, the best match among those far away.

    Args:
        references: n references.

    Attributes:
        rows: the sample, ascending, at most MAX_SAMPLE rows spread over the region.
    """

    def __init__(self, references: References) -> None:
        count = len(references)
        self.rows = np.unique(np.linspace(0, count - 1, min(count, MAX_SAMPLE)).round().astype(int))
        self._references = references
        self._best_wrong = np.full(len(self.rows), -np.inf)

    def see(
        self, sample: npt.NDArray[np.float32], first_row: int, chunk: npt.NDArray[np.float32]
    ) -> None:
        """Compare the sample with a chunk of the references.

        Args:
            sample: (len(rows), dim) centred descriptors of the sample, unit length.
            first_row: row of the chunk's first reference.
            chunk: (m, dim) centred descriptors, unit length.
        """
        similarity = (sample @ chunk.T).astype(np.float64)
        rows = slice(first_row, first_row + len(chunk))
        lat, lon = self._references.lat_deg, self._references.lon_deg
        distance = distance_m(lat[self.rows, None], lon[self.rows, None], lat[rows], lon[rows])
        similarity[distance <= RADIUS_M] = -np.inf
        np.maximum(self._best_wrong, similarity.max(axis=1), out=self._best_wrong)

    def background(self) -> Background | None:
        """What was seen; None when no two references are farther apart than RADIUS_M."""
        best_wrong = self._best_wrong[np.isfinite(self._best_wrong)]
        if not len(best_wrong):
            return None
        quantiles = np.quantile(best_wrong, np.arange(1, 100) / 100)
        return Background(
            radius_m=RADIUS_M,
            sample=len(best_wrong),
            quantiles=tuple(round(float(q), 6) for q in quantiles),
        )
