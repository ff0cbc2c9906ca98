"""The picture of an outcome: the frame beside the reference that speaks most for the answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.errors import ModelError, RegionError
from vlm_vpr_ros.evaluation.match_picture import COMMON_SCALE_PX, match_picture
from vlm_vpr_ros.networks import load_extractor
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.types import Frame, Outcome, PriorStatus, RgbImage
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor
from vlm_vpr_ros.verification.verifier import PairMatch, match_pair


class OutcomePainter:
    """Draws outcomes. It matches the frame again: some 20 ms, spent only where somebody looks.

    Args:
        region: in which the outcomes were found.
        extractor: of the network that made the region's local features; None: no lines are drawn.
    """

    def __init__(self, region: Region, extractor: LocalFeatureExtractor | None) -> None:
        self._region = region
        self._extractor = extractor if region.features is not None else None

    @classmethod
    def open(cls, region: Path, config: LocalizerConfig) -> OutcomePainter:
        """A painter beside a `Localizer` that was opened with the same arguments.

        Raises:
            RegionError: the region is missing or damaged.
            ModelError: the network cannot be loaded.
        """
        opened = Region.open(region)
        return cls(opened, load_extractor(config, opened.features is not None))

    def picture(self, frame: Frame, outcome: Outcome, note: str = "") -> RgbImage:
        """Draw a frame and its best match; without any candidate, the frame beside nothing.

        Args:
            frame: what was localized.
            outcome: of the frame.
            note: one more line of the caption.
        """
        lines = [*caption(frame.source, outcome, self.reference_source(outcome)), note]
        return self.match(frame.image, outcome, lines)

    def match(self, image: RgbImage, outcome: Outcome, lines: Sequence[str] = ()) -> RgbImage:
        """Draw an image and its best match over some lines of text."""
        match = thumbnail = None
        if outcome.candidates:
            reference = outcome.candidates[0].reference
            try:
                match = self._pair(image, reference)
                if self._region.thumbnails:
                    thumbnail = self._region.thumbnails.thumbnail(reference)
            except (RegionError, ModelError) as error:  # the rest is worth seeing
                lines = [*lines, str(error)]
        text = "\n".join(line for line in lines if line)
        scale = self._extractor.card.long_side if self._extractor else COMMON_SCALE_PX
        return match_picture(image, thumbnail, match, text, scale)

    def reference_source(self, outcome: Outcome) -> str:
        """The name of the image of the best match; "" without one."""
        if not outcome.candidates:
            return ""
        return self._region.references.source[outcome.candidates[0].reference]

    def _pair(self, image: RgbImage, reference: int) -> PairMatch | None:
        stored = self._region.features
        if self._extractor is None or stored is None:
            return None
        features = stored.features(reference)
        return match_pair(self._extractor.extract(image), features) if features else None


def caption(source: str, outcome: Outcome, reference_source: str) -> list[str]:
    """What is seen, how it ended and why, with which prior."""
    beside = f" beside {reference_source}" if reference_source else ""
    numbers = []
    if outcome.hypotheses:
        best = outcome.hypotheses[0]
        numbers += [f"probability {outcome.probability:.3f}", f"similarity {best.similarity:.3f}"]
        numbers += [] if best.inliers is None else [f"{best.inliers} inliers"]
        numbers += [f"sigma {best.sigma_m:.1f} m"]
    if outcome.frames > 1:
        numbers.append(f"{outcome.frames} frames")
    verdict = outcome.reason.value + (f": {', '.join(numbers)}" if numbers else "")
    prior = outcome.prior
    return [
        f"{source}{beside}",
        verdict,
        "" if prior.status is PriorStatus.OFF else f"prior {prior.status.value}: {prior.detail}",
    ]
