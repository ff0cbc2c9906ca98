"""What similarity a wrong place reaches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.small_regions import raw_descriptors, references

from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.region.background import MAX_SAMPLE, RADIUS_M, BackgroundSample


@pytest.mark.parametrize(("lat_deg", "lon_deg"), [(45.4, 11.9), (-16.5, 180.0), (90.0, 0.0)])
def test_the_best_beyond_the_radius_on_the_ellipsoid(lat_deg: float, lon_deg: float) -> None:
    count = 120
    rng = np.random.default_rng(0)
    spread_deg = np.degrees(60 / 6.4e6)
    lat = lat_deg + rng.normal(0, spread_deg, count)
    lat = np.minimum(lat, 180 - lat)  # over the pole
    lon_spread_deg = spread_deg / max(np.cos(np.radians(lat_deg)), 1e-7)
    lon = (lon_deg + rng.normal(0, lon_spread_deg, count) + 180) % 360 - 180
    raw = raw_descriptors(count)
    sample = BackgroundSample(replace(references(count), lat_deg=lat, lon_deg=lon))
    for first in range(0, count, 50):
        sample.see(raw, first, raw[first : first + 50])

    distance = distance_m(lat[:, None], lon[:, None], lat, lon)
    assert 0.1 < (distance <= RADIUS_M).mean() < 0.9
    similarity = np.where(distance <= RADIUS_M, -np.inf, (raw @ raw.T).astype(np.float64))
    background = sample.background()
    assert background is not None and background.sample == count
    np.testing.assert_allclose(
        background.quantiles,
        np.quantile(similarity.max(axis=1), np.arange(1, 100) / 100),
        atol=1e-6,
    )


def test_a_large_region_is_sampled_from_end_to_end() -> None:
    rows = BackgroundSample(references(3000)).rows
    assert len(rows) == MAX_SAMPLE
    assert (rows[0], rows[-1]) == (0, 2999)
