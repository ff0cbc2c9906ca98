"""Does a geographic prior help when it is right, and cost nothing when it is wrong?

A simulation whose right answers are known: towns that copy each other's streets
(`simulated_towns.py`), and a model that is off as often as published ones are
(`simulated_answers.py`). The answers become priors, the views are searched, re-weighed and judged
by the code of the package. Weights are fitted on another simulation (--fit: nothing else).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize_scalar

from benchmarks import prior_probing
from benchmarks.simulated_answers import (
    PHOTOS,
    STREET_VIEWS,
    Answers,
    far_off,
    naming_countries,
    pointed,
    pointing,
)
from benchmarks.simulated_towns import (
    CELL_RESOLUTION,
    REFERENCES_PER_TOWN,
    Floats,
    Rows,
    Streets,
    Towns,
    Views,
    country_names,
    references,
    streets,
    towns_of_a_country,
    towns_of_the_world,
    views,
)
from benchmarks.targets import Report, arguments
from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.descriptors import without_mean
from vlm_vpr_ros.estimation.gate import decide
from vlm_vpr_ros.estimation.hypotheses import Place, group_by_place
from vlm_vpr_ros.estimation.posterior import posterior
from vlm_vpr_ros.estimation.trust import Trust, shipped_support
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.geo_prior import EARTH_RADIUS_M, Component, GeoPrior
from vlm_vpr_ros.prior.open_answers import (
    ERROR_SCALES,
    FLOOR,
    prior_of_open,
)
from vlm_vpr_ros.prior.reweigh import reweighed
from vlm_vpr_ros.region.manifest import EncoderId
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.region.writer import write_region
from vlm_vpr_ros.text import aligned
from vlm_vpr_ros.types import Candidate, Hypothesis, Reason

CONFIG = LocalizerConfig()
DIM = 128
TOWNS = 200
QUERIES = 4000
RIGHT_M = 1000.0
FALSE_M = CONFIG.gate.false_radius_m
HARD_KM = (25, 200, 750)
PRIOR_RIGHT_M = 200e3
CAPS = (0.0, 1.2, 1.8, 2.4, 3.0, 3.6, 4.8, 6.3)
MOST_LOSS = 0.005
"""What a cap may cost in recall when each view gets the answer of another one."""
TOWN_SIGMA_M = 5000.0
"""Of a town that an answer names."""
FIT_SEED, SCORED_SEED = 100, 700
Truths = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Looks:
    """Views of streets, wherever their towns are.

    Attributes:
        town_best: (m, T) cosine of the best reference of each of T towns.
        town_row: (m, T) which one that is.
    """

    seen: Streets
    shown: Views
    town_best: npt.NDArray[np.float32]
    town_row: Rows

    def within(self, rows: Rows, radius_m: float) -> Truths:
        """(m,) whether a reference, -1 for none, lies so near to the truth."""
        truth = self.shown.row
        same_town = (rows // REFERENCES_PER_TOWN == self.shown.town) & (rows >= 0)
        east = self.seen.east_m[rows] - self.seen.east_m[truth]
        north = self.seen.north_m[rows] - self.seen.north_m[truth]
        return np.asarray(same_town & (np.hypot(east, north) <= radius_m))


@dataclass(frozen=True)
class Scene:
    """Views in towns.

    Attributes:
        places: of each view, what a search of the towns' region finds, grouped.
    """

    towns: Towns
    looks: Looks
    places: list[list[Place]]


def main() -> None:
    """Fit, simulate, report."""
    parser = arguments(__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything, noisy figures")
    parser.add_argument("--fit", action="store_true", help="only fit the weights")
    args = parser.parse_args()
    report = Report("prior")
    share = 10 if args.quick else 1
    weight = fit_evidence(FIT_SEED, QUERIES // share)
    fit_errors(report)
    fit_cap(report, weight, FIT_SEED, QUERIES // share)
    if args.fit:
        return
    simulate(report, weight, QUERIES // share)
    prior_probing.probe(report, args.quick)
    report.write(args.json)


# The way of a view: searched, weighed, grouped, re-weighed, judged.


def look(towns: int, seed: int, count: int) -> Looks:
    """`count` views of the streets of so many towns."""
    seen = streets(towns, DIM, seed)
    shown = views(seen, count, seed + 1)
    best = np.empty((count, towns), np.float32)
    row = np.empty((count, towns), np.int64)
    for start in range(0, count, 250):
        part = slice(start, start + 250)
        cosine = shown.descriptors[part] @ seen.descriptors.T
        by_town = cosine.reshape(len(cosine), towns, REFERENCES_PER_TOWN)
        row[part] = by_town.argmax(axis=2) + np.arange(towns) * REFERENCES_PER_TOWN
        best[part] = by_town.max(axis=2)
    return Looks(seen, shown, best, row)


def scene(towns: Towns, looks: Looks, weight: float) -> Scene:
    """Build the region of these towns, and search it for the views."""
    with TemporaryDirectory() as folder:
        region = _region(Path(folder), towns, looks.seen)
        queries = without_mean(looks.shown.descriptors, region.mean_descriptor)
        found = [region.search(query, CONFIG.retrieval.candidates) for query in queries]
    return Scene(towns, looks, [_grouped(candidates, weight) for candidates in found])


def _region(folder: Path, towns: Towns, seen: Streets) -> Region:
    write_region(
        folder,
        references(towns, seen),
        lambda: (seen.descriptors[i : i + 5000] for i in range(0, len(seen.descriptors), 5000)),
        encoder=EncoderId(name="simulated", fingerprint="0" * 64, dim=DIM),
        generic_mean=None,
        cell_resolution=CELL_RESOLUTION,
    )
    return Region.open(folder)


def _grouped(candidates: Sequence[Candidate], weight: float) -> list[Place]:
    weighed = [replace(c, log_odds=weight * c.similarity) for c in candidates]
    return group_by_place(weighed, FALSE_M / 2)


def priors_of(answers: Answers) -> list[GeoPrior]:
    """What the package makes of the answers."""
    gazetteer = Gazetteer.load()
    made = {said: prior_of_open([said], gazetteer) for said in set(answers.said)}
    return [made[said] for said in answers.said]


def softly(
    places: Sequence[list[Place]], priors: Sequence[GeoPrior], cap: float
) -> list[list[Place]]:
    """The places of each view, re-weighed."""
    return [reweighed(each, prior, cap) for each, prior in zip(places, priors, strict=True)]


def first(places: Sequence[list[Place]]) -> Rows:
    """(m,) the best reference of each view."""
    return np.array([each[0].best.reference for each in places])


def ideally(looks: Looks, answers: Answers) -> Rows:
    """(m,) the most probable reference for whoever knows how views and answers are made."""
    likelihood = looks.shown.concentration[:, None] * looks.town_best + answers.log_likelihood
    return _row_of(looks, likelihood)


def hard(looks: Looks, answers: Answers, radius_m: float) -> Rows:
    """(m,) the reference most alike within a radius of the answer; -1 if there is none."""
    inside = answers.apart_m <= radius_m
    rows = _row_of(looks, np.where(inside, looks.town_best, -np.inf))
    return np.where(inside.any(axis=1), rows, -1)


def _row_of(looks: Looks, score: Floats) -> Rows:
    towns = score.argmax(axis=1)
    rows: Rows = looks.town_row[np.arange(len(towns)), towns]
    return rows


def judged(places: Sequence[list[Place]], target: float) -> tuple[Truths, Truths]:
    """Whether the gate accepts each view: with its two keys, and with the first alone."""
    trust = Trust(shipped_support(target))
    both, one = [], []
    for each in places:
        probabilities, _ = posterior([place.best.log_odds for place in each])
        hypotheses = [
            Hypothesis(p.position, p.best.similarity, None, float(q), np.eye(2), p.candidates)
            for p, q in zip(each, probabilities, strict=True)
        ]
        reason, _ = decide(hypotheses, 0.0, trust)
        both.append(reason is Reason.ACCEPTED)
        one.append(probabilities[0] >= 1 - target)
    return np.array(both), np.array(one)


# What is fitted, on towns that are not scored.


def fit_evidence(seed: int, count: int) -> float:
    """Weight of the similarity: conditional logit among the towns, of which one is always right."""
    looks = look(TOWNS, seed, count)
    cosine = looks.town_best.astype(np.float64)
    right = cosine[np.arange(count), looks.shown.town]

    def loss(weight: float) -> float:
        return float(np.mean(np.logaddexp.reduce(weight * cosine, axis=1) - weight * right))

    return float(minimize_scalar(loss, bounds=(1.0, 1000.0), method="bounded").x)


def fit_errors(report: Report) -> None:
    """Shares of the widths of an answer's error, and of the floor: expectation-maximisation."""
    rng = np.random.default_rng(FIT_SEED)
    off_m = np.concatenate([e.distances_m(20_000, rng) for e in (PHOTOS, STREET_VIEWS)])
    scales_m = [math.hypot(scale_m, TOWN_SIGMA_M) for scale_m, _ in ERROR_SCALES]
    north = np.degrees(off_m / EARTH_RADIUS_M) - 90  # off from the pole
    gaussians = [GeoPrior((Component(-90, 0, s, 1.0),), 0.0, "") for s in scales_m]
    log_density = [g.log_density(north, 0.0) for g in (*gaussians, GeoPrior((), 1.0, ""))]
    density = np.exp(log_density)
    shares = np.full(len(density), 1 / len(density))
    for _ in range(200):
        each = shares[:, None] * density
        shares = np.mean(each / each.sum(axis=0), axis=1)
    for (scale_m, shipped), share in zip(ERROR_SCALES, shares[:-1], strict=True):
        fitted = share / shares[:-1].sum()
        report.add(f"share of errors of {scale_m / 1e3:g} km, fitted (shipped {shipped:g})", fitted)
    report.add(f"floor of an answer, fitted (shipped {FLOOR:g})", shares[-1])


