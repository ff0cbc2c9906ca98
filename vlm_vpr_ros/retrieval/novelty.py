"""Whether two frames show different views."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.types import Descriptor

NOVELTY = 0.4
"""How much a frame must differ from another to be another view, in units of how much two places of
the region differ, as the raw descriptors of some encoders are all alike. With the default encoder
on Gardens Point, consecutive frames differ by 0.6 (nine of ten by more than 0.5), one view under
sensor noise of 15 grey levels by less than 0.35."""

_LEAST_SPREAD = 0.01
"""Of a region of one place, whose references are all equal."""


class Novelty:
    """Compares raw descriptors.

    Args:
        region_mean: (dim,) mean descriptor of the region's references.
    """

    def __init__(self, region_mean: npt.NDArray[np.float32]) -> None:
        # Unit vectors about their mean have the variance 1 - |mean|²: two of them differ by that
        # much, in 1 - cosine. The drive's own light moves both and cancels.
        spread = 1 - float(region_mean.astype(np.float64) @ region_mean)
        self._same_similarity = 1 - NOVELTY * max(spread, _LEAST_SPREAD)

    def differ(self, a: Descriptor, b: Descriptor) -> bool:
        """Whether two raw descriptors, (dim,) unit length, are of different views."""
        return float(a @ b) < self._same_similarity
