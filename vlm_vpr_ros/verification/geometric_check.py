"""How well the best candidates of a frame agree with it in geometry."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vlm_vpr_ros.config import VerificationConfig
from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.estimation.hypotheses import group_by_place
from vlm_vpr_ros.types import Candidate, RgbImage
from vlm_vpr_ros.verification.feature_store import FeatureStore
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor, LocalFeatures
from vlm_vpr_ros.verification.verifier import Verifier, match_pair

LOOK_BESIDE = 2
"""Of so many candidates, those with the most inliers, the references beside them are checked, too:
twins crowd each other's neighbours out of the candidates."""


@dataclass(frozen=True)
class GeometricEvidence:
    """What the check found.

    Attributes:
        inliers: of each candidate, None for those that were not checked.
        beside: inliers of references beside the most promising candidates that are none themselves.
        damage: what is wrong with the features of candidates, or of references beside them, that
            were to be checked, one sentence; empty if nothing is.
    """

    inliers: Sequence[int | None]
    beside: Mapping[int, int]
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
        self,
        image: RgbImage,
        candidates: Sequence[Candidate],
        neighbours: Sequence[Sequence[int]],
        place_radius_m: float,
    ) -> GeometricEvidence:
        """Count the inliers of each candidate.

        Args:
            image: the frame.
            candidates: in order of promise.
            neighbours: of each candidate, the references taken just before and after it.
            place_radius_m: candidates nearer to each other than this show one place.

        Raises:
            ModelError: the network of the local features fails.
        """
        checked = candidates[: self._limit]
        place_of = {
            member.reference: number
            for number, place in enumerate(group_by_place(checked, place_radius_m))
            for member in place.candidates
        }
        damaged: list[RegionError] = []

        def load(reference: int) -> LocalFeatures | None:
            try:
                return self._features.features(reference)
            except RegionError as error:  # one bad record must not silence the whole region
                damaged.append(error)
                return None

        query = self._extractor.extract(image)
        counts = self._verifier.verify(
            query,
            [place_of[candidate.reference] for candidate in checked],
            lambda i: load(checked[i].reference),
        )
        beside = {}
        for row in _beside_the_best(checked, counts, neighbours):
            if reference := load(row):
                beside[row] = int(match_pair(query, reference).inliers.sum())
        counts += [None] * (len(candidates) - len(checked))
        damage = f"Geometry not used: {damaged[0]}" if damaged else ""
        return GeometricEvidence(counts, beside, damage)

    def describe(self) -> str:
        """What is in use, for diagnostics."""
        return f"{self._extractor.card.name} on {self._extractor.provider}"


def _beside_the_best(
    candidates: Sequence[Candidate],
    inliers: Sequence[int | None],
    neighbours: Sequence[Sequence[int]],
) -> list[int]:
    """Neighbours of the candidates with the most inliers that are no candidates themselves."""
    best = sorted(range(len(candidates)), key=lambda i: (-(inliers[i] or 0), i))[:LOOK_BESIDE]
    known = {candidate.reference for candidate in candidates}
    return list(dict.fromkeys(row for i in best for row in neighbours[i] if row not in known))
