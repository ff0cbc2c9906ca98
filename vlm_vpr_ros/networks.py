"""The networks that look at an image."""

from __future__ import annotations

from dataclasses import dataclass

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor


@dataclass(frozen=True)
class Networks:
    """What is computed of each image.

    Attributes:
        encoder: its descriptor.
        extractor: its local features; None: they are not wanted.
    """

    encoder: Encoder
    extractor: LocalFeatureExtractor | None = None

    @classmethod
    def load(cls, config: LocalizerConfig, features: bool) -> Networks:
        """Load what the config names.

        Args:
            config: names the models.
            features: whether local features are wanted; never if `verification.candidates` is 0.

        Raises:
            ModelError: no such card or model, or it cannot run.
        """
        return cls(Encoder.load(config.encoder), load_extractor(config, features))


def load_extractor(config: LocalizerConfig, features: bool) -> LocalFeatureExtractor | None:
    """The network of the local features alone; see `Networks.load`."""
    if not features or not config.verification.candidates:
        return None
    return LocalFeatureExtractor.load(config.verification, config.encoder)
