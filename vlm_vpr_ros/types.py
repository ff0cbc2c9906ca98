"""The data that flows through the package: no behaviour, no ROS.

Positions are WGS 84 degrees; covariances are in a local east-north-up (ENU) frame, square metres;
headings are degrees clockwise from true north; stamps are nanoseconds of the sensor's clock.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from vlm_vpr_ros.prior.geo_prior import GeoPrior

RgbImage = npt.NDArray[np.uint8]
"""(height, width, 3) uint8, channels in the order red, green, blue."""

Descriptor = npt.NDArray[np.float32]
"""(dim,) float32, unit length."""


@dataclass(frozen=True)
class GeoPoint:
    """A point on the WGS 84 ellipsoid; `alt_m` is its ellipsoidal height, None when unknown."""

    lat_deg: float
    lon_deg: float
    alt_m: float | None = None


class AltitudeDatum(str, enum.Enum):
    """What a height is measured from; the two differ by up to about 100 m."""

    ELLIPSOID = "ellipsoid"
    MEAN_SEA_LEVEL = "msl"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Odometry:
    """Where the robot is in its odometry frame: smooth, drifting, of unknown yaw to north.

    Only the distance and the turn between two of them mean anything.
    """

    x_m: float
    y_m: float
    yaw_rad: float


@dataclass(frozen=True)
class Frame:
    """One camera image and the moment it was taken."""

    image: RgbImage
    stamp_ns: int
    source: str = ""
    """Where the image came from, for people: a topic or a path."""
    odometry: Odometry | None = None
    """Of the same moment; None when the robot has none."""
    camera: str = ""
    """Name of the camera's coordinate frame; empty where that is not known."""


class Reason(str, enum.Enum):
    """Why a call ended the way it did; the value is what users read in JSON and diagnostics."""

    ACCEPTED = "accepted"
    # Refused by the localizer.
    WEAK_EVIDENCE = "weak_evidence"
    AMBIGUOUS = "ambiguous"
    DARK_IMAGE = "dark_image"
    FEATURELESS_IMAGE = "featureless_image"
    BLURRED_IMAGE = "blurred_image"
    FROZEN_IMAGE = "frozen_image"
    # Refused before the localizer saw an image.
    NO_IMAGE = "no_image"
    STALE_IMAGE = "stale_image"
    CORRUPT_IMAGE = "corrupt_image"
    UNSUPPORTED_ENCODING = "unsupported_encoding"
    # The node cannot answer now.
    BUSY = "busy"
    REGION_UNAVAILABLE = "region_unavailable"
    INACTIVE = "inactive"
    INTERNAL_ERROR = "internal_error"


@dataclass(frozen=True)
class Candidate:
    """A reference that resembles the query."""

    reference: int
    """Row of the reference in the region."""
    position: GeoPoint
    similarity: float
    """Cosine of the centred descriptors, in [-1, 1]."""
    inliers: int | None = None
    """Matched local features that agree with one epipolar geometry; None: not checked."""
    log_odds: float = 0.0
    """All that speaks for this reference, in nats; candidates are ranked by it."""
    prior_log_odds: float = 0.0
    """What the geographic prior adds to it, in nats; part of `log_odds`."""


@dataclass(frozen=True)
class Hypothesis:
    """A place where the robot may be: candidates that lie close together.

    Attributes:
        position: where the evidence of its candidates centres.
        similarity: of its best candidate.
        inliers: of its best candidate; None when not checked.
        probability: that the robot is there; with `Outcome.probability_none` all sum to one.
        covariance_enu_m2: (2, 2) float64, east-north, given that the robot is there.
        candidates: best first.
    """

    position: GeoPoint
    similarity: float
    inliers: int | None
    probability: float
    covariance_enu_m2: npt.NDArray[np.float64]
    candidates: tuple[Candidate, ...]

    @property
    def sigma_m(self) -> float:
        """Horizontal standard deviation, one axis."""
        return float(np.sqrt(np.trace(self.covariance_enu_m2) / 2))


GAUSSIAN_RADII: Mapping[int, float] = MappingProxyType({50: 1.1774, 90: 2.1460, 95: 2.4477})
"""Per cent of a two-dimensional Gaussian -> Mahalanobis distance within which that much lies."""


@dataclass(frozen=True)
class Fix:
    """An accepted position.

    Attributes:
        position: `alt_m` is None when the height is not known.
        covariance_enu_m2: (3, 3) float64, symmetric positive definite.
        calibrated: whether the covariance was fitted on held-out drives of this region.
        ellipse_radii: per cent -> horizontal Mahalanobis distance, under this covariance, within
            which that share of the errors lies: errors have heavier tails than a Gaussian.
    """

    position: GeoPoint
    covariance_enu_m2: npt.NDArray[np.float64]
    calibrated: bool = False
    ellipse_radii: Mapping[int, float] = field(default_factory=lambda: GAUSSIAN_RADII)


class PriorStatus(str, enum.Enum):
    """What became of the geographic prior of a frame."""

    OFF = "off"
    """None is configured."""
    USED = "used"
    WAITING = "waiting"
    """The model was asked, its answer had not arrived."""
    FAILED = "failed"
    """The model gave no answer: `PriorReport.detail` says why."""


@dataclass(frozen=True)
class PriorReport:
    """The geographic prior that a frame was localized with.

    Attributes:
        status: whether there was one.
        prior: the prior, present exactly when `USED`.
        detail: one sentence for people: where it comes from, its age, or why there is none.
    """

    status: PriorStatus = PriorStatus.OFF
    prior: GeoPrior | None = None
    detail: str = ""


@dataclass(frozen=True)
class Outcome:
    """What `Localizer.localize` found, accepted or not.

    Attributes:
        stamp_ns: the frame's stamp.
        reason: `Reason.ACCEPTED`, or why the frame was refused.
        detail: one sentence for people that explains the reason with its numbers.
        fix: present exactly when accepted.
        candidates: the ranked references, best first.
        hypotheses: every place considered, most probable first; each groups candidates.
        probability: that the best hypothesis is right; 0 when there is none.
        probability_none: that none of the hypotheses is right.
        latency_ms: time spent in each stage.
        prior: the geographic prior it was localized with.
        stages: the ranked candidates after each stage that ran, in the order of the stages
            ("retrieval", "verification", "evidence", "prior"); the last equals `candidates`.
        frames: how many frames' evidence the answer rests on.
    """

    stamp_ns: int
    reason: Reason
    detail: str
    fix: Fix | None = None
    candidates: tuple[Candidate, ...] = ()
    hypotheses: tuple[Hypothesis, ...] = ()
    probability: float = 0.0
    probability_none: float = 1.0
    prior: PriorReport = PriorReport()
    stages: Mapping[str, tuple[Candidate, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    frames: int = 1
    latency_ms: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def accepted(self) -> bool:
        """Whether there is a fix to act on."""
        return self.fix is not None
