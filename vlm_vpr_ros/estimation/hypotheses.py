"""Candidates that lie close together speak for one place: a hypothesis.

Errors of place recognition are bimodal: near or kilometres off. So candidates are grouped by place
first, a group is worth its best member, and no average is ever taken across groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.geodesy import displaced, earth_centred_m, tangent_east_north_m
from vlm_vpr_ros.types import Candidate, GeoPoint

SAME_SPOT_M = 0.5
"""References nearer to each other than this are of one spot (a robot that stood still)."""


@dataclass(frozen=True)
class Place:
    """A group of candidates.

    Attributes:
        candidates: best first.
        position: their mean, weighted by their odds; `alt_m` only if the best one's is known.
        spread_enu_m2: (2, 2) their weighted covariance about `position`, east-north, square metres.
        spacing_m: from the best candidate to the nearest other one at another spot; 0 if there is
            none.
    """

    candidates: tuple[Candidate, ...]
    position: GeoPoint
    spread_enu_m2: npt.NDArray[np.float64]
    spacing_m: float

    @property
    def best(self) -> Candidate:
        """Speaks for the place: more references of it do not make it more likely."""
        return self.candidates[0]


def group_by_place(candidates: Sequence[Candidate], radius_m: float) -> list[Place]:
    """Group candidates around the best ones.

    The best candidate not yet in a group founds one and takes all others within `radius_m`. The
    result does not depend on the order of the candidates.
    """
    by_odds = sorted(candidates, key=_rank)
    points_m = earth_centred_m(
        [c.position.lat_deg for c in by_odds], [c.position.lon_deg for c in by_odds]
    )
    left = np.arange(len(by_odds))
    places = []
    while len(left):
        near = np.linalg.norm(points_m[left] - points_m[left[0]], axis=1) <= radius_m
        places.append(_place(tuple(by_odds[i] for i in left[near]), points_m[left[near]]))
        left = left[~near]
    return places


def ranked(places: Sequence[Place]) -> tuple[Candidate, ...]:
    """The candidates of all places, best first."""
    return tuple(sorted((c for place in places for c in place.candidates), key=_rank))


def _rank(candidate: Candidate) -> tuple[float, int]:
    return -candidate.log_odds, candidate.reference


def _place(members: tuple[Candidate, ...], points_m: npt.NDArray[np.float64]) -> Place:
    best = members[0].position
    if len(members) == 1:
        return Place(members, best, np.zeros((2, 2)), 0.0)
    offsets = tangent_east_north_m(best.lat_deg, best.lon_deg, points_m - points_m[0])
    weights = np.exp(np.array([c.log_odds for c in members]) - members[0].log_odds)
    weights /= weights.sum()
    mean = weights @ offsets
    from_best_m = np.linalg.norm(offsets, axis=1)
    elsewhere_m = from_best_m[from_best_m > SAME_SPOT_M]
    deviations = np.sqrt(weights)[:, None] * (offsets - mean)
    lat_deg, lon_deg = displaced(best.lat_deg, best.lon_deg, *mean)
    return Place(
        candidates=members,
        position=GeoPoint(lat_deg, lon_deg, best.alt_m),
        spread_enu_m2=deviations.T @ deviations,
        spacing_m=float(elsewhere_m.min()) if len(elsewhere_m) else 0.0,
    )
