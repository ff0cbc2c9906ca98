"""How much different places of a region resemble each other by chance."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.config import GateConfig
from vlm_vpr_ros.geodesy import earth_centred_m
from vlm_vpr_ros.region.manifest import Background
from vlm_vpr_ros.region.references import References

MAX_SAMPLE = 1000
RADIUS_M = GateConfig().false_radius_m
"""References farther apart than this show different places. The default: a region does not know
what its users will set."""


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
        self._position_m = earth_centred_m(references.lat_deg, references.lon_deg)
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
        # Straight through the Earth, which at this radius is the geodesic to a nanometre. Not by a
        # matrix product, whose terms of 1e13 m² would leave a tenth of a millimetre.
        squared_m2 = np.zeros_like(similarity)
        chunk_position_m = self._position_m[first_row : first_row + len(chunk)]
        for here, there in zip(self._position_m[self.rows].T, chunk_position_m.T, strict=True):
            squared_m2 += (here[:, None] - there) ** 2
        similarity[squared_m2 <= RADIUS_M**2] = -np.inf
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
