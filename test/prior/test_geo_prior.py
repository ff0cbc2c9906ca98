"""The prior is a distribution on the sphere, whatever its width and wherever it lies."""

from __future__ import annotations

import math
from dataclasses import replace

import h3
import numpy as np
import pytest
from support.priors import at, latitudes, longitudes, priors, sigmas_m
from support.properties import given, st

from vlm_vpr_ros.errors import PriorError
from vlm_vpr_ros.geodesy import displaced, distance_m, unit_vectors
from vlm_vpr_ros.prior.geo_prior import EARTH_RADIUS_M, Component, GeoPrior

UNIFORM = -math.log(4 * math.pi)


def spiral(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Points spread evenly over the sphere."""
    z = (np.arange(count) + 0.5) / count * 2 - 1
    lon = np.degrees(np.arange(count) * math.pi * (3 - math.sqrt(5)))
    return np.degrees(np.arcsin(z)), (lon + 180) % 360 - 180


@given(latitudes, longitudes, st.sampled_from([400e3, 1e6, 2.5e6, 6.4e6, 2e7]), st.floats(0, 1))
def test_the_density_of_a_wide_prior_integrates_to_one(
    lat: float, lon: float, sigma_m: float, floor: float
) -> None:
    prior = GeoPrior.mixture([Component(lat, lon, sigma_m, 1.0)], floor, "vlm")
    density = np.exp(prior.log_density(*spiral(20_000)))
    assert density.mean() * 4 * math.pi == pytest.approx(1, abs=2e-3)


@given(latitudes, longitudes, st.sampled_from([1.0, 100.0, 1e4, 2e5]))
def test_a_narrow_prior_is_a_gaussian_of_the_plane(lat: float, lon: float, sigma_m: float) -> None:
    prior = at(lat, lon, sigma_m, floor=0.0)
    peak = math.log(EARTH_RADIUS_M**2 / (2 * math.pi * sigma_m**2))
    assert prior.log_density(lat, lon) == pytest.approx(peak, abs=1e-6)
    for east, north in ((1, 0), (0, -1), (-1.5, 1)):
        there = displaced(lat, lon, east * sigma_m, north * sigma_m)
        fall = prior.log_density(lat, lon) - prior.log_density(*there)
        # 2 %: latitudes of the ellipsoid are taken for those of a sphere.
        assert fall == pytest.approx((east**2 + north**2) / 2, rel=0.02)


@given(priors(), latitudes, longitudes)
def test_turning_the_earth_changes_nothing(prior: GeoPrior, lat: float, lon: float) -> None:
    def turned(lon_deg: float) -> float:
        return (lon_deg + 77 + 180) % 360 - 180

    parts = tuple(replace(c, lon_deg=turned(c.lon_deg)) for c in prior.components)
    there = replace(prior, components=parts).log_density(lat, turned(lon))
    assert there == pytest.approx(prior.log_density(lat, lon), rel=1e-6, abs=1e-3)


def test_the_antimeridian_and_the_poles_are_ordinary_places() -> None:
    prior = at(0, 179.99, 5e3)
    assert prior.log_density(0, -179.99) == pytest.approx(prior.log_density(0, 179.97), abs=1e-9)
    around = at(90, 12, 5e3).log_density(89.95, np.array([-180.0, -90.0, 0.0, 12.0, 179.0]))
    np.testing.assert_allclose(around, around[0], atol=1e-9)


@given(priors())
def test_the_floor_is_felt_everywhere(prior: GeoPrior) -> None:
    density = np.exp(prior.log_density(*spiral(200)))
    assert (density >= prior.floor / (4 * math.pi) * (1 - 1e-9)).all()


def test_shapes_follow_the_arguments() -> None:
    prior = at(48, 11, 1e4)
    assert prior.log_density(48, 11).shape == ()
    assert prior.log_density(np.zeros((3, 1)), np.zeros(5)).shape == (3, 5)
    assert prior.log_density([], []).shape == (0,)
    assert prior.cell_mass(np.zeros((3, 1)), np.zeros(5), 1e6).shape == (3, 5)
    np.testing.assert_allclose(GeoPrior((), 1.0, "vlm").log_density([0, 90], [0, 180]), UNIFORM)


def test_far_off_without_a_floor_is_a_number() -> None:
    densities = at(0, 0, 1.0, floor=0.0).log_density([0, 0], [90, 180])
    assert np.isfinite(densities).all()
    assert densities[0] > densities[1]


CELLS = [cell for root in h3.get_res0_cells() for cell in h3.cell_to_children(root, 1)]
CENTRES = np.array([h3.cell_to_latlng(cell) for cell in CELLS])
AREAS_M2 = np.array([h3.cell_area(cell, "m^2") for cell in CELLS])


@given(priors())
def test_the_masses_of_all_cells_sum_to_one(prior: GeoPrior) -> None:
    wide = prior.widened(5e5)  # as wide as a cell: a narrow one shares its mass less exactly
    mass = wide.cell_mass(CENTRES[:, 0], CENTRES[:, 1], AREAS_M2)
    assert (mass >= 0).all()
    assert mass.sum() == pytest.approx(1, abs=0.02)


@given(st.sampled_from([1e2, 1e3, 1e4, 1e5]), st.sampled_from([200.0, 2e3, 2e4, 3e5]))
def test_the_mass_of_a_round_cell_around_the_centre_is_exact(
    radius_m: float, sigma_m: float
) -> None:
    mass = at(10, 20, sigma_m, floor=0.0).cell_mass(10, 20, math.pi * radius_m**2)
    assert mass == pytest.approx(-math.expm1(-(radius_m**2) / (2 * sigma_m**2)), rel=1e-3)


def test_the_mass_of_cells_follows_samples() -> None:
    """Cells about as large as the Gaussian is wide, against draws from it."""
    sigma_m, count = 6e4, 20_000
    prior = at(47.3, 8.5, sigma_m, floor=0.0)
    east_north = np.random.default_rng(0).normal(0, sigma_m, (count, 2))
    drawn = [h3.latlng_to_cell(*displaced(47.3, 8.5, e, n), 3) for e, n in east_north]
    cells, counts = np.unique(drawn, return_counts=True)
    centres = np.array([h3.cell_to_latlng(cell) for cell in cells])
    areas_m2 = [h3.cell_area(cell, "m^2") for cell in cells]
    mass = prior.cell_mass(centres[:, 0], centres[:, 1], areas_m2)
    np.testing.assert_allclose(mass, counts / count, atol=0.02)


@given(priors(), st.floats(0, 1e6))
def test_widening_adds_variances_and_keeps_the_shares(prior: GeoPrior, extra_m: float) -> None:
    wide = prior.widened(extra_m)
    for before, after in zip(prior.components, wide.components, strict=True):
        assert after.sigma_m == pytest.approx(min(math.hypot(before.sigma_m, extra_m), 2e7))
        assert replace(after, sigma_m=before.sigma_m) == before
    assert (wide.floor, wide.source) == (prior.floor, prior.source)
    assert prior.widened(0.0) == prior


HERE = Component(48.0, 11.0, 1e4, 0.9)


@pytest.mark.parametrize(
    ("parts", "floor", "said"),
    [
        ([HERE], 0.2, "sum to 1.1"),
        ([HERE], -0.1, "sum to 0.8"),
        ([HERE], math.nan, "sum to nan"),
        ([replace(HERE, lat_deg=91)], 0.1, "latitude 91"),
        ([replace(HERE, lat_deg=math.nan)], 0.1, "latitude nan"),
        ([replace(HERE, lon_deg=-181)], 0.1, "longitude -181"),
        ([replace(HERE, sigma_m=0)], 0.1, "sigma 0 m"),
        ([replace(HERE, sigma_m=math.inf)], 0.1, "sigma inf m"),
        ([replace(HERE, weight=-0.9)], 0.1, "weight -0.9"),
        ([replace(HERE, weight=1 / 1001)] * 1001, 0.0, "1000 at most"),
    ],
)
def test_what_is_no_distribution_is_refused_by_name(
    parts: list[Component], floor: float, said: str
) -> None:
    with pytest.raises(PriorError, match=said):
        GeoPrior(tuple(parts), floor, "vlm")


@given(st.lists(st.tuples(latitudes, longitudes, sigmas_m, st.floats(0, 1e9)), max_size=5))
def test_mixtures_are_normalised(parts: list[tuple[float, float, float, float]]) -> None:
    prior = GeoPrior.mixture([Component(*part) for part in parts], 0.25, "vlm")
    assert prior.floor + sum(c.weight for c in prior.components) == pytest.approx(1)
    if any(weight for *_, weight in parts):
        assert prior.floor == 0.25


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_weights_that_are_no_weights_are_refused(weight: float) -> None:
    with pytest.raises(PriorError, match="weight"):
        GeoPrior.mixture([Component(0, 0, 1e3, 1.0), Component(0, 0, 1e3, weight)], 0.1, "vlm")


def test_the_sphere_is_near_enough_to_the_ellipsoid() -> None:
    lat, lon = spiral(300)
    chord = unit_vectors(lat, lon) - unit_vectors(45.0, 10.0)
    angle = 2 * np.arcsin(np.linalg.norm(chord, axis=1) / 2)
    np.testing.assert_allclose(EARTH_RADIUS_M * angle, distance_m(45.0, 10.0, lat, lon), rtol=0.006)
