"""Where a large region is searched: where the prior says, and where the sketches do."""

from __future__ import annotations

import numpy as np
import pytest
from support.priors import at
from support.small_regions import raw_descriptors, write_small_region

from vlm_vpr_ros.config import RetrievalConfig
from vlm_vpr_ros.descriptors import without_mean
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.retrieval.guided_search import GuidedSearch

COUNT = 400


@pytest.fixture(name="region", scope="module")
def _region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    folder = tmp_path_factory.mktemp("regions") / "line"
    write_small_region(folder, COUNT)
    return Region.open(folder)


def guided(region: Region, **config: float) -> GuidedSearch:
    return GuidedSearch(region, RetrievalConfig(candidates=COUNT, whole_below_mb=0.0, **config))  # type: ignore[arg-type]


def query(row: int) -> np.ndarray:
    raw = raw_descriptors(COUNT)
    return without_mean(raw[row], raw.mean(axis=0))


def near(region: Region, row: int) -> GeoPrior:
    point = region.references.point(row)
    return at(point.lat_deg, point.lon_deg, 1500.0)


def rows(search: GuidedSearch, row: int, prior: GeoPrior | None) -> list[int]:
    return [c.reference for c in search.nearest(query(row), prior)]


def test_small_regions_and_searches_without_a_prior_look_everywhere(region: Region) -> None:
    small = GuidedSearch(region, RetrievalConfig(candidates=COUNT))
    assert not small.guided and guided(region).guided
    everything = rows(small, 5, None)
    assert len(everything) == COUNT
    assert rows(small, 5, near(region, 300)) == everything
    assert rows(guided(region), 5, None) == everything


def test_the_most_probable_cells_are_searched(region: Region) -> None:
    search = guided(region, prior_share=0.05, sketch_share=0.0)
    found = rows(search, 200, near(region, 200))
    assert found[0] == 200
    assert 20 <= len(found) <= 40  # one cell more than the share, of a few references
    assert max(abs(row - 200) for row in found) <= 25


def test_sketches_find_what_a_wrong_prior_hides(region: Region) -> None:
    blind = guided(region, prior_share=0.02, sketch_share=0.0)
    hedged = guided(region, prior_share=0.02, sketch_share=0.02)
    for row in range(0, 200, 20):
        assert row not in rows(blind, row, near(region, 390))
        found = rows(hedged, row, near(region, 390))
        assert found[0] == row
        assert len(found) == len(set(found))
        assert len(found) <= 0.04 * COUNT + 10


def test_both_together_are_ranked_as_one(region: Region) -> None:
    search = guided(region, prior_share=0.1, sketch_share=0.1)
    found = search.nearest(query(10), near(region, 100))
    assert [c.similarity for c in found] == sorted((c.similarity for c in found), reverse=True)
    exact = {c.reference: c.similarity for c in region.search(query(10), COUNT)}
    for candidate in found:
        assert candidate.similarity == pytest.approx(exact[candidate.reference], abs=1e-6)


def test_no_more_than_asked_for(region: Region) -> None:
    search = GuidedSearch(region, RetrievalConfig(candidates=7, whole_below_mb=0.0))
    found = rows(search, 10, near(region, 100))
    assert len(found) == 7
    assert rows(search, 10, GeoPrior((), 1.0, "vlm"))[0] == 10


def test_all_cells_and_all_sketches_are_everything(region: Region) -> None:
    everything = guided(region, prior_share=1.0, sketch_share=1.0)
    assert rows(everything, 3, near(region, 3)) == rows(everything, 3, None)