def fit_cap(report: Report, weight: float, seed: int, count: int) -> None:
    """Choose `prior.max_log_odds`: the best log score within a bound on the loss.

    The loss is what recall suffers when each view gets the answer to another one.
    """
    looks = look(TOWNS, seed, count)
    fitted_on = scene(towns_of_the_world(TOWNS, seed), looks, weight)
    priors = priors_of(pointing(fitted_on.towns, looks.shown.town, PHOTOS, seed + 2))
    others = [*priors[1:], priors[0]]
    alone = _recall(looks, first(fitted_on.places))
    rows: list[list[str]] = []
    allowed: dict[float, float] = {}
    for cap in CAPS:
        soft = softly(fitted_on.places, priors, cap)
        nats = float(np.mean([_nats(looks, m, places) for m, places in enumerate(soft)]))
        loss = alone - _recall(looks, first(softly(fitted_on.places, others, cap)))
        rows.append([f"{cap:g}", f"{nats:.4f}", f"{100 * loss:+.2f}"])
        if loss <= MOST_LOSS:
            allowed[cap] = nats
    print(aligned(["prior.max_log_odds", "log loss", "points lost to answers of others"], rows))
    report.add("weight of the similarity, fitted", weight)
    report.add("prior.max_log_odds, fitted", min(allowed, key=lambda cap: allowed[cap]))
    report.add("prior.max_log_odds, shipped", CONFIG.prior.max_log_odds)


