"""What a drive's images have in common is removed from their descriptors.

Night, another camera or fog move all descriptors of a drive in the same direction; subtracting the
drive's mean brings query and reference together again. The query's mean is causal: frame i sees
only frames up to i, shrunk toward the region's mean until the drive has shown enough.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.descriptors import without_mean
from vlm_vpr_ros.retrieval.novelty import Novelty
from vlm_vpr_ros.types import Descriptor

MEMORY_FRAMES = 500
"""Frames after which the oldest fade from the mean: light changes over a day."""


class CausalCentring:
    """Centres the descriptors of a drive as they come.

    Only frames that show another view than the last one counted are counted: a parked robot must
    not teach the mean its own view (after 60 equal frames the view would vanish).

    Args:
        region_mean: (dim,) mean descriptor of the region's references.
        pseudo_frames: weight of the region's mean, in frames.
    """

    def __init__(self, region_mean: npt.NDArray[np.float32], pseudo_frames: float) -> None:
        self._region_mean = region_mean.astype(np.float64)
        self._pseudo_frames = pseudo_frames
        self._novelty = Novelty(region_mean)
        self.reset()

    def reset(self) -> None:
        """Forget the drive."""
        self._sum = np.zeros_like(self._region_mean)
        self._frames = 0
        self._last_counted: Descriptor | None = None

    def centred(self, descriptor: Descriptor) -> Descriptor:
        """Count one raw descriptor, (dim,) unit length, and return it centred, unit length."""
        if self._is_novel(descriptor):
            if self._frames == MEMORY_FRAMES:
                self._sum *= 1 - 1 / MEMORY_FRAMES
            else:
                self._frames += 1
            self._sum += descriptor
            self._last_counted = descriptor
        weight = self._pseudo_frames + self._frames
        mean = (self._pseudo_frames * self._region_mean + self._sum) / weight
        return without_mean(descriptor, mean)

    def _is_novel(self, descriptor: Descriptor) -> bool:
        last = self._last_counted
        return last is None or self._novelty.differ(last, descriptor)
