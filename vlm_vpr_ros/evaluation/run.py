"""Runs a localizer over queries whose positions are known.

Every query is localized twice. *Causal*: frames in order, as a robot sees its drive, forgetting at
the start of each drive, or, in windows of N frames, before each window, whose last frame is scored.
*Cold*: as the first frame after start. A window of one frame is both, and localized once. What no
robot can do, such as using the mean of the whole drive, is not done.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from vlm_vpr_ros.errors import ImageError, SourceError
from vlm_vpr_ros.evaluation.course import Course, Localizing
from vlm_vpr_ros.evaluation.ellipses import mahalanobis
from vlm_vpr_ros.evaluation.metrics import FixScore, Floats, Score
from vlm_vpr_ros.evaluation.nearest import NearestReference
from vlm_vpr_ros.evaluation.queries import KnownReferences, in_order
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.mapping.batches import FailedImage
from vlm_vpr_ros.mapping.observation import Source, SourceReport
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.types import Candidate, Frame, GeoPoint, Outcome


@dataclass(frozen=True)
class Stop:
    """Where a window may end early: with its first accepted outcome, as `~/relocalize` does.

    Attributes:
        truth: where that frame was taken.
        nearest_reference_m: from there.
        outcome: the first accepted one, else the last one of the window.
    """

    truth: GeoPoint
    nearest_reference_m: float
    outcome: Outcome

    @property
    def score(self) -> Score:
        """The distances of the outcome from the truth."""
        return _score(self.truth, self.nearest_reference_m, self.outcome)


@dataclass(frozen=True)
class Trial:
    """One query and what was made of it.

    Attributes:
        number: of the observation, counted through all sources.
        source: names the image.
        drive: the traversal it belongs to; drives of one name in two sources are numbered.
        truth: where it was taken.
        nearest_reference_m: from the truth.
        causal: the outcome in the course of its drive or window.
        cold: the outcome as the first frame after start.
        stop: where its window may end early; None without windows.
    """

    number: int
    source: str
    drive: str
    truth: GeoPoint
    nearest_reference_m: float
    causal: Outcome
    cold: Outcome
    stop: Stop | None = None

    def score(self, outcome: Outcome) -> Score:
        """The distances of one of its outcomes from the truth."""
        return _score(self.truth, self.nearest_reference_m, outcome)


@dataclass
class Evaluation:
    """All trials, and what could not be tried.

    Attributes:
        trials: in the order of the queries.
        failures: images that could not be read.
        report: what was left out, and what the readers have to say.
        own_references: queries that are references of the region: a memory test, no evaluation.
        frames: of each window; None: causal outcomes rest on the whole drive up to the query.
    """

    trials: list[Trial] = field(default_factory=list)
    failures: list[FailedImage] = field(default_factory=list)
    report: SourceReport = field(default_factory=SourceReport)
    own_references: int = 0
    frames: int | None = None

    @property
    def causal_scores(self) -> list[Score]:
        """The score of every trial in the course of its drive."""
        return [trial.score(trial.causal) for trial in self.trials]

    @property
    def cold_scores(self) -> list[Score]:
        """The score of every trial as the first frame after start."""
        return [trial.score(trial.cold) for trial in self.trials]

    @property
    def stops(self) -> list[Stop]:
        """Of every window, in the order of the trials; none without windows."""
        return [trial.stop for trial in self.trials if trial.stop]


def evaluate(
    sources: Sequence[Source],
    references: References,
    causal: Localizing,
    cold: Localizing,
    progress: Callable[[int], None] = lambda _: None,
    *,
    frames: int | None = None,
    wait_for_prior_s: float = 0.0,
) -> Evaluation:
    """Localize every query that has an image and a position.

    Args:
        sources: the queries.
        references: of the region.
        causal: a localizer that has seen nothing.
        cold: another one; not asked in windows of one frame.
        progress: told about every query.
        frames: of a window; None: a drive is one long window.
        wait_for_prior_s: how long a frame may wait for the answer of a model.

    Raises:
        SourceError: a source cannot be read, or no query has both an image and a position.
    """
    evaluation = Evaluation(frames=frames)
    nearest = NearestReference(references)
    known = KnownReferences(references)
    course = Course(causal, frames, wait_for_prior_s)
    window: deque[tuple[GeoPoint, float]] = deque(maxlen=frames or 1)

    def cold_start(frame: Frame) -> Outcome:
        cold.reset()
        return cold.localize(frame, wait_for_prior_s)

    for number, (observation, drive, first_of_drive) in enumerate(in_order(sources)):
        progress(1)
        if first_of_drive:
            course.begin_drive()
            window.clear()
        truth = observation.position
        if truth is None:
            evaluation.report.leave_out("query without a position", observation.source)
            continue
        try:
            image = observation.load()
        except ImageError as error:
            evaluation.failures.append(FailedImage(observation.source, str(error)))
            continue
        frame = course.frame(image, observation)
        # Causal first: its latency includes the encoding that cold then finds done.
        outcomes = course.outcomes(frame)
        window.append((truth, nearest.distance_m(truth)))
        if not outcomes:
            evaluation.report.leave_out("query before the first whole window", observation.source)
            continue
        evaluation.trials.append(
            Trial(
                number=number,
                source=observation.source,
                drive=drive,
                truth=truth,
                nearest_reference_m=window[-1][1],
                causal=outcomes[-1],
                cold=outcomes[-1] if frames == 1 else cold_start(frame),
                stop=_stop(list(window), outcomes) if frames else None,
            )
        )
        evaluation.own_references += known.contain(observation.source, truth)
    for source in sources:
        evaluation.report.absorb(source.report)
    if not evaluation.trials:
        raise SourceError(_nothing_to_evaluate(sources, evaluation))
    return evaluation


def _stop(places: Sequence[tuple[GeoPoint, float]], outcomes: Sequence[Outcome]) -> Stop:
    at = next((i for i, o in enumerate(outcomes) if o.accepted), len(outcomes) - 1)
    return Stop(*places[at], outcomes[at])


def _score(truth: GeoPoint, nearest_reference_m: float, outcome: Outcome) -> Score:
    fix, hypotheses = outcome.fix, outcome.hypotheses
    return Score(
        nearest_reference_m=nearest_reference_m,
        candidates_m=_distances_m(truth, outcome.candidates),
        fix=FixScore(_distance_m(truth, fix.position), mahalanobis(fix, truth), fix.ellipse_radii)
        if fix
        else None,
        best_m=_distance_m(truth, hypotheses[0].position) if hypotheses else None,
        probability=outcome.probability,
        stages_m={name: _distances_m(truth, c) for name, c in outcome.stages.items()},
    )


def _distance_m(a: GeoPoint, b: GeoPoint) -> float:
    return float(distance_m(a.lat_deg, a.lon_deg, b.lat_deg, b.lon_deg))


def _distances_m(truth: GeoPoint, candidates: Sequence[Candidate]) -> Floats:
    return distance_m(
        truth.lat_deg,
        truth.lon_deg,
        np.array([c.position.lat_deg for c in candidates]),
        np.array([c.position.lon_deg for c in candidates]),
    )


def _nothing_to_evaluate(sources: Sequence[Source], evaluation: Evaluation) -> str:
    names = ", ".join(source.name for source in sources)
    report = evaluation.report
    reasons = [f"{count} x {reason}" for reason, count in report.left_out.most_common()]
    reasons += [*report.remarks, *(f.error for f in evaluation.failures[:3])]
    return f"{names}: no query that can be evaluated. " + "; ".join(reasons)