def _nats(looks: Looks, number: int, places: list[Place]) -> float:
    """Negative logarithm of the probability of the right place, or of none if it was not found."""
    probabilities, none = posterior([place.best.log_odds for place in places])
    for place, probability in zip(places, probabilities, strict=True):
        if any(c.reference == looks.shown.row[number] for c in place.candidates):
            return -float(np.log(probability))
    return -float(np.log(none))


def _recall(looks: Looks, rows: Rows) -> float:
    return float(looks.within(rows, RIGHT_M).mean())


# What is scored.


def simulate(report: Report, weight: float, count: int) -> None:
    """Both layouts, all answers."""
    looks = look(TOWNS, SCORED_SEED, count)
    world = scene(towns_of_the_world(TOWNS, SCORED_SEED), looks, weight)
    country = scene(towns_of_a_country(TOWNS, SCORED_SEED), looks, weight)
    alone = _recall(looks, first(world.places))
    report.add(f"{count} views: retrieval alone, within 1 km", alone, ">= 0.6")
    report.add(f"{count} views: retrieval alone, within 1 km", alone, "<= 0.75")
    table = []
    for name, where in (("world", world), ("country", country)):
        named = naming_countries(where.towns, looks.shown.town, country_names(world.towns), 5)
        kinds = [
            (PHOTOS.name, pointing(where.towns, looks.shown.town, PHOTOS, 3)),
            (STREET_VIEWS.name, pointing(where.towns, looks.shown.town, STREET_VIEWS, 4)),
            ("country named", named),
        ]
        for kind, answers in kinds:
            table.append([f"{name}, {kind}", *_ablation(report, name, kind, where, answers)])
    print()
    print("Right within 1 km, per cent:")
    radii = [f"hard {km} km" for km in HARD_KM]
    print(aligned(["", "alone", *radii, "soft", "ideal"], table))
    _four_ways(world, pointing(world.towns, looks.shown.town, PHOTOS, 3))
    _misled(report, "world", world)
    _misled(report, "country", country)


