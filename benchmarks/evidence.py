"""Repeats the fit of the evidence weights, and shows what the gate then refuses.

Fitted on the two day drives of Gardens Point: day_left in a region of day_right, and each half of
day_left in a region of the *other* half of day_right, where the right answer is "none of them".
Shown on what the fit did not see: the night drive, also in a region that does not hold it, and
photos of other places. Conditional logit with the class "none of them", L2-regularised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from benchmarks.drives import FALSE_FIX_M, Part, both_ways, region_of
from benchmarks.targets import Report, arguments, data_folder
from vlm_vpr_ros.config import EvidenceConfig, LocalizerConfig
from vlm_vpr_ros.estimation.evidence import (
    SIMILARITY_ALONE,
    WITH_GEOMETRY,
    EvidenceWeights,
    averages,
    chance_similarity,
)
from vlm_vpr_ros.evaluation.metrics import fix_counts
from vlm_vpr_ros.evaluation.remembering import remembering_networks
from vlm_vpr_ros.evaluation.run import Evaluation, Trial
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.mapping.observation import Observation, Source
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.region.neighbours import neighbours
from vlm_vpr_ros.types import Candidate

RIDGE = EvidenceWeights(similarity=1e-3 / 50**2, inliers=1e-3 / 2**2, bias=0.0)
FOREIGN = (
    "penn_campus/images",
    "mapillary_streetscapes/images.csv",
    "world_exif/images",
    "opensfm_lund/images",
    "kitti_0002_10f/images.csv",
)
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Query:
    """Evidence of one query, candidate by candidate.

    Attributes:
        above_chance: (n,) similarity, averaged with the neighbours', less what chance reaches.
        log_inliers: (n,) ln(1 + inliers), likewise.
        place: (n,) which hypothesis the candidate belongs to.
        right: (hypotheses,) whether it is near the truth.
    """

    above_chance: Floats
    log_inliers: Floats
    place: npt.NDArray[np.int64]
    right: npt.NDArray[np.bool_]


def main() -> None:
    """Fit, measure and print."""
    parser = arguments(__doc__)
    data_folder(parser)
    args = parser.parse_args()
    report = Report("evidence")
    garden: Path = args.data / "gardens_point"
    day, other_day, night = (
        open_source(garden / f"{drive}.csv") for drive in ("day_right", "day_left", "night_right")
    )
    first, second = partial(_slice, 0, 90), partial(_slice, 110, 200)
    upper, lower = partial(_slice, 100, 200), partial(_slice, 0, 100)

    mapped, queries = _queries(day, [other_day])
    _, unmapped_first = _queries(Part(day, upper), [Part(other_day, first)])
    _, unmapped_second = _queries(Part(day, lower), [Part(other_day, second)])
    fitted_on = [*queries, *unmapped_first, *unmapped_second]
    _add_weights(report, "with geometry", fit(fitted_on, True), WITH_GEOMETRY)
    _add_weights(report, "similarity alone", fit(fitted_on, False), SIMILARITY_ALONE)
    _add_fixes(report, "day_left in day_right (fitted on)", mapped)

    _add_fixes(report, "night in day_right", _queries(day, [night])[0])
    unmapped = _queries(Part(day, lower), [Part(night, second)])[0]
    _add_fixes(report, "night, frames 110-199, in day_right 0-99", unmapped)
    foreign = _queries(day, [open_source(args.data / name) for name in FOREIGN])[0]
    accepted = fix_counts(foreign.causal_scores, FALSE_FIX_M).accepted
    report.add(f"of {len(foreign.trials)} photos of other places, accepted", accepted, "== 0")
    report.write(args.json)


def fit(queries: Sequence[Query], geometry: bool) -> EvidenceWeights:
    """Maximum likelihood of the right place, or of none, with a small ridge."""

    def loss(w: Floats) -> float:
        weights = EvidenceWeights(w[0], w[1] if geometry else 0.0, w[2])
        mean = float(np.mean([_nats(query, weights) for query in queries]))
        return float(mean + RIDGE.similarity * w[0] ** 2 + RIDGE.inliers * w[1] ** 2)

    options = {"xatol": 1e-2, "fatol": 1e-6, "maxiter": 2000}
    best = minimize(loss, [40.0, 1.0, -3.0], method="Nelder-Mead", options=options).x
    return EvidenceWeights(best[0], best[1] if geometry else 0.0, best[2])


def _nats(query: Query, weights: EvidenceWeights) -> float:
    """Negative log-likelihood of one query."""
    z = weights.similarity * query.above_chance + weights.inliers * query.log_inliers
    places = np.full(len(query.right), -np.inf)
    np.maximum.at(places, query.place, z + weights.bias)
    everything = np.logaddexp(0.0, np.logaddexp.reduce(places))
    right = places[query.right]
    return float(everything - (right.max() if len(right) else 0.0))


def _queries(references: Source, sources: Sequence[Source]) -> tuple[Evaluation, list[Query]]:
    config = LocalizerConfig(evidence=EvidenceConfig(max_frames=1))
    networks = remembering_networks(config, features=True)
    with region_of(references, networks) as region:
        evaluation = both_ways(sources, region, networks, config)
    generic = networks.encoder.card.chance_similarity
    chance = chance_similarity(region.manifest.background, generic)
    beside = [
        neighbours(region.references, [c.reference for c in _members(trial)])
        for trial in evaluation.trials
    ]
    pairs = zip(evaluation.trials, beside, strict=True)
    return evaluation, [_query(trial, near, chance) for trial, near in pairs]


def _members(trial: Trial) -> list[Candidate]:
    return [c for hypothesis in trial.causal.hypotheses for c in hypothesis.candidates]


def _query(trial: Trial, beside: Sequence[Sequence[int]], chance: float) -> Query:
    hypotheses = trial.causal.hypotheses
    mean = averages(_members(trial), beside)
    error_m = distance_m(
        trial.truth.lat_deg,
        trial.truth.lon_deg,
        [h.position.lat_deg for h in hypotheses],
        [h.position.lon_deg for h in hypotheses],
    )
    return Query(
        above_chance=np.array([similarity - chance for similarity, _ in mean]),
        log_inliers=np.array([log_inliers for _, log_inliers in mean]),
        place=np.repeat(np.arange(len(hypotheses)), [len(h.candidates) for h in hypotheses]),
        right=error_m <= FALSE_FIX_M,
    )


def _add_weights(
    report: Report, name: str, fitted: EvidenceWeights, shipped: EvidenceWeights
) -> None:
    for part in ("similarity", "inliers", "bias"):
        report.add(f"{name}: weight of {part}, fitted", getattr(fitted, part))
        report.add(f"{name}: weight of {part}, shipped", getattr(shipped, part))


def _add_fixes(report: Report, name: str, evaluation: Evaluation) -> None:
    fixes = fix_counts(evaluation.causal_scores, FALSE_FIX_M)
    report.add(f"{name}: accepted of {fixes.queries}", fixes.accepted)
    report.add(f"{name}: of which false (> {FALSE_FIX_M:g} m)", fixes.false)


def _slice(start: int, stop: int, frames: list[Observation]) -> list[Observation]:
    return frames[start:stop]


if __name__ == "__main__":
    main()
