"""Evidence of several frames: a Bayes filter over the references that the frames resemble.

The states are the candidates of each frame, and "none of them", whose odds are the unit. With the
log-odds z of a single frame, the odds of candidate i of frame t are the sum of two ways to be
there. The robot came from a candidate j of an earlier frame, as the motion model allows:

    odds of j * P(j to i) * (unseen + L_i)

or no frame before speaks of the place, and this one counts as if it were the first: it was there in
all of them and none showed it, or it was carried there.

    exp(z_i) * (unseen^t + JUMP * (1 + odds of all places))

The latter term is added to the odds of "none of them", too: who is carried off may be anywhere.

A frame between that shows nothing of a place multiplies its odds by `unseen`. L is the larger of

    exp(tempering * (z_i + gain))                                      is the robot on the map?
    exp(tempering * z_i + dim) * (n - 1) / sum over its n places       and if so, where?

`gain` turns the odds of a single frame, which hold the chance of one place among all, into a
likelihood: for a place that earlier frames singled out, that chance was paid already. A dim frame,
whose best candidate is weak, as by night, says little of whether the robot is on the map, but still
which places it resembles more. Successive frames are alike and so are their errors: what each adds
is tempered.

How the robot moves is unknown but constant over the frames: the filter runs once for each pace, and
the odds are summed. References that lie together share what leads to them: two of one spot are not
twice as likely.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.estimation.hypotheses import group_by_place
from vlm_vpr_ros.estimation.motion import Moment, Pace, log_density, paces
from vlm_vpr_ros.estimation.sighting import Sighting
from vlm_vpr_ros.geodesy import earth_centred_m
from vlm_vpr_ros.types import Candidate

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FilterWeights:
    """Constants of the filter, in nats except the first.

    Attributes:
        tempering: share of a frame's evidence that is new after an earlier one.
        gain: logarithm of the number of places that a single frame's odds allow for.
        dim: added where a frame only tells places apart.
        log_unseen: logarithm of the share of frames that show nothing of the place they are at.
    """

    tempering: float
    gain: float
    dim: float
    log_unseen: float


FILTER = FilterWeights(tempering=0.2, gain=3.7, dim=0.4, log_unseen=-3.0)
"""Tempering by the log score of windows of the two day drives of Gardens Point. `gain` is the
logarithm of its 40 places. `dim` is so high that no window of a place that is not in the region
comes near a target of 5 %, on these day drives: the best one reaches a probability of 0.1."""

LOG_JUMP = math.log(1e-3)
"""Of the probability that the robot was carried elsewhere between two frames."""
LOOK_BACK = 3
"""Frames back from which a motion is traced: those in between may have shown nothing."""
SPOT_M = 7.5
"""References nearer than this, either way, stand for one stretch of road together."""


def filtered(
    sightings: Sequence[Sighting],
    max_speed_mps: float,
    place_radius_m: float,
    weights: FilterWeights = FILTER,
) -> tuple[Candidate, ...]:
    """The candidates of the last frame with the log-odds of all frames, best first.

    Of one frame they are the frame's own.

    Args:
        sightings: oldest first, at least one.
        max_speed_mps: bound of the robot's speed, where there is no odometry.
        place_radius_m: references nearer than this are of one place.
        weights: the constants.
    """
    last = sightings[-1].candidates
    if len(sightings) == 1 or not last:
        return last
    frames = [_Frame.of(s, place_radius_m) for s in sightings if s.candidates]
    assumed = paces([frame.moment for frame in frames])
    now = len(frames) - 1
    motions = {
        (s, t): _motion(assumed, frames[s], frames[t], max_speed_mps)
        for t in range(len(frames))
        for s in range(0 if t == now else max(0, t - LOOK_BACK), t)
    }
    runs = []
    for number, pace in enumerate(assumed):
        under = {pair: probability[number] for pair, probability in motions.items()}
        here, elsewhere = _run(frames, under, weights)
        runs.append((pace.log_prior + here, pace.log_prior + elsewhere))
    here = np.logaddexp.reduce([odds for odds, _ in runs])
    # "None of them" includes a place that only earlier frames showed.
    here -= np.logaddexp(0.0, np.logaddexp.reduce([odds for _, odds in runs]))
    return _ranked(last, here, place_radius_m)


def _ranked(
    candidates: Sequence[Candidate], log_odds: Floats, place_radius_m: float
) -> tuple[Candidate, ...]:
    """The candidates with these log-odds; the best of each place is lifted to those of the place.

    A place is judged by its best candidate, here as after a single frame.
    """
    scored = [replace(c, log_odds=float(v)) for c, v in zip(candidates, log_odds, strict=True)]
    lifted = []
    for place in group_by_place(scored, place_radius_m):
        odds = [c.log_odds for c in place.candidates]
        more = float(np.logaddexp.reduce(odds)) - odds[0]
        lifted += [replace(c, log_odds=c.log_odds + more) for c in place.candidates]
    return tuple(sorted(lifted, key=lambda c: (-c.log_odds, c.reference)))


@dataclass(frozen=True)
class _Frame:
    """A sighting as arrays over its k candidates.

    Attributes:
        moment: of the sighting.
        z: (k,) log-odds of the frame alone.
        points_m: (k, 3) earth-centred.
        rows: (k,) of the references.
        drives: (k,) of the references.
        log_road_m: (k,) logarithm of the metres of road that each stands for.
        place: (k,) number of the place that each belongs to.
    """

    moment: Moment
    z: Floats
    points_m: Floats
    rows: npt.NDArray[np.int64]
    drives: npt.NDArray[np.str_]
    log_road_m: Floats
    place: npt.NDArray[np.int64]

    @staticmethod
    @functools.lru_cache(maxsize=64)
    def of(sighting: Sighting, place_radius_m: float) -> _Frame:
        """Remembered: a frame is looked at again with each of the next ones."""
        candidates = sighting.candidates
        points_m = earth_centred_m(
            [c.position.lat_deg for c in candidates], [c.position.lon_deg for c in candidates]
        )
        apart_m = np.linalg.norm(points_m[:, None] - points_m, axis=2)
        place_of = {
            member.reference: number
            for number, place in enumerate(group_by_place(candidates, place_radius_m))
            for member in place.candidates
        }
        return _Frame(
            moment=sighting.moment,
            z=np.array([c.log_odds for c in candidates]),
            points_m=points_m,
            rows=np.array([c.reference for c in candidates], np.int64),
            drives=np.array(sighting.drives),
            log_road_m=np.log(2 * SPOT_M / np.sum(apart_m <= SPOT_M, axis=1)),
            place=np.array([place_of[c.reference] for c in candidates], np.int64),
        )

    def first(self, tempering: float) -> Floats:
        """(k,) log-odds with no frame before: those of the place, shared among its candidates."""
        best = _in_each(self.place, self.z, np.maximum)
        share = tempering * (self.z - best) + self.log_road_m
        return np.asarray(best + share - _in_each(self.place, share, np.logaddexp))

    def shown(self, weights: FilterWeights) -> Floats:
        """(k,) what this frame adds for each candidate, in nats."""
        alone = weights.tempering * (self.z + weights.gain)
        among = weights.tempering * self.z
        bests = np.full(self.place.max() + 1, -np.inf)
        np.maximum.at(bests, self.place, among)
        if len(bests) > 1:
            among -= np.logaddexp.reduce(bests) - math.log(len(bests) - 1) - weights.dim
            alone = np.maximum(alone, among)
        return np.asarray(np.logaddexp(weights.log_unseen, alone))


def _motion(
    assumed: Sequence[Pace], earlier: _Frame, later: _Frame, max_speed_mps: float
) -> Floats:
    """(p, k, n) probability of a motion from each of k candidates to each of n, at each pace."""
    apart_m = np.linalg.norm(earlier.points_m[:, None] - later.points_m, axis=2)
    order = np.sign(later.rows - earlier.rows[:, None])
    order = np.where(earlier.drives[:, None] == later.drives, order, 0)
    moments = (earlier.moment, later.moment)
    density = log_density(assumed, moments, apart_m, order, max_speed_mps)
    reach = np.exp(density + later.log_road_m)
    # Sparse references do not stand for all the road around them: never more than certainty.
    return np.asarray(reach / np.maximum(reach.sum(axis=2, keepdims=True), 1.0))


def _run(
    frames: Sequence[_Frame],
    motions: dict[tuple[int, int], Floats],
    weights: FilterWeights,
) -> tuple[Floats, float]:
    """Log-odds of the last frame's candidates, and of a place that it does not show."""
    lost = weights.log_unseen
    beliefs = [frames[0].first(weights.tempering)]
    never_seen = 0.0
    for t in range(1, len(frames)):
        moved = [
            _log_sum(beliefs[s], motions[s, t]) + (t - 1 - s) * lost
            for s in range(max(0, t - LOOK_BACK), t)
        ]
        anywhere = [np.logaddexp.reduce(b) + (t - 1 - s) * lost for s, b in enumerate(beliefs)]
        jump = LOG_JUMP + np.logaddexp(0.0, np.logaddexp.reduce(anywhere))
        followed = np.logaddexp.reduce(moved) + frames[t].shown(weights)
        never_seen += lost
        afresh = frames[t].first(weights.tempering) + np.logaddexp(never_seen, jump)
        beliefs.append(np.logaddexp(followed, afresh))
        # Who is carried away may also have been carried off the map: those are odds of none.
        none = float(np.logaddexp(0.0, jump))
        beliefs = [belief - none for belief in beliefs]
        never_seen -= none
    now = len(frames) - 1
    gone = [
        _log_sum(beliefs[s], 1 - motions[s, now].sum(axis=1)) + (now - s) * lost for s in range(now)
    ]
    return beliefs[-1], float(np.logaddexp.reduce(gone))


def _log_sum(log_odds: Floats, probability: Floats) -> Floats:
    """Logarithm of odds times probabilities, summed over the first axis."""
    top = log_odds.max()
    summed = np.exp(log_odds - top) @ probability
    return np.asarray(top + np.log(np.maximum(summed, np.finfo(float).tiny)))


def _in_each(place: npt.NDArray[np.int64], values: Floats, combine: np.ufunc) -> Floats:
    """(k,) the values combined over each place, at each of its members."""
    whole = np.full(place.max() + 1, -np.inf)
    combine.at(whole, place, values)
    return np.asarray(whole[place])
