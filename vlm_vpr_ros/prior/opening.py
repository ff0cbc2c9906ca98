"""The priors that the configuration asks for, ready for use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.errors import ModelError, PriorError
from vlm_vpr_ros.prior.choice import prior_of_choice
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.prior.keeper import Model, PriorKeeper
from vlm_vpr_ros.prior.open_answers import prior_of_open
from vlm_vpr_ros.prior.vlm.vlm_prior import VlmAnswer, VlmPrior
from vlm_vpr_ros.region.places import Place


def open_priors(config: LocalizerConfig, places: Sequence[Place]) -> PriorKeeper:
    """What the sections `prior` and `vlm` say; a model starts to load.

    Args:
        config: all parameters.
        places: those of the region, for a model to choose from.

    Raises:
        PriorError: `prior.geojson` cannot be used.
        ModelError: the data of the gazetteer cannot be read.
        ConfigError: the model cannot be asked as `vlm.mode` says.
    """
    return open_model(config, places).keeper(config)


@dataclass(frozen=True)
class OpenedModel:
    """A model that was opened, if one is configured, and what its answers mean.

    Attributes:
        model: asked about the frames; None: nobody is.
        prior_of: makes a prior of an answer.
    """

    model: Model | None = None
    prior_of: Callable[[Any], GeoPrior] | None = None

    def keeper(self, config: LocalizerConfig) -> PriorKeeper:
        """A keeper that asks the model; several may ask one model in turn.

        Raises:
            PriorError: `prior.geojson` cannot be used.
        """
        try:
            return PriorKeeper(config.prior, config.max_speed_mps, self.model, self.prior_of)
        except PriorError:
            self.close()
            raise

    def close(self) -> None:
        """End the model; to close a keeper does so, too."""
        if self.model is not None:
            self.model.close()


def open_model(config: LocalizerConfig, places: Sequence[Place]) -> OpenedModel:
    """The model that the section `vlm` names starts to load (see `open_priors`)."""
    if not config.vlm.model:
        return OpenedModel()
    model = VlmPrior(config.vlm, places)

    def prior_of(answer: VlmAnswer) -> GeoPrior:
        if answer.choice:
            return prior_of_choice(answer.choice, places)
        return prior_of_open(answer.open, Gazetteer.load())

    try:
        if model.mode == "open":
            Gazetteer.load().warm_up()  # not when the first frame waits for it
    except ModelError:
        model.close()
        raise
    return OpenedModel(model, prior_of)
