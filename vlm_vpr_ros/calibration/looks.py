"""What a localizer makes of held-out drives, reduced to what thresholds and ellipses are fitted on.

Every frame is looked at as the first one after start, and as one of a window of several frames from
a fresh start, as `~/relocalize` gathers them; windows follow each other without overlap.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.errors import ImageError, SourceError
from vlm_vpr_ros.estimation.gate import support
from vlm_vpr_ros.estimation.trust import Trusts
from vlm_vpr_ros.evaluation.course import Localizing
from vlm_vpr_ros.evaluation.ellipses import mahalanobis
from vlm_vpr_ros.evaluation.nearest import NearestReference
from vlm_vpr_ros.evaluation.queries import KnownReferences, in_order
from vlm_vpr_ros.evaluation.remembering import remembering_model
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.mapping.batches import FailedImage
from vlm_vpr_ros.mapping.observation import Source, SourceReport
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.types import Frame, GeoPoint, Outcome

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Look:
    """One outcome and the truth.

    What images say may be worth less or more than they claim; a prior is worth what it says. So the
    best hypothesis, and whether it is right, depend on `slope` and `bias`, as in the localizer.

    Attributes:
        frames: how many frames' evidence it rests on.
        images: (h,) log-odds of each hypothesis against "none of them", without a prior.
        prior: (h,) what the prior adds to them.
        right: (h,) whether each is within the false-fix radius of the truth; none is where the
            truth is farther than that from every reference.
        sigmas: (h,) Mahalanobis distance of the truth from each.
        slope: of what the images' log-odds are worth.
        bias: added to them.
    """

    frames: int
    images: Floats
    prior: Floats
    right: Flags
    sigmas: Floats
    slope: float = 1.0
    bias: float = 0.0

    @cached_property
    def order(self) -> npt.NDArray[np.intp]:
        """(h,) the hypotheses, most probable first."""
        return np.argsort(-(self.slope * self.images + self.prior), kind="stable")

    @cached_property
    def support(self) -> float:
        """Of the best hypothesis (see `gate.support`); -inf without any."""
        if not len(self.images):
            return -math.inf
        prior = self.prior[self.order]
        return support(self.slope * self.images[self.order] + self.bias + prior, prior)

    @property
    def false(self) -> bool:
        """Whether the best hypothesis would be a false fix."""
        return not self.right[self.order[:1]].any()

    @property
    def sigmas_off(self) -> float:
        """Mahalanobis distance of the truth from the best hypothesis; NaN without any."""
        return float(self.sigmas[self.order[0]]) if len(self.sigmas) else math.nan

    def unmapped(self) -> Look:
        """As it would have been had the true place not been in the region: any answer is false."""
        left = ~self.right
        return replace(
            self,
            images=self.images[left],
            prior=self.prior[left],
            right=self.right[left],
            sigmas=self.sigmas[left],
        )

    def worth(self, slope: float, bias: float) -> Look:
        """The same where the images' log-odds are worth `slope * z + bias`."""
        return replace(self, slope=slope, bias=bias)


Window = tuple[Look, ...]


@dataclass
class DriveLooks:
    """The looks at one drive, in the order of time.

    Attributes:
        name: of the drive.
        singles: every frame as the first one.
        windows: the frames of each window.
        outside: frames farther than the false-fix radius from every reference.
    """

    name: str
    singles: list[Look] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    outside: int = 0


@dataclass
class Watched:
    """All drives, and what could not be looked at."""

    drives: list[DriveLooks] = field(default_factory=list)
    failures: list[FailedImage] = field(default_factory=list)
    report: SourceReport = field(default_factory=SourceReport)


def watch_openly(
    sources: Sequence[Source],
    region: Region,
    networks: Networks,
    config: LocalizerConfig,
    progress: Callable[[int], None] = lambda _: None,
) -> Watched:
    """Look at every frame with localizers of a region that accept everything.

    Args:
        sources: drives that are not in the region.
        region: where to look.
        networks: those it was built with; best if they remember (`remembering_networks`).
        config: all parameters; a model that it names is asked once for each frame.
        progress: told about every frame.

    Raises:
        SourceError: see `watch`.
    """
    # A robot that accepts everything is never lost: ask about every frame as if it were.
    always = config.prior.model_copy(update={"ask_again_m": 0.0})
    config = config.model_copy(update={"prior": always})
    with closing(remembering_model(config, region.places)) as model:
        gathering, cold = (
            Localizer(region, networks, config, model.keeper(config), Trusts.in_everything())
            for _ in range(2)
        )
        return watch(
            sources,
            region.references,
            gathering,
            cold,
            progress,
            frames=config.evidence.max_frames,
            false_radius_m=config.gate.false_radius_m,
            wait_for_prior_s=config.prior.wait_s,
        )


