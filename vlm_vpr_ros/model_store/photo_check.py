"""How well a vision-language model places photos whose position is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.mapping.observation import Observation
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.open_answers import prior_of_open
from vlm_vpr_ros.prior.vlm.vlm_prior import VlmAnswer, VlmPrior

RADII_KM = (1, 25, 200, 750, 2500)
"""Street, city, region, country and continent, as image geolocation is scored by custom."""

_SHOWN_CLUES = 5


@dataclass(frozen=True)
class CheckedPhoto:
    """What a model said of a photo.

    Attributes:
        source: names the photo.
        said: the most probable place and what led the model there, or why there is no answer.
        error_m: from that place to the truth; None without an answer.
        seconds: it took.
        answered: whether the model said anything, right or wrong.
    """

    source: str
    said: str
    error_m: float | None
    seconds: float
    answered: bool = True


def check_photos(
    model: VlmPrior, photos: Iterable[Observation], gazetteer: Gazetteer
) -> Iterator[CheckedPhoto]:
    """Ask a model, in *open* mode, about each photo that has a position."""
    for photo in photos:
        if photo.position is None:
            continue
        try:
            image = photo.load()
        except ImageError as error:
            yield CheckedPhoto(photo.source, str(error), None, 0.0, answered=False)
            continue
        answer = model.ask(image, 0, patient=True).result()
        if answer.failure:
            yield CheckedPhoto(photo.source, answer.failure, None, answer.seconds, answered=False)
            continue
        prior = prior_of_open(answer.open, gazetteer)
        if not prior.components:
            yield CheckedPhoto(photo.source, "named nothing known", None, answer.seconds)
            continue
        best = max(prior.components, key=lambda part: part.weight)
        truth = photo.position
        error_m = float(distance_m(truth.lat_deg, truth.lon_deg, best.lat_deg, best.lon_deg))
        said = best.label + _because(answer)
        yield CheckedPhoto(photo.source, said, error_m, answer.seconds)


def _because(answer: VlmAnswer) -> str:
    """What the model saw that led it there, in brackets."""
    clues = dict.fromkeys(clue for said in answer.open for clue in said.clues if clue)
    return f" [{'; '.join(list(clues)[:_SHOWN_CLUES])}]" if clues else ""


def shares_within(checked: list[CheckedPhoto]) -> dict[int, float]:
    """Share of all photos, those without an answer too, placed within each of `RADII_KM`."""
    errors_m = np.array([np.inf if c.error_m is None else c.error_m for c in checked])
    return {km: float(np.mean(errors_m <= 1000 * km)) for km in RADII_KM}
