"""References get the names of the towns they are in."""

from __future__ import annotations

from dataclasses import replace

import h3
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.small_regions import references

from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.mapping.place_names import places_of
from vlm_vpr_ros.prior.city_table import CityTable
from vlm_vpr_ros.region.places import MAX_PLACES, Place
from vlm_vpr_ros.region.references import References


def at(lat_deg, lon_deg) -> References:
    lat, lon = np.asarray(lat_deg, float), np.asarray(lon_deg, float)
    cells = [h3.str_to_int(h3.latlng_to_cell(y, x, 8)) for y, x in zip(lat, lon, strict=True)]
    table = references(len(lat))
    return replace(table, lat_deg=lat, lon_deg=lon, cell=np.array(cells, np.uint64))


def check(places: tuple[Place, ...], table: References) -> None:
    assert 1 <= len(places) <= MAX_PLACES
    assert sum(place.references for place in places) == len(table)
    assert len({place.label for place in places}) == len(places)
    away_m = [distance_m(p.lat_deg, p.lon_deg, table.lat_deg, table.lon_deg) for p in places]
    radii_m = np.array([[place.radius_m] for place in places])
    assert (np.array(away_m) <= radii_m * 1.01 + 1).any(axis=0).all()


@pytest.mark.parametrize(
    ("lat", "lon", "label", "admin1"),
    [
        (55.705, 13.193, "Lund, Sweden", "Skåne"),
        (52.57, 13.40, "Berlin, Germany", "Berlin"),  # Pankow: a part of Berlin
        (40.75, -73.98, "New York City, New York, United States", "New York"),
        (-27.477, 153.028, "Brisbane, Queensland, Australia", "Queensland"),
        (49.01, 8.40, "Karlsruhe, Germany", "Baden-Württemberg"),
        (50.048, 8.572, "Frankfurt am Main, Germany", "Hesse"),  # a suburb of a suburb
        (42.66, 21.16, "Pristina, Kosovo", ""),
    ],
)
def test_streets_are_in_their_towns(lat: float, lon: float, label: str, admin1: str) -> None:
    (place,) = places_of(at([lat, lat + 0.001], [lon, lon]))
    assert (place.label, place.admin1, place.references) == (label, admin1, 2)
    assert place.city and place.country
    assert place.lat_deg == pytest.approx(lat + 0.0005, abs=1e-5)


def test_towns_of_one_name_get_labels_that_tell_them_apart() -> None:
    cities = CityTable.load()
    rows = [r for r in cities.rows_of_name["Springfield"] if cities.country[r] == "US"][:8]
    twins = [r for r in cities.rows_of_name["San Francisco"] if cities.country[r] == "MX"][:3]
    table = at(cities.lat_deg[rows + twins], cities.lon_deg[rows + twins])
    check(places_of(table), table)


def test_a_large_city_is_told_by_quarters() -> None:
    rng = np.random.default_rng(3)
    lat, lon = 52.52 + rng.uniform(-0.2, 0.2, 500), 13.40 + rng.uniform(-0.3, 0.3, 500)
    table = at(lat, lon)
    places = places_of(table)
    check(places, table)
    by_label = {place.label: place for place in places}
    north_east, south = (
        by_label["Berlin (north-east), Germany"],
        by_label["Berlin (south), Germany"],
    )
    assert north_east.lat_deg > south.lat_deg and north_east.lon_deg > south.lon_deg
    assert "Berlin (centre), Germany" in by_label


def test_far_from_any_town_places_are_told_by_where_they_are() -> None:
    table = at([89.95, -89.95, 0.0, 0.0], [0.0, 120.0, -30.0, -30.001])
    places = places_of(table)
    check(places, table)
    assert {p.label for p in places} == {"90° N, 0° E", "90° S, 120° E", "0° N, 30° W"}
    assert all(p.country == p.city == p.admin1 == "" for p in places)


def test_a_place_across_the_antimeridian_is_one() -> None:
    (place,) = places_of(at([-16.81] * 4, [179.995, -179.995, 179.99, -179.99]))
    assert abs(place.lon_deg) == pytest.approx(180, abs=1e-3)
    assert place.radius_m < 2000


def test_more_towns_than_places_are_told_by_region() -> None:
    cities = CityTable.load()
    largest = np.argsort(-cities.population)[:700]
    table = at(cities.lat_deg[largest], cities.lon_deg[largest])
    places = places_of(table)
    check(places, table)
    assert all(place.city == "" for place in places)
    assert any(place.label == "California, United States" for place in places)


def test_more_regions_than_places_are_told_by_country() -> None:
    cities = CityTable.load()
    table = at(cities.lat_deg[::40], cities.lon_deg[::40])
    places = places_of(table)
    assert len(places) <= MAX_PLACES
    assert all(place.admin1 == place.city == "" for place in places)
    assert {"Sweden", "United States"} <= {place.label for place in places}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=12))
def test_anywhere_on_earth(points: list[tuple[float, float]]) -> None:
    table = at(*zip(*points, strict=True))
    places = places_of(table)
    assert sum(place.references for place in places) == len(points)
    assert len({place.label for place in places}) == len(places)
    assert places == places_of(table)