def _ablation(report: Report, name: str, kind: str, where: Scene, answers: Answers) -> list[str]:
    looks, cap = where.looks, CONFIG.prior.max_log_odds
    alone = _recall(looks, first(where.places))
    soft = _recall(looks, first(softly(where.places, priors_of(answers), cap)))
    ideal = _recall(looks, ideally(looks, answers))
    constrained = [_recall(looks, hard(looks, answers, km * 1e3)) for km in HARD_KM]
    scored = name == "world" and kind == PHOTOS.name
    report.add(f"{name}, {kind}: soft prior, gain", soft - alone, ">= 0.1" if scored else "")
    if ideal - alone > 0.005:
        part = (soft - alone) / (ideal - alone)
        report.add(f"{name}, {kind}: share of the ideal gain", part, ">= 0.6" if scored else "")
    for km, recall in zip(HARD_KM, constrained, strict=True):
        better = soft - recall
        report.add(f"{name}, {kind}: soft less hard {km} km", better, ">= 0" if scored else "")
    return [f"{100 * value:.1f}" for value in (alone, *constrained, soft, ideal)]


def _four_ways(where: Scene, answers: Answers) -> None:
    """Prior right or wrong, retrieval right or wrong: what the soft prior makes of it."""
    looks = where.looks
    own = np.arange(len(looks.shown)), looks.shown.town
    prior = answers.apart_m[own] <= PRIOR_RIGHT_M
    alone = looks.within(first(where.places), RIGHT_M)
    cap = CONFIG.prior.max_log_odds
    soft = looks.within(first(softly(where.places, priors_of(answers), cap)), RIGHT_M)
    rows = [
        [
            f"prior {'right' if p else 'wrong'}, retrieval {'right' if r else 'wrong'}",
            f"{np.mean((prior == p) & (alone == r)):.1%}",
            f"{np.mean(soft[(prior == p) & (alone == r)]):.1%}",
        ]
        for p in (True, False)
        for r in (True, False)
    ]
    print()
    print("World, photo errors; the prior is right within 200 km:")
    print(aligned(["", "of the views", "right with the soft prior"], rows))
    print()


def _misled(report: Report, name: str, where: Scene) -> None:
    """Priors that are all wrong."""
    looks, towns = where.looks, where.towns
    count, town = len(looks.shown), looks.shown.town
    rng = np.random.default_rng(6)
    nowhere = pointed(towns, town, far_off(count, rng), PHOTOS, rng)
    elsewhere = (town + rng.integers(1, len(towns), count)) % len(towns)
    another = pointed(towns, elsewhere, np.zeros(count), PHOTOS, rng)
    score = looks.town_best.copy()
    score[np.arange(count), town] = -np.inf
    alias = pointed(towns, score.argmax(axis=1), np.zeros(count), PHOTOS, rng)
    told = pointing(towns, town, PHOTOS, 3)
    world = name == "world"
    alone = _recall(looks, first(where.places))
    _gate(report, f"{name}, no prior", looks, where.places, "")
    _gate(report, f"{name}, {PHOTOS.name}", looks, _soft(where, told), "")
    for what, answers, most in (
        ("every prior > 2500 km off", nowhere, "<= 0.005"),
        ("every prior on another town", another, "<= 0.01"),
        ("every prior on the best alias", alias, ""),
    ):
        places = _soft(where, answers)
        loss = alone - _recall(looks, first(places))
        report.add(f"{name}, {what}: loss", loss, most if world else "")
        _gate(report, f"{name}, {what}", looks, places, "<= 0.04" if most else "")


def _soft(where: Scene, answers: Answers) -> list[list[Place]]:
    return softly(where.places, priors_of(answers), CONFIG.prior.max_log_odds)


def _gate(
    report: Report, name: str, looks: Looks, places: Sequence[list[Place]], most: str
) -> None:
    false = ~looks.within(first(places), FALSE_M)
    both, one = judged(places, target=0.01)
    report.add(f"{name}: accepted by the gate at 1 %", both.mean())
    if both.any():  # else the rate is undefined
        report.add(f"{name}: false among the accepted", false[both].mean(), most)
    if one.sum() > both.sum():
        report.add(f"{name}: accepted if one key were enough", one.mean())
        report.add(f"{name}: false among those", false[one].mean())


if __name__ == "__main__":
    main()
