"""When a localization filter must be told that its robot was carried away.

A filter fuses fixes that lie near its own belief. After a kidnapping they do not: it rejects them,
or is dragged through walls towards them. Then it has to be reset, once, and only if the fixes are
right: several in a row must contradict the filter in the same way.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import deque
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

HISTORY_NS = 120 * 10**9
"""How long beliefs are kept: a fix may rest on an image that is older than the slowest model."""

HOLDS_S = 2.0
"""For how long the last belief of an EKF holds: two periods of the slowest filter, 1 Hz. From one
that fell silent earlier the robot has simply driven away: that is no contradiction."""

AGAIN_S = 10.0
"""How long a filter has to take its first pose and tell it, before it is given another one."""

_Matrix = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Position:
    """Where the robot is at a moment, in metres of the map frame; `covariance_m2` is (2, 2)."""

    stamp_ns: int
    x_m: float
    y_m: float
    covariance_m2: _Matrix

    @property
    def xy_m(self) -> _Matrix:
        """(2,) metres."""
        return np.array([self.x_m, self.y_m])


@dataclass(frozen=True)
class Reset:
    """Where to set the filter.

    Attributes:
        position: at the moment of the newest belief.
        offset_m: how far the filter was off; NaN where it had not told its first pose.
        fixes: how many fixes say so.
    """

    position: Position
    offset_m: float
    fixes: int


class PoseReset:
    """Compares fixes with what a filter believes.

    Args:
        gate: Mahalanobis distance up to which two positions agree.
        agreeing: how many fixes in a row must contradict the filter, and agree with each other.
        within_s: seconds within which the images of two successive ones of them were taken: what
            lies further apart agrees too easily, because the motion between is not well known.
        yaw_sigma_rad: standard deviation of the filter's yaw, by which the motion between two
            fixes may be turned; pi where nothing is known of it.
        holds_s: for how long the newest belief holds; infinite for a filter that says nothing while
            its robot stands.
        begins: whether a filter that has told nothing is given its first pose. AMCL waits for it;
            an EKF begins by itself.
    """

    def __init__(
        self,
        *,
        gate: float,
        agreeing: int,
        within_s: float,
        yaw_sigma_rad: float,
        holds_s: float = HOLDS_S,
        begins: bool = False,
    ) -> None:
        self._gate = gate
        self._agreeing = agreeing
        self._within_ns = int(within_s * 1e9)
        # Mean squared end of a unit vector turned by a normal angle, from where it should end.
        self._turned = 2.0 * (1.0 - math.exp(-(yaw_sigma_rad**2) / 2.0))
        self._holds_s = holds_s
        self._begins = begins
        self._beliefs: deque[Position] = deque()
        self._offsets: list[Position] = []
        self._deaf_until_ns = -1
        """Fixes up to then are from before the last reset."""
        self._newest_ns = -1
        """Of the fixes before the first belief."""

    def believe(self, belief: Position) -> None:
        """What the filter says; a stamp that goes backwards (a bag begins anew) forgets all."""
        if not self._beliefs or belief.stamp_ns < self._beliefs[-1].stamp_ns:
            self.forget()
        self._beliefs.append(belief)
        while belief.stamp_ns - self._beliefs[0].stamp_ns > HISTORY_NS:
            self._beliefs.popleft()

    def forget(self) -> None:
        """Begin anew: the filter did."""
        self._beliefs.clear()
        self._offsets.clear()
        self._deaf_until_ns = self._newest_ns = -1

    def fix(self, fix: Position) -> Reset | None:
        """What a fix leads to: a reset of the filter, mostly nothing.

        A fix from before the last reset, from before the oldest belief, or of a time of which the
        filter says nothing any more, leads to nothing.
        """
        if self._begins and not self._beliefs:
            return self._first(fix)
        then = self._belief_at(fix.stamp_ns)
        if then is None or fix.stamp_ns <= self._deaf_until_ns:
            return None
        offset_m = fix.xy_m - then.xy_m
        if self._near(offset_m, fix.covariance_m2 + then.covariance_m2):
            self._offsets.clear()
            return None
        offset = Position(fix.stamp_ns, float(offset_m[0]), float(offset_m[1]), fix.covariance_m2)
        return self._reset(fix, offset_m) if self._enough(offset) else None

    def _first(self, fix: Position) -> Reset | None:
        """The first pose of a filter: fixes must agree with each other, there is nothing else."""
        if fix.stamp_ns < self._newest_ns:
            self.forget()
        self._newest_ns = fix.stamp_ns
        if fix.stamp_ns <= self._deaf_until_ns or not self._enough(fix):
            return None
        reset = Reset(fix, math.nan, len(self._offsets))
        self._offsets.clear()
        self._deaf_until_ns = fix.stamp_ns + int(AGAIN_S * 1e9)
        return reset

    def _enough(self, offset: Position) -> bool:
        """Whether an offset is the last of so many in a row that agree."""
        if self._offsets and offset.stamp_ns <= self._offsets[-1].stamp_ns:
            return False  # the same image again is no further evidence
        if self._offsets and not self._same(self._offsets[-1], offset):
            self._offsets.clear()
        self._offsets.append(offset)
        return len(self._offsets) >= self._agreeing

    def _reset(self, fix: Position, offset_m: _Matrix) -> Reset:
        """The fix, moved on by what the filter saw the robot do since."""
        now = self._beliefs[-1]
        x_m, y_m = now.xy_m + offset_m
        covariance_m2 = fix.covariance_m2 + self._turned_m2(fix.stamp_ns, now.stamp_ns)
        position = Position(now.stamp_ns, float(x_m), float(y_m), covariance_m2)
        reset = Reset(position, math.hypot(*offset_m), len(self._offsets))
        self._offsets.clear()
        self._deaf_until_ns = now.stamp_ns
        return reset

    def _same(self, one: Position, other: Position) -> bool:
        """Whether two fixes displace the filter alike, soon after each other."""
        if other.stamp_ns - one.stamp_ns > self._within_ns:
            return False
        turned_m2 = self._turned_m2(one.stamp_ns, other.stamp_ns)
        spread_m2 = one.covariance_m2 + other.covariance_m2 + turned_m2
        return self._near(other.xy_m - one.xy_m, spread_m2)

    def _near(self, difference_m: _Matrix, covariance_m2: _Matrix) -> bool:
        squared = difference_m @ np.linalg.solve(covariance_m2, difference_m)
        return bool(squared <= self._gate**2)

    def _turned_m2(self, from_ns: int, to_ns: int) -> _Matrix:
        """Covariance of the motion between two moments because of the error of the yaw."""
        start, end = self._belief_at(from_ns), self._belief_at(to_ns)
        if start is None or end is None:
            return np.zeros((2, 2))
        moved_m = end.xy_m - start.xy_m
        return np.eye(2) * self._turned * float(moved_m @ moved_m)

    def _belief_at(self, stamp_ns: int) -> Position | None:
        """The belief at a moment, between two by a straight line; the newest holds for a while."""
        after = bisect_right(self._beliefs, stamp_ns, key=lambda belief: belief.stamp_ns)
        if after == 0:
            return None
        before = self._beliefs[after - 1]
        if after == len(self._beliefs):
            silent_s = (stamp_ns - before.stamp_ns) * 1e-9
            return before if silent_s <= self._holds_s else None
        following = self._beliefs[after]
        share = (stamp_ns - before.stamp_ns) / (following.stamp_ns - before.stamp_ns)
        x_m, y_m = before.xy_m + share * (following.xy_m - before.xy_m)
        return Position(stamp_ns, float(x_m), float(y_m), following.covariance_m2)
