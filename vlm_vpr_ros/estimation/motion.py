"""How a robot may have moved from one frame to another."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.types import Odometry

Floats = npt.NDArray[np.float64]

MATCH_SIGMA_M = 5.0
"""How far along the road the matched reference lies from the robot, one sigma."""
DRIFT = 0.1
"""Error of odometry as a share of the distance: wheels slip, scales of visual odometry drift."""
FORWARD = 0.85
"""Probability that the robot moves along the mapping drive, not against it: it sees what the
mapping robot saw, so it looks the same way, and robots mostly drive the way they look."""
OCTAVES = 3
"""Without odometry: the bound of the speed and the octaves below it that are weighed. None of them
begins at a standstill: the frames that are combined show different views."""


@dataclass(frozen=True)
class Moment:
    """When a frame was taken, and where the robot's odometry was then."""

    stamp_ns: int
    odometry: Odometry | None = None


@dataclass(frozen=True)
class Pace:
    """One assumption on how a robot moves; it holds for all frames of a window.

    Attributes:
        slowest: share of the bound of the speed; unused where odometry tells the distance.
        fastest: likewise.
        sense: 1 along the mapping drive, -1 against it.
        log_prior: logarithm of its probability.
    """

    slowest: float
    fastest: float
    sense: int
    log_prior: float

    def range_m(
        self, earlier: Moment, later: Moment, max_speed_mps: float
    ) -> tuple[float, float, float]:
        """Least and greatest distance between two moments, and the error of both, one sigma.

        Frames of one stamp say nothing about the time between them: it is taken to be a second.
        """
        a, b = earlier.odometry, later.odometry
        if a and b:
            moved_m = math.hypot(b.x_m - a.x_m, b.y_m - a.y_m)
            return moved_m, moved_m, math.hypot(MATCH_SIGMA_M, DRIFT * moved_m)
        seconds = (later.stamp_ns - earlier.stamp_ns) / 1e9 or 1.0
        reach_m = max_speed_mps * seconds
        return self.slowest * reach_m, self.fastest * reach_m, MATCH_SIGMA_M


def log_density(
    paces: Sequence[Pace],
    moments: tuple[Moment, Moment],
    apart_m: Floats,
    order: npt.NDArray[np.int64],
    max_speed_mps: float,
) -> Floats:
    """How likely the robot came from one reference to another, per metre of road.

    Args:
        paces: p assumptions.
        moments: of the frame that saw the one, and of that which saw the other.
        apart_m: (k, n) distance of the two references.
        order: (k, n) 1 where the mapping drive came from the one to the other, -1 where it came
            the other way, 0 where they are of different drives and either may be.
        max_speed_mps: bound of the speed.

    Returns:
        (p, k, n) logarithms, under each assumption.
    """
    ranges_m = np.array([pace.range_m(*moments, max_speed_mps) for pace in paces])
    least_m, most_m, sigma_m = ranges_m.T[:, :, None, None]
    ahead_m = np.where(order == 0, apart_m, order * apart_m)
    behind_m = np.where(order == 0, apart_m, -order * apart_m)
    along_m = np.stack([ahead_m if pace.sense > 0 else behind_m for pace in paces])
    off_m = np.maximum(np.maximum(along_m - most_m, least_m - along_m), 0.0)
    width_m = most_m - least_m + math.sqrt(2 * math.pi) * sigma_m
    return np.asarray(-0.5 * np.square(off_m / sigma_m) - np.log(width_m))


def paces(moments: Sequence[Moment]) -> tuple[Pace, ...]:
    """The assumptions to weigh: both senses and, unless all frames have odometry, several speeds.

    A robot keeps its speed over a few frames, and nobody knows which: any octave below the bound is
    as likely as another.
    """
    senses = ((1, FORWARD), (-1, 1 - FORWARD))
    if all(moment.odometry for moment in moments):
        return tuple(Pace(0.0, 0.0, sense, math.log(share)) for sense, share in senses)
    return tuple(
        Pace(0.5 * fastest, fastest, sense, math.log(share / OCTAVES))
        for fastest in (2.0**-octave for octave in range(OCTAVES))
        for sense, share in senses
    )
