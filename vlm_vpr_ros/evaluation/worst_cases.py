"""The queries that went worst, as pictures beside what they were matched with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.evaluation.match_picture import picture_file
from vlm_vpr_ros.evaluation.metrics import Score, is_false
from vlm_vpr_ros.evaluation.outcome_picture import OutcomePainter
from vlm_vpr_ros.evaluation.run import Evaluation, Trial
from vlm_vpr_ros.mapping.observation import Source
from vlm_vpr_ros.types import RgbImage

OF_EACH_KIND = 4
PICTURE_WIDTH_PX = 960
MAX_PICTURE_BYTES = 150_000

_QUALITIES = (75, 60, 45, 30, 15)


@dataclass(frozen=True)
class Case:
    """A query worth looking at.

    Attributes:
        kind: why.
        trial: the query and its outcomes.
        score: of its causal outcome.
        jpeg: the query beside its best match; b"" if the image could not be read again.
    """

    kind: str
    trial: Trial
    score: Score
    jpeg: bytes


def worst_cases(
    evaluation: Evaluation, sources: Sequence[Source], painter: OutcomePainter, false_fix_m: float
) -> list[Case]:
    """Choose the worst and draw them. The sources are read once more, only these are decoded."""
    chosen = choose(evaluation, false_fix_m)
    images = _images(sources, {trial.number for _, trial, _ in chosen})
    return [
        Case(kind, trial, score, _jpeg(images.get(trial.number), trial, painter))
        for kind, trial, score in chosen
    ]


def choose(evaluation: Evaluation, false_fix_m: float) -> list[tuple[str, Trial, Score]]:
    """The worst of each kind, the worst kind first; ties in the order of the queries."""
    tried = list(zip(evaluation.trials, evaluation.causal_scores, strict=True))

    def worst(
        kind: str, of_kind: list[tuple[Trial, Score, float]]
    ) -> list[tuple[str, Trial, Score]]:
        of_kind.sort(key=lambda entry: (-entry[2], entry[0].number))
        return [(kind, trial, score) for trial, score, _ in of_kind[:OF_EACH_KIND]]

    fixed = [(t, s, s.fix.error_m) for t, s in tried if s.fix]
    unanswered = [(t, s, s.best_m) for t, s in tried if not s.fix and s.best_m is not None]
    return [
        *worst("false fix", [(t, s, e) for t, s, e in fixed if is_false(e, false_fix_m)]),
        *worst(
            "answered, least exact",
            [(t, s, e) for t, s, e in fixed if not is_false(e, false_fix_m)],
        ),
        *worst(
            "refused, the place was wrong",
            [(t, s, s.probability) for t, s, e in unanswered if is_false(e, false_fix_m)],
        ),
        *worst(
            "refused, the place was right",
            [(t, s, -s.probability) for t, s, e in unanswered if not is_false(e, false_fix_m)],
        ),
    ]


def _images(sources: Sequence[Source], numbers: set[int]) -> Mapping[int, RgbImage]:
    """The images of observations by their number, counted through all sources."""
    images: dict[int, RgbImage] = {}
    number = 0
    for source in sources:
        for observation in source.observations():
            if number in numbers:
                with suppress(ImageError):  # it has gone since: told without its picture
                    images[number] = observation.load()
            number += 1
    return images


def _jpeg(image: RgbImage | None, trial: Trial, painter: OutcomePainter) -> bytes:
    if image is None:
        return b""
    picture = painter.match(image, trial.causal)
    scale = PICTURE_WIDTH_PX / picture.shape[1]
    size = (PICTURE_WIDTH_PX, max(1, round(picture.shape[0] * scale)))
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return next(
        (j for q in _QUALITIES if len(j := picture_file(small, ".jpg", q)) <= MAX_PICTURE_BYTES),
        b"",
    )