def watch(
    sources: Sequence[Source],
    references: References,
    gathering: Localizing,
    cold: Localizing,
    progress: Callable[[int], None] = lambda _: None,
    *,
    frames: int,
    false_radius_m: float,
    wait_for_prior_s: float = 0.0,
) -> Watched:
    """Look at every frame that has an image and a position.

    Args:
        sources: drives that are not in the region.
        references: of the region.
        gathering: a localizer that accepts everything, for windows.
        cold: another one, for single frames.
        progress: told about every frame.
        frames: of a window.
        false_radius_m: a fix farther from the truth is false.
        wait_for_prior_s: how long a frame may wait for the answer of a model.

    Raises:
        SourceError: a source cannot be read, a drive is in the region, or there is nothing to use.
    """
    watched = Watched()
    judge = _Judge(references, false_radius_m)
    known = KnownReferences(references)
    window: list[Look] = []
    stamp_ns = 0
    for observation, drive, first_of_drive in in_order(sources):
        progress(1)
        if first_of_drive:
            watched.drives.append(DriveLooks(drive))
            window, stamp_ns = [], 0
        truth = observation.position
        if truth is None:
            watched.report.leave_out("frame without a position", observation.source)
            continue
        if known.contain(observation.source, truth):
            raise SourceError(
                f"{drive}: {observation.source} is a reference of this region. Calibrate on drives "
                "that are not in it: a drive always recognises itself."
            )
        try:
            image = observation.load()
        except ImageError as error:
            watched.failures.append(FailedImage(observation.source, str(error)))
            continue
        # Without a stamp it keeps the last one: a stamp that goes back means a new drive.
        stamp_ns = observation.stamp_ns if observation.stamp_ns is not None else stamp_ns
        frame = Frame(image, stamp_ns, observation.source, observation.odometry)
        if not window:
            gathering.reset()
        look = judge.look(gathering.localize(frame, wait_for_prior_s), truth)
        single = look
        if window:  # else it was the first frame of its window
            cold.reset()
            single = judge.look(cold.localize(frame, wait_for_prior_s), truth)
        looks = watched.drives[-1]
        looks.singles.append(single)
        looks.outside += judge.is_outside(truth)
        window.append(look)
        if len(window) == frames:
            looks.windows.append(tuple(window))
            window = []
    for source in sources:
        watched.report.absorb(source.report)
    watched.drives = [drive for drive in watched.drives if drive.singles]
    if not watched.drives:
        names = ", ".join(source.name for source in sources)
        raise SourceError(f"{names}: no frame with an image and a position")
    return watched


class _Judge:
    """Compares outcomes with the truth."""

    def __init__(self, references: References, false_radius_m: float) -> None:
        self._nearest = NearestReference(references)
        self._false_radius_m = false_radius_m

    def is_outside(self, truth: GeoPoint) -> bool:
        return self._nearest.distance_m(truth) > self._false_radius_m

    def look(self, outcome: Outcome, truth: GeoPoint) -> Look:
        hypotheses = outcome.hypotheses
        off_m = distance_m(
            truth.lat_deg,
            truth.lon_deg,
            np.array([h.position.lat_deg for h in hypotheses]),
            np.array([h.position.lon_deg for h in hypotheses]),
        )
        near = (off_m <= self._false_radius_m) & (not self.is_outside(truth))
        bests = [hypothesis.candidates[0] for hypothesis in hypotheses]
        prior = np.array([best.prior_log_odds for best in bests], np.float64)
        return Look(
            frames=outcome.frames,
            images=np.array([best.log_odds for best in bests], np.float64) - prior,
            prior=prior,
            right=near,
            sigmas=np.array([mahalanobis(hypothesis, truth) for hypothesis in hypotheses]),
        )
