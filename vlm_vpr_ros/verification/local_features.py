"""Image to local features, by an ONNX network that has a model card."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from vlm_vpr_ros.config import EncoderConfig, VerificationConfig
from vlm_vpr_ros.descriptors import unit_rows
from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.onnx_session import open_session
from vlm_vpr_ros.retrieval.encoder import prepared
from vlm_vpr_ros.retrieval.model_card import ModelCard, read_card
from vlm_vpr_ros.types import RgbImage
from vlm_vpr_ros.verification.keypoints import sample_cubic, strongest_keypoints


@dataclass(frozen=True)
class LocalFeatures:
    """Keypoints of an image and what they look like, strongest first.

    Attributes:
        keypoints: (n, 2) float32, x and y in pixels of the image scaled to the card's `long_side`;
            (0, 0) is the corner of the image, (0.5, 0.5) the centre of its first pixel. One scale
            for all images gives a threshold in pixels the same meaning everywhere.
        descriptors: (n, dim) float32, unit length.
    """

    keypoints: npt.NDArray[np.float32]
    descriptors: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.keypoints)


class OutputNames(BaseModel):
    """Names of the network's outputs.

    Attributes:
        descriptors: (h / cell, w / cell, dim), unit length.
        keypoint: (h, w) probability that a pixel is a keypoint.
        reliability: (h / cell, w / cell) probability that a descriptor will match.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    descriptors: str
    keypoint: str
    reliability: str


class LocalFeaturesCard(ModelCard):
    """A network that finds and describes keypoints."""

    kind: Literal["local_features"]
    dim: int = Field(ge=2, le=256, multiple_of=2)
    long_side: int = Field(ge=64, le=1024)
    """Pixels of the longer side of the image, as the network sees it."""
    side_multiple: int = Field(ge=1, le=64)
    """The network takes images whose sides are multiples of this."""
    cell: int = Field(ge=1, le=64)
    """Pixels of a side of one cell of the descriptor map."""
    min_keypoint: float = Field(ge=0, lt=1)
    outputs: OutputNames


class LocalFeatureExtractor:
    """A local feature network in use.

    Args:
        card: what it is.
        folder: where its file lies.
        limit: keypoints of an image at most.
        runtime: execution providers and threads, shared with the encoder.

    Attributes:
        card: as given.
        fingerprint: hash of the network and of the preparation of images; features are comparable
            only if it is equal.
        provider: the onnxruntime execution provider that really runs it.
    """

    def __init__(
        self, card: LocalFeaturesCard, folder: Path, limit: int, runtime: EncoderConfig
    ) -> None:
        self.card = card
        self.fingerprint = _fingerprint(card)
        self._limit = limit
        self._session = open_session(folder / card.file, runtime)
        self.provider: str = self._session.get_providers()[0]
        self._check_signature()

    @classmethod
    def load(cls, config: VerificationConfig, runtime: EncoderConfig) -> LocalFeatureExtractor:
        """Load the network that the config names.

        Raises:
            ModelError: no such card or model, or it cannot run.
        """
        card, folder = read_card(config.model, LocalFeaturesCard)
        return cls(card, folder, config.keypoints, runtime)

    def extract(self, image: RgbImage) -> LocalFeatures:
        """Local features of an image of any size; none where it shows nothing.

        Raises:
            ModelError: the network fails.
        """
        card = self.card
        height, width = image.shape[:2]
        scale = card.long_side / max(height, width)
        seen = np.array([self._side(width * scale), self._side(height * scale)])
        try:
            descriptors, keypoint, reliability = self._maps(image, *seen.tolist())
        except Exception as error:  # onnxruntime raises classes of its own, one for each code
            raise ModelError(
                f"{card.file}: the network of the local features fails on {seen[0]} x {seen[1]} "
                f"pixels: {error}"
            ) from None
        pixels = strongest_keypoints(keypoint, reliability, card.min_keypoint, self._limit)
        centres = (pixels + 0.5).astype(np.float32)
        sampled = sample_cubic(descriptors, centres / card.cell - 0.5)
        # The sides were rounded; undo it, so that the geometry is the camera's.
        undo = np.array([width, height]) * scale / seen
        return LocalFeatures((centres * undo).astype(np.float32), unit_rows(sampled))

    def _side(self, pixels: float) -> int:
        multiple = self.card.side_multiple
        return max(1, round(pixels / multiple)) * multiple

    def _maps(self, image: RgbImage, width: int, height: int) -> list[npt.NDArray[np.float32]]:
        spec = self.card.input.model_copy(update={"width": width, "height": height})
        outputs = self.card.outputs
        maps: list[npt.NDArray[np.float32]] = self._session.run(
            [outputs.descriptors, outputs.keypoint, outputs.reliability],
            {spec.name: prepared(image, spec)[None]},
        )
        return maps

    def _check_signature(self) -> None:
        """Run a blank image, so that a card that does not fit is found now and not on the robot."""
        card = self.card
        side = 4 * card.side_multiple
        blank = np.zeros((side, 2 * side, 3), np.uint8)
        try:
            shapes = [m.shape for m in self._maps(blank, 2 * side, side)]
        except Exception as error:  # onnxruntime raises classes of its own, one for each code
            raise ModelError(
                f"{card.file}: does not run on the input that its card describes: {error}"
            ) from None
        cells = (side // card.cell, 2 * side // card.cell)
        expected = [(*cells, card.dim), (side, 2 * side), cells]
        if shapes != expected:
            raise ModelError(f"{card.file}: gives maps {shapes}, by its card they are {expected}")


def _fingerprint(card: LocalFeaturesCard) -> str:
    descriptive = {"name", "description", "file", "source", "licence"}
    return hashlib.sha256(card.model_dump_json(exclude=descriptive).encode()).hexdigest()
