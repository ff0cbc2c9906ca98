"""How well the best candidates of a frame agree with it in geometry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vlm_vpr_ros.config import VerificationConfig
from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.estimation.hypotheses import group_by_place
from vlm_vpr_ros.types import Candidate, RgbImage
from vlm_vpr_ros.verification.feature_store import FeatureStore
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor, LocalFeatures
from vlm_vpr_ros.verification.verifier import Verifier


@dataclass(frozen=True)
class GeometricEvidence:
    """What the check found.

    Attributes:
        inliers: of each candidate, None for those that were not checked.
        damage: what is wrong with the features of candidates that would have been checked, one
            sentence; empty if nothing is.
    """

    inliers: Sequence[int | None]
    damage: str = ""


class GeometricCheck:
    """Compares the local features of a frame with those of its candidates.

    Args:
        extractor: of the network that made the stored features.
        features: of the region's references.
        config: how many candidates, and when the answer is clear.
    """

    def __init__(
        self, extractor: LocalFeatureExtractor, features: FeatureStore, config: VerificationConfig
    ) -> None:
        self._extractor = extractor
        self._features = features
        self._limit = config.candidates
        self._verifier = Verifier(config)

    def evidence(
        self, image: RgbImage, candidates: Sequence[Candidate], place_radius_m: float
    ) -> GeometricEvidence:
        """Count the inliers of each candidate.

        Args:
            image: the frame.
            candidates: in order of promise.
            place_radius_m: candidates nearer to each other than this show one place.
        """
        checked = candidates[: self._limit]
        place_of = {
            member.reference: number
            for number, place in enumerate(group_by_place(checked, place_radius_m))
            for member in place.candidates
        }
        damaged: list[RegionError] = []

        def load(i: int) -> LocalFeatures | None:
            try:
                return self._features.features(checked[i].reference)
            except RegionError as error:  # one bad record must not silence the whole region
                damaged.append(error)
                return None

        counts = self._verifier.verify(
            self._extractor.extract(image),
            [place_of[candidate.reference] for candidate in checked],
            load,
        )
        counts += [None] * (len(candidates) - len(checked))
        damage = f"Geometry not used: {damaged[0]}" if damaged else ""
        return GeometricEvidence(counts, damage)

    def describe(self) -> str:
        """What is in use, for diagnostics."""
        return f"{self._extractor.card.name} on {self._extractor.provider}"
