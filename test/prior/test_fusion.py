"""Priors of one source are averaged, those of several sources multiply."""

from __future__ import annotations

import numpy as np
import pytest
from support.priors import at, priors
from support.properties import given

from vlm_vpr_ros.prior.fusion import MAX_PARTS, averaged, fused
from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior

LAT = np.degrees(np.arcsin(np.linspace(-1, 1, 41)))
LON = np.linspace(-180, 180, 41)


@given(priors(min_floor=0.01), priors(min_floor=0.01))
def test_the_product_is_exact_up_to_a_constant(a: GeoPrior, b: GeoPrior) -> None:
    both = fused([a, b])
    parts = [c for c in (*a.components, *b.components) if c.sigma_m > 1]
    if len(parts) < len(a.components) + len(b.components):
        return  # two Gaussians of 1 m make one narrower than any prior may be
    lat = np.append(LAT, [c.lat_deg for c in parts])
    lon = np.append(LON, [c.lon_deg for c in parts])
    ratio = both.log_density(lat, lon) - a.log_density(lat, lon) - b.log_density(lat, lon)
    assert np.ptp(ratio) < 1e-3


@given(priors(), priors())
def test_the_order_does_not_matter(a: GeoPrior, b: GeoPrior) -> None:
    ab, ba = fused([a, b]), fused([b, a])
    np.testing.assert_allclose(ab.log_density(LAT, LON), ba.log_density(LAT, LON), atol=1e-6)


def test_one_prior_is_itself() -> None:
    prior = at(48, 11, 1e4)
    assert fused([prior]) is prior


def test_agreement_sharpens_and_contradiction_leaves_both() -> None:
    together = fused([at(48, 11, 2e5), at(48, 11.5, 1e4)])
    heaviest = max(together.components, key=lambda c: c.weight)
    assert heaviest.sigma_m < 1e4 and heaviest.weight > 0.9
    apart = fused([at(48, 11, 1e4), at(-33, 151, 1e4)])
    assert sorted(round(c.weight, 2) for c in apart.components)[-2:] == [0.47, 0.47]


def test_what_cannot_both_be_true_leaves_anything_possible() -> None:
    both = fused([at(0, 0, 1.0, floor=0.0), at(0, 180, 1.0, floor=0.0)])
    assert both.floor == pytest.approx(1)


def test_the_number_of_parts_is_bounded() -> None:
    many = GeoPrior.mixture([Component(i / 10, 0, 1e5, 1) for i in range(40)], 0.1, "vlm")
    assert len(fused([many, many, many]).components) <= MAX_PARTS


@given(priors(), priors(), priors())
def test_the_average_is_that_of_the_densities(a: GeoPrior, b: GeoPrior, c: GeoPrior) -> None:
    parts = [part for prior in (a, b, c) for part in prior.components]
    if len({(p.lat_deg, p.lon_deg, p.label) for p in parts}) < len(parts):
        return  # those become one
    densities = [np.exp(prior.log_density(LAT, LON)) for prior in (a, b, c)]
    together = np.exp(averaged([a, b, c]).log_density(LAT, LON))
    np.testing.assert_allclose(together, np.mean(densities, axis=0), rtol=1e-6, atol=1e-12)


def test_the_average_of_equals_is_no_surer() -> None:
    prior = at(48, 11, 1e4)
    assert averaged([prior] * 5) == prior


def test_one_that_contradicts_is_outvoted() -> None:
    most = averaged([at(48, 11, 1e4), at(-33, 151, 1e4), at(48, 11, 3e4)])
    assert [round(c.weight, 2) for c in most.components] == [0.6, 0.3]
    assert 1e4 < most.components[0].sigma_m < 3e4


def test_the_average_of_nothing_known_is_anywhere() -> None:
    assert averaged([GeoPrior((), 1.0, "vlm")] * 2).floor == 1


def test_the_parts_of_an_average_are_bounded() -> None:
    many = [at(i / 10, 0, 1e5) for i in range(MAX_PARTS + 9)]
    assert len(averaged(many).components) == MAX_PARTS
