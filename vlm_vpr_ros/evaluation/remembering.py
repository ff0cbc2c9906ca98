"""Networks and models that look at an image once, though several localizations ask for it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import replace
from typing import Any, Generic, TypeVar

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.prior.keeper import Model
from vlm_vpr_ros.prior.opening import OpenedModel, open_model
from vlm_vpr_ros.region.places import Place
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.retrieval.model_card import read_card, read_encoder_card
from vlm_vpr_ros.types import Descriptor, RgbImage
from vlm_vpr_ros.verification.local_features import (
    LocalFeatureExtractor,
    LocalFeatures,
    LocalFeaturesCard,
)

T = TypeVar("T")


def remembering_networks(config: LocalizerConfig, features: bool, images: int = 1) -> Networks:
    """Networks that remember what they made of the last images (see `Networks.load`).

    Args:
        config: names the models.
        features: whether local features are wanted.
        images: how many are remembered, by identity: the same array, not an equal one.
    """
    encoder = _RememberingEncoder(images, config)
    if not features or not config.verification.candidates:
        return Networks(encoder)
    return Networks(encoder, _RememberingExtractor(images, config))


def remembering_model(
    config: LocalizerConfig, places: Sequence[Place], images: int = 1
) -> OpenedModel:
    """The model of the config (see `open_priors`), which answers once for an image.

    Args:
        config: names the model.
        places: those of the region.
        images: how many answers are remembered.
    """
    opened = open_model(config, places)
    if opened.model is None:
        return opened
    return replace(opened, model=_RememberingModel(opened.model, images))


class _Memory(Generic[T]):
    """What was made of the last images."""

    def __init__(self, images: int) -> None:
        self._known: deque[tuple[RgbImage, T]] = deque(maxlen=images)

    def of(self, image: RgbImage, make: Callable[[RgbImage], T]) -> T:
        for seen, made in self._known:
            if seen is image:
                return made
        made = make(image)
        self._known.append((image, made))
        return made


class _RememberingModel:
    def __init__(self, model: Model, images: int) -> None:
        self._model = model
        self._memory: _Memory[Future[Any]] = _Memory(images)
        self.health = model.health
        self.close = model.close

    def ask(self, image: RgbImage, stamp_ns: int) -> Future[Any]:
        """Start on an image, or give the answer of before."""
        return self._memory.of(image, lambda unseen: self._model.ask(unseen, stamp_ns))


class _RememberingEncoder(Encoder):
    def __init__(self, images: int, config: LocalizerConfig) -> None:
        super().__init__(*read_encoder_card(config.encoder.name), config.encoder)
        self._memory: _Memory[Descriptor] = _Memory(images)

    def encode(self, image: RgbImage) -> Descriptor:
        """Descriptor of one image, (dim,), unit length."""
        return self._memory.of(image, super().encode)


class _RememberingExtractor(LocalFeatureExtractor):
    def __init__(self, images: int, config: LocalizerConfig) -> None:
        card, folder = read_card(config.verification.model, LocalFeaturesCard)
        super().__init__(card, folder, config.verification.keypoints, config.encoder)
        self._memory: _Memory[LocalFeatures] = _Memory(images)

    def extract(self, image: RgbImage) -> LocalFeatures:
        """Local features of an image."""
        return self._memory.of(image, super().extract)
