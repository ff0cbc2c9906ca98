"""A million references: how little of them a search looks at, and what it misses."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np

from benchmarks.simulated_answers import PHOTOS, pointing
from benchmarks.simulated_towns import (
    CELL_RESOLUTION,
    Floats,
    Streets,
    Towns,
    Vectors,
    references,
    streets,
    towns_of_a_country,
    towns_of_the_world,
    views,
)
from benchmarks.targets import Report
from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.estimation.hypotheses import group_by_place
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.prior.open_answers import prior_of_open
from vlm_vpr_ros.prior.reweigh import reweighed
from vlm_vpr_ros.region.geo_ivf import GeoIvf
from vlm_vpr_ros.region.manifest import FORMAT_VERSION, Bounds, EncoderId, Manifest
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.region.sketch import SCHEME, Codes, Sketch, Sketcher
from vlm_vpr_ros.retrieval.guided_search import GuidedSearch
from vlm_vpr_ros.types import Candidate

CONFIG = LocalizerConfig()
DIM = 512
TOWNS = 2000
QUERIES = 600
TIMED = 40
NOISE = 2.0
"""Median length of a view's noise: the truth has a cosine of 0.45, which sketches often miss."""
SEED = 320
_CHUNK = 20_000


def probe(report: Report, quick: bool) -> None:
    """Search the same million streets as towns of the world, and as towns of a country."""
    count = TOWNS // 10 if quick else TOWNS
    seen = streets(count, DIM, SEED)
    shown = views(seen, QUERIES // 2 if quick else QUERIES, SEED + 1, NOISE)
    weight = float(np.median(shown.concentration))
    # What a search of everything finds, for all views at once.
    cosine, row = faiss.knn(
        shown.descriptors,
        seen.descriptors,
        CONFIG.retrieval.candidates,
        metric=faiss.METRIC_INNER_PRODUCT,
    )
    sketch = Sketch(_codes(seen), DIM)
    for name, towns, near_m in (
        ("world, error <= 750 km", towns_of_the_world(count, SEED), 750e3),
        ("country, error <= 25 km", towns_of_a_country(count, SEED), 25e3),
    ):
        region = _region(towns, seen, sketch)
        search = GuidedSearch(region, CONFIG.retrieval.model_copy(update={"whole_below_mb": 0.0}))
        answers = pointing(towns, shown.town, PHOTOS, SEED + 2)
        gazetteer = Gazetteer.load()
        priors = [prior_of_open([said], gazetteer) for said in answers.said]
        whole = [
            _answer(
                [
                    Candidate(int(r), region.references.point(int(r)), float(c))
                    for r, c in zip(row[m], cosine[m], strict=True)
                ],
                prior,
                weight,
            )
            for m, prior in enumerate(priors)
        ]
        probed = [
            search.nearest(view, prior)
            for view, prior in zip(shown.descriptors, priors, strict=True)
        ]
        guided = [
            _answer(candidates, prior, weight)
            for candidates, prior in zip(probed, priors, strict=True)
        ]
        costs = _costs(region, search, shown.descriptors, priors)
        right = row[:, 0] == shown.row
        kept = np.array([candidates[0].reference for candidates in probed]) == shown.row
        near = answers.apart_m[np.arange(len(shown)), shown.town] <= near_m
        layout = name.split(",")[0]
        report.add(f"{layout}: most similar of {len(seen.east_m)} is right", right.mean())
        report.add(f"{name}: of those, also when probed", kept[right & near].mean(), ">= 0.99")
        report.add(f"{name}: bytes read, of a full scan", costs[near].mean(), "<= 0.05")
        report.add(
            f"{layout}, all errors: of those, also when probed", kept[right].mean(), ">= 0.9"
        )
        report.add(f"{layout}, all errors: bytes read", costs.mean(), "<= 0.1")
        for what, answer in (("full scan", whole), ("probed", guided)):
            share = float(np.mean(np.array(answer) == shown.row))
            report.add(f"{layout}, {what}: right with the prior", share)
        full_s, probed_s = _times(region, search, shown.descriptors[:TIMED], priors)
        report.add(f"{layout}: full scan, ms, one thread", 1e3 * full_s)
        report.add(f"{layout}: probed, ms", 1e3 * probed_s)


def _codes(seen: Streets) -> Codes:
    sketcher = Sketcher(DIM)
    chunks = range(0, len(seen.descriptors), _CHUNK)
    return np.concatenate([sketcher.codes(seen.descriptors[i : i + _CHUNK]) for i in chunks])


def _region(towns: Towns, seen: Streets, sketch: Sketch) -> Region:
    """As `Region.open` makes it of files, without a gigabyte of files."""
    table = references(towns, seen)
    cells, lists = np.unique(table.cell, return_inverse=True)
    index = GeoIvf.empty(DIM, len(cells))
    for start in range(0, len(table), _CHUNK):
        rows = np.arange(start, min(start + _CHUNK, len(table)))
        index.add(seen.descriptors[rows], lists[rows], rows)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        encoder=EncoderId(name="simulated", fingerprint="0" * 64, dim=DIM),
        features=None,
        sketch=SCHEME,
        references=len(table),
        drives={"map": len(table)},
        cell_resolution=CELL_RESOLUTION,
        cells=len(cells),
        bounds=Bounds(south=-90, west=-180, north=90, east=180),
        background=None,
        files={},
    )
    return Region(
        Path("simulated"),
        manifest,
        references=table,
        places=(),
        mean_descriptor=np.zeros(DIM, np.float32),
        index=index,
        sketch=sketch,
        features=None,
        thumbnails=None,
    )


def _answer(candidates: Sequence[Candidate], prior: GeoPrior, weight: float) -> int:
    """The best reference with the prior."""
    weighed = [replace(c, log_odds=weight * c.similarity) for c in candidates]
    places = group_by_place(weighed, CONFIG.gate.false_radius_m / 2)
    return reweighed(places, prior, CONFIG.prior.max_log_odds)[0].best.reference


def _costs(
    region: Region, search: GuidedSearch, queries: Vectors, priors: Sequence[GeoPrior]
) -> Floats:
    """Share of the bytes of a full scan that each search reads: descriptors, ids, sketches."""
    ids, cell_of_row, sizes = np.unique(
        region.references.cell, return_inverse=True, return_counts=True
    )
    costs = []
    for query, prior in zip(queries, priors, strict=True):
        cells, rows = search.probes(query, prior)
        scanned = sizes[np.searchsorted(ids, cells)].sum()
        beside = sizes[np.unique(cell_of_row[rows])].sum()
        descriptors = (scanned + len(rows)) * 2 * DIM
        costs.append(descriptors + (scanned + beside) * 8 + len(region.references) * 16)
    return np.array(costs) / (len(region.references) * (2 * DIM + 8))


def _times(
    region: Region, search: GuidedSearch, queries: Vectors, priors: Sequence[GeoPrior]
) -> tuple[float, float]:
    """Median seconds of a full scan and of a guided one, in turns, on one thread."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    full_s, probed_s = [], []
    for query, prior in zip(queries, priors, strict=False):
        start = time.perf_counter()
        region.search(query, CONFIG.retrieval.candidates)
        middle = time.perf_counter()
        search.nearest(query, prior)
        full_s.append(middle - start)
        probed_s.append(time.perf_counter() - middle)
    faiss.omp_set_num_threads(threads)
    return float(np.median(full_s)), float(np.median(probed_s))
