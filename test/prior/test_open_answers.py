"""Answers in a model's words become a prior; nothing in them can make it invalid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlm_vpr_ros.prior.answers import OpenAnswer
from vlm_vpr_ros.prior.choice import prior_of_choice
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.prior.open_answers import prior_of_open
from vlm_vpr_ros.region.places import Place

LUND = OpenAnswer("Sweden", "Skåne", "Lund", 55.70, 13.19)
PARIS, OSLO, TOKYO = (48.86, 2.35), (59.91, 10.75), (35.68, 139.76)


def prior(*answers: OpenAnswer) -> GeoPrior:
    made = prior_of_open(answers, Gazetteer.load())
    assert made.floor + sum(c.weight for c in made.components) == pytest.approx(1)
    assert made.source == "vlm"
    return made


def density(made: GeoPrior, point: tuple[float, float]) -> float:
    return float(np.exp(made.log_density(*point)))


def test_answers_that_agree_point_there() -> None:
    made = prior(LUND, LUND, LUND)
    assert made.components[0].label == "Lund, Sweden"
    assert density(made, (55.70, 13.19)) > 1e3 * density(made, PARIS)
    assert density(made, (55.60, 13.0)) > density(made, OSLO) > density(made, TOKYO)


def test_even_answers_that_agree_keep_a_floor_and_wide_errors() -> None:
    made = prior(*[LUND] * 8)
    assert made.floor >= 0.1
    wide = sum(c.weight for c in made.components if c.sigma_m > 200e3)
    assert 0.2 < wide < 0.7


@pytest.mark.parametrize(
    ("within_km", "photos", "street_views"),
    [(25, 0.461, 0.096), (200, 0.598, 0.323), (750, 0.737, 0.652)],  # the floor tells the rest
)
def test_a_prior_is_as_sure_as_published_models_are_right(
    within_km: float, photos: float, street_views: float
) -> None:
    city = OpenAnswer("Sweden", "Skåne", "Lund")
    parts = prior(city, city, city).components
    sigma_m, weight = np.array([(c.sigma_m, c.weight) for c in parts]).T
    inside = float(weight @ -np.expm1(-((1000 * within_km / sigma_m) ** 2) / 2))
    assert inside == pytest.approx((photos + street_views) / 2, abs=0.04)


def test_answers_that_differ_are_all_kept() -> None:
    made = prior(LUND, OpenAnswer("France", "", "Paris"), OpenAnswer("Japan", "", "Tokyo"))
    at = [density(made, p) for p in ((55.70, 13.19), PARIS, TOKYO)]
    alone = density(prior(LUND), (55.70, 13.19))
    assert all(density(made, (0.0, -140.0)) * 30 < d < alone for d in at)


def test_names_and_coordinates_that_contradict_each_other_are_both_kept_with_less() -> None:
    both = prior(OpenAnswer("France", "", "Paris", *TOKYO))
    agreed = prior(OpenAnswer("France", "", "Paris", *PARIS))
    for point in (PARIS, TOKYO):
        assert density(both, point) > 30 * density(both, (0.0, -140.0))
    assert density(both, PARIS) < density(agreed, PARIS)
    assert both.floor > agreed.floor


def test_coordinates_choose_among_places_of_one_name() -> None:
    springfields = prior(OpenAnswer(city="Springfield"))
    illinois = prior(OpenAnswer(city="Springfield", lat_deg=39.8, lon_deg=-89.6))
    assert density(illinois, (39.8, -89.6)) > 3 * density(springfields, (39.8, -89.6))


def test_missing_pieces() -> None:
    assert prior(OpenAnswer()) == prior() == GeoPrior((), 1.0, "vlm")
    assert prior(OpenAnswer(country="Nowhereland", lat_deg=0.0, lon_deg=0.0)).components == ()
    only_point = prior(OpenAnswer(lat_deg=55.7, lon_deg=13.2))
    assert only_point.components[0].label == "55.70° N, 13.20° E"
    half = prior(OpenAnswer(), LUND)
    assert half.floor == pytest.approx(0.625, abs=0.03)  # half of the answers said nothing


def test_a_country_is_wider_than_a_city() -> None:
    country, city = prior(OpenAnswer("Sweden")), prior(LUND)
    assert country.components[0].sigma_m > 10 * city.components[0].sigma_m


def test_coordinates_that_scatter_say_how_precisely() -> None:
    near = [OpenAnswer(lat_deg=55.7 + 0.3 * i, lon_deg=13.2) for i in range(4)]
    assert prior(*near).components[0].sigma_m > 1.3 * prior(near[0]).components[0].sigma_m


texts = st.one_of(st.just(""), st.text(max_size=20), st.sampled_from(["Paris", "USA", "Georgia"]))
answers = st.builds(
    OpenAnswer,
    country=texts,
    region=texts,
    city=texts,
    lat_deg=st.none() | st.floats(-90, 90),
    lon_deg=st.none() | st.floats(-180, 180),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(answers, max_size=5))
def test_any_answers_make_a_valid_prior(said: list[OpenAnswer]) -> None:
    made = prior(*said)
    assert len(made.components) <= 30
    assert np.isfinite(made.log_density([-90, 0, 90], [180, 0, -180])).all()


def place(label: str, lat: float, lon: float, radius_m: float = 3000.0) -> Place:
    return Place(label, "", "", label, lat, lon, radius_m, 10)


def test_a_choice_is_a_gaussian_a_place() -> None:
    made = prior_of_choice(
        [0.7, 0.3, 0.0], [place("a", *PARIS), place("b", *OSLO, 10.0), place("c", 0, 0)]
    )
    first, second = made.components
    assert (first.label, first.sigma_m, second.sigma_m) == ("a", 3000.0, 1000.0)
    assert first.weight / second.weight == pytest.approx(7 / 3)
    assert 0.05 < made.floor < 0.2
    assert made.floor + first.weight + second.weight == pytest.approx(1)


def test_what_the_probabilities_lack_is_spread() -> None:
    made = prior_of_choice([0.25, 0.25], [place("a", *PARIS), place("b", *OSLO)])
    assert made.floor > 0.5
    assert prior_of_choice([], []) == prior_of_choice([0.0], [place("a", 0, 0)])


@pytest.mark.parametrize("wrong", [[0.5], [0.5, 0.6], [float("nan"), 0.1], [-0.1, 0.5]])
def test_probabilities_that_are_none(wrong: list[float]) -> None:
    with pytest.raises(ValueError):
        prior_of_choice(wrong, [place("a", *PARIS), place("b", *OSLO)])
