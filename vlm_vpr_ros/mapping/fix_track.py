"""The path of a drive from its satellite fixes, and the position at any moment of it."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from vlm_vpr_ros.geodesy import WGS84
from vlm_vpr_ros.types import GeoPoint

MAX_GAP_S = 5.0
"""Fixes further apart than this are a dropout: nothing is interpolated across it."""
MAX_REACH_S = 0.5
"""At the edge of a dropout, before the first fix and after the last, a position is held so long."""
ACCELERATION_M_S2 = 1.0
"""Typical change of velocity between two fixes: what a straight line at constant speed misses."""
COURSE_SPAN_S = 2.0
MIN_COURSE_MOVE_M = 2.0


@dataclass(frozen=True)
class TimedFix:
    """A position at a moment; `sigma_m` is one horizontal axis' standard deviation, or None."""

    stamp_ns: int
    position: GeoPoint
    sigma_m: float | None = None


class FixTrack:
    """Fixes of one drive, in any order; of fixes with equal stamps the first counts."""

    def __init__(self, fixes: Iterable[TimedFix]) -> None:
        by_stamp: dict[int, TimedFix] = {}
        for fix in fixes:
            by_stamp.setdefault(fix.stamp_ns, fix)
        self._fixes = [by_stamp[stamp_ns] for stamp_ns in sorted(by_stamp)]
        self._stamps = [fix.stamp_ns for fix in self._fixes]

    def __len__(self) -> int:
        return len(self._fixes)

    @property
    def span_ns(self) -> tuple[int, int]:
        """Stamps of the first and the last fix; the track must not be empty."""
        return self._stamps[0], self._stamps[-1]

    def at(self, stamp_ns: int) -> tuple[GeoPoint, float | None] | None:
        """Position and its sigma (m, one axis; None when unknown) at a moment.

        Between two fixes the way is the geodesic at constant speed. Sigma is interpolated linearly
        (errors of neighbouring fixes are alike, so they do not average out) and grows by what an
        unseen acceleration can do, at most 3 m in the middle of the longest gap. In a dropout,
        before the first fix and after the last, the nearest fix is held for `MAX_REACH_S`; sigma
        grows by the way that is made meanwhile at the speed there.

        Returns:
            None where nothing is interpolated, and no fix is held.
        """
        index = bisect_right(self._stamps, stamp_ns)
        before = self._fixes[index - 1] if index > 0 else None
        after = self._fixes[index] if index < len(self._fixes) else None
        if before is not None and before.stamp_ns == stamp_ns:
            return before.position, before.sigma_m
        if (
            before is not None
            and after is not None
            and after.stamp_ns - before.stamp_ns <= MAX_GAP_S * 1e9
        ):
            return _between(before, after, stamp_ns)
        return self._near(stamp_ns, index)

    def course_deg(self, stamp_ns: int) -> float | None:
        """Course over ground, clockwise from true north: where the robot went, not where it looked.

        Returns:
            None when the robot moved too little within a few seconds to tell.
        """
        here = self.at(stamp_ns)
        if here is None:
            return None
        half_ns = int(COURSE_SPAN_S * 1e9)
        first_ns, last_ns = self.span_ns
        before = self.at(max(stamp_ns - half_ns, first_ns)) or here
        after = self.at(min(stamp_ns + half_ns, last_ns)) or here
        (start, start_sigma_m), (end, end_sigma_m) = before, after
        azimuth_deg, distance_m = _inverse(start, end)
        if distance_m < max(MIN_COURSE_MOVE_M, start_sigma_m or 0.0, end_sigma_m or 0.0):
            return None
        return azimuth_deg % 360.0

    def _near(self, stamp_ns: int, index: int) -> tuple[GeoPoint, float | None] | None:
        """The nearer neighbour's position, held for a moment at its edge of a dropout."""
        candidates = [i for i in (index - 1, index) if 0 <= i < len(self._fixes)]
        if not candidates:
            return None
        nearest = min(candidates, key=lambda i: abs(self._stamps[i] - stamp_ns))
        fix = self._fixes[nearest]
        elapsed_s = abs(fix.stamp_ns - stamp_ns) / 1e9
        if elapsed_s > MAX_REACH_S:
            return None
        return fix.position, _grown(fix.sigma_m, self._speed_m_s(nearest) * elapsed_s)

    def _speed_m_s(self, index: int) -> float:
        """The larger of the mean speeds towards the neighbouring fixes; 0 for a lonely fix."""
        fix = self._fixes[index]
        neighbours = [self._fixes[i] for i in (index - 1, index + 1) if 0 <= i < len(self._fixes)]
        return max(
            (
                _inverse(fix.position, other.position)[1]
                / (abs(fix.stamp_ns - other.stamp_ns) / 1e9)
                for other in neighbours
            ),
            default=0.0,
        )


def _between(before: TimedFix, after: TimedFix, stamp_ns: int) -> tuple[GeoPoint, float | None]:
    to_after_s = (after.stamp_ns - stamp_ns) / 1e9
    from_before_s = (stamp_ns - before.stamp_ns) / 1e9
    share = from_before_s / (from_before_s + to_after_s)
    azimuth_deg, distance_m = _inverse(before.position, after.position)
    lon_deg, lat_deg, _ = WGS84.fwd(
        before.position.lon_deg, before.position.lat_deg, azimuth_deg, distance_m * share
    )
    alt_m = _mixed(before.position.alt_m, after.position.alt_m, share)
    missed_m = ACCELERATION_M_S2 / 2 * from_before_s * to_after_s
    sigma_m = _grown(_mixed(before.sigma_m, after.sigma_m, share), missed_m)
    return GeoPoint(float(lat_deg), float(lon_deg), alt_m), sigma_m


def _inverse(start: GeoPoint, end: GeoPoint) -> tuple[float, float]:
    """Azimuth at the start (degrees) and length (m) of the geodesic between two points."""
    azimuth_deg, _, distance_m = WGS84.inv(start.lon_deg, start.lat_deg, end.lon_deg, end.lat_deg)
    return float(azimuth_deg), float(distance_m)


def _mixed(first: float | None, second: float | None, share: float) -> float | None:
    return None if first is None or second is None else first + share * (second - first)


def _grown(sigma_m: float | None, more_m: float) -> float | None:
    return None if sigma_m is None else math.hypot(sigma_m, more_m)
