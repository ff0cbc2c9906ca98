"""Runs a localizer over queries whose positions are known.

Every query is localized twice. *Causal*: frames in order, as a robot sees its drive, forgetting at
the start of each drive. *Cold*: as the first frame after start. What no robot can do, such as using
the mean of the whole drive, is not done.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.errors import ImageError, SourceError
from vlm_vpr_ros.evaluation.metrics import Score
from vlm_vpr_ros.evaluation.nearest import NearestReference
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.mapping.batches import FailedImage
from vlm_vpr_ros.mapping.observation import Observation, Source, SourceReport
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import Descriptor, Frame, GeoPoint, Outcome, RgbImage
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor, LocalFeatures


class _RememberingEncoder(Encoder):
    """Encodes an image once, though two localizers ask for its descriptor in turn."""

    _last: tuple[RgbImage, Descriptor] | None = None

    def encode(self, image: RgbImage) -> Descriptor:
        """Descriptor of one image, (dim,), unit length."""
        if self._last is None or self._last[0] is not image:
            self._last = (image, super().encode(image))
        return self._last[1]


class _RememberingExtractor(LocalFeatureExtractor):
    """The same for local features."""

    _last: tuple[RgbImage, LocalFeatures] | None = None

    def extract(self, image: RgbImage) -> LocalFeatures:
        """Local features of an image."""
        if self._last is None or self._last[0] is not image:
            self._last = (image, super().extract(image))
        return self._last[1]


def remembering_networks(config: LocalizerConfig, features: bool) -> Networks:
    """Networks for two localizers that look at each image in turn (see `Networks.load`)."""
    extractor = None
    if features and config.verification.candidates:
        extractor = _RememberingExtractor.load(config.verification, config.encoder)
    return Networks(_RememberingEncoder.load(config.encoder), extractor)


class Localizing(Protocol):
    """What is evaluated: a `Localizer`."""

    def localize(self, frame: Frame) -> Outcome:
        """Localize one frame."""

    def reset(self) -> None:
        """Forget earlier frames."""


@dataclass(frozen=True)
class Trial:
    """One query and what was made of it.

    Attributes:
        source: names the image.
        drive: the traversal it belongs to.
        truth: where it was taken.
        nearest_reference_m: from the truth.
        causal: the outcome in the course of its drive.
        cold: the outcome as the first frame after start.
    """

    source: str
    drive: str
    truth: GeoPoint
    nearest_reference_m: float
    causal: Outcome
    cold: Outcome

    def score(self, outcome: Outcome) -> Score:
        """The distances of one of its outcomes from the truth."""
        return Score(
            nearest_reference_m=self.nearest_reference_m,
            candidates_m=distance_m(
                self.truth.lat_deg,
                self.truth.lon_deg,
                np.array([c.position.lat_deg for c in outcome.candidates]),
                np.array([c.position.lon_deg for c in outcome.candidates]),
            ),
            error_m=_distance_m(self.truth, outcome.fix.position) if outcome.fix else None,
        )


@dataclass
class Evaluation:
    """All trials, and what could not be tried.

    Attributes:
        trials: in the order of the queries.
        failures: images that could not be read.
        report: what was left out, and what the readers have to say.
        own_references: queries that are references of the region: a memory test, no evaluation.
    """

    trials: list[Trial] = field(default_factory=list)
    failures: list[FailedImage] = field(default_factory=list)
    report: SourceReport = field(default_factory=SourceReport)
    own_references: int = 0

    @property
    def causal_scores(self) -> list[Score]:
        """The score of every trial in the course of its drive."""
        return [trial.score(trial.causal) for trial in self.trials]

    @property
    def cold_scores(self) -> list[Score]:
        """The score of every trial as the first frame after start."""
        return [trial.score(trial.cold) for trial in self.trials]


def evaluate(
    sources: Sequence[Source],
    references: References,
    causal: Localizing,
    cold: Localizing,
    progress: Callable[[int], None] = lambda _: None,
) -> Evaluation:
    """Localize every query that has a position.

    Args:
        sources: the queries.
        references: of the region.
        causal: a localizer that has seen nothing.
        cold: another one.
        progress: told about every query.

    Raises:
        SourceError: a source cannot be read, or no query has both an image and a position.
    """
    evaluation = Evaluation()
    nearest = NearestReference(references)
    known = {
        _identity(source, lat, lon)
        for source, lat, lon in zip(
            references.source, references.lat_deg, references.lon_deg, strict=True
        )
    }
    stamp_ns = 0
    for observation, first_of_drive in _in_order(sources):
        progress(1)
        if first_of_drive:
            causal.reset()
            stamp_ns = 0
        truth = observation.position
        if truth is None:
            evaluation.report.leave_out("query without a position", observation.source)
            continue
        try:
            image = observation.load()
        except ImageError as error:
            evaluation.failures.append(FailedImage(observation.source, str(error)))
            continue
        # A frame without a stamp keeps the last one: a stamp that goes back means a new drive.
        stamp_ns = stamp_ns if observation.stamp_ns is None else observation.stamp_ns
        frame = Frame(image, stamp_ns, observation.source)
        # Causal first: its latency includes the encoding that cold then finds done.
        causal_outcome = causal.localize(frame)
        cold.reset()
        evaluation.trials.append(
            Trial(
                source=observation.source,
                drive=observation.drive,
                truth=truth,
                nearest_reference_m=nearest.distance_m(truth),
                causal=causal_outcome,
                cold=cold.localize(frame),
            )
        )
        evaluation.own_references += (
            _identity(observation.source, truth.lat_deg, truth.lon_deg) in known
        )
    for source in sources:
        evaluation.report.absorb(source.report)
    if not evaluation.trials:
        raise SourceError(_nothing_to_evaluate(sources, evaluation))
    return evaluation


def _in_order(sources: Sequence[Source]) -> Iterator[tuple[Observation, bool]]:
    """Yield the observations, and whether each begins a drive."""
    for source in sources:
        drive = None
        for observation in source.observations():
            yield observation, observation.drive != drive
            drive = observation.drive


def _identity(source: str, lat_deg: float, lon_deg: float) -> tuple[str, float, float]:
    return source, round(float(lat_deg), 7), round(float(lon_deg), 7)


def _distance_m(a: GeoPoint, b: GeoPoint) -> float:
    return float(distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg))


def _nothing_to_evaluate(sources: Sequence[Source], evaluation: Evaluation) -> str:
    names = ", ".join(source.name for source in sources)
    report = evaluation.report
    reasons = [f"{count} x {reason}" for reason, count in report.left_out.most_common()]
    reasons += [*report.remarks, *(f.error for f in evaluation.failures[:3])]
    return f"{names}: no query with an image and a position. " + "; ".join(reasons)
