"""The priors that the configuration asks for, ready for use."""

from __future__ import annotations

from collections.abc import Sequence

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.prior.choice import prior_of_choice
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.prior.keeper import PriorKeeper
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
    if not config.vlm.model:
        return PriorKeeper(config.prior)
    model = VlmPrior(config.vlm, places)

    def prior_of(answer: VlmAnswer) -> GeoPrior:
        if answer.choice:
            return prior_of_choice(answer.choice, places)
        return prior_of_open(answer.open, Gazetteer.load())

    try:
        if model.mode == "open":
            Gazetteer.load().warm_up()  # not when the first frame waits for it
        return PriorKeeper(config.prior, model, prior_of)
    except Exception:
        model.close()
        raise
