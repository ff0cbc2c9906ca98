"""Checks candidates by the geometry of their local features until the answer is clear."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.config import VerificationConfig
from vlm_vpr_ros.verification.coherence import coherent
from vlm_vpr_ros.verification.geometry import epipolar_inliers
from vlm_vpr_ros.verification.local_features import LocalFeatures
from vlm_vpr_ros.verification.matching import mutual_matches


@dataclass(frozen=True)
class PairMatch:
    """Matched keypoints of two images.

    Attributes:
        query: (k, 2) float32, pixels of the common scale.
        reference: (k, 2) float32, likewise.
        inliers: (k,) which of them agree with one epipolar geometry, and with their neighbours.
    """

    query: npt.NDArray[np.float32]
    reference: npt.NDArray[np.float32]
    inliers: npt.NDArray[np.bool_]


def match_pair(query: LocalFeatures, reference: LocalFeatures) -> PairMatch:
    """Match two images and check the geometry."""
    rows, columns = mutual_matches(query.descriptors, reference.descriptors)
    a, b = query.keypoints[rows], reference.keypoints[columns]
    inliers = epipolar_inliers(a, b)
    inliers[inliers] = coherent(a[inliers], b[inliers])
    return PairMatch(a, b, inliers)


class Verifier:
    """Counts the inliers of a query with its candidates."""

    def __init__(self, config: VerificationConfig) -> None:
        self._clear_inliers = config.clear_inliers

    def verify(
        self,
        query: LocalFeatures,
        places: Sequence[int],
        load: Callable[[int], LocalFeatures | None],
    ) -> list[int | None]:
        """Count inliers, candidate by candidate.

        The answer is clear once a candidate has so many inliers that chance is no explanation. From
        then on only the best candidate of every other place is checked: each has its chance to show
        that it looks the same, so that stopping early never makes one of two twins look certain.

        Args:
            query: features of the frame.
            places: the place that each candidate belongs to, candidates in order of promise.
            load: gives the features of the i-th candidate, or None where there are none; called
                only for those that are checked.

        Returns:
            Inliers of each candidate, None for those that were not checked.
        """
        counts: list[int | None] = [None] * len(places)
        checked: set[int] = set()
        clear = False
        for i, place in enumerate(places):
            if clear and place in checked:
                continue
            reference = load(i)
            if reference is None:
                continue
            inliers = int(match_pair(query, reference).inliers.sum())
            counts[i] = inliers
            checked.add(place)
            clear |= inliers >= self._clear_inliers
        return counts
