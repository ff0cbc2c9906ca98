"""Priors that the user configures: a centre, a GeoJSON."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from support.priors import priors
from support.properties import given

from vlm_vpr_ros.config import PriorConfig, node_config
from vlm_vpr_ros.errors import ConfigError, PriorError
from vlm_vpr_ros.prior.fixed import fixed_prior
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.prior.geojson import features, read_components


def test_nothing_configured_is_no_prior() -> None:
    assert fixed_prior(PriorConfig()) is None


def test_the_radius_holds_nine_in_ten() -> None:
    prior = fixed_prior(PriorConfig(center="48.137, 11.575", radius_km=10))
    assert prior is not None and prior.source == "fixed"
    mass = prior.cell_mass(48.137, 11.575, np.pi * 10e3**2)
    assert mass == pytest.approx(0.9 * (1 - prior.floor), abs=1e-3)


@pytest.mark.parametrize("center", ["48", "48,", "a,b", "1,2,3", "91,0", "0,181", "nan,0"])
def test_a_center_that_is_none_is_refused_by_name(center: str) -> None:
    with pytest.raises(ConfigError, match=r"prior\.center.*latitude, longitude"):
        node_config({"prior.center": center})


def write(path: Path, tree: Any) -> Path:
    path.write_text(tree if isinstance(tree, str) else json.dumps(tree), encoding="utf-8")
    return path


def feature(kind: str, coordinates: Any, **properties: Any) -> dict[str, Any]:
    geometry = {"type": kind, "coordinates": coordinates}
    return {"type": "Feature", "geometry": geometry, "properties": properties}


def square(west: float, south: float, east: float, north: float) -> list[list[list[float]]]:
    return [[[west, south], [east, south], [east, north], [west, north], [west, south]]]


def collection(*members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(members)}


def test_points_and_areas_share_by_weight(tmp_path: Path) -> None:
    tree = collection(
        feature("Point", [11.5, 48.1, 520.0], sigma_m=300.0, weight=3, label="depot"),
        feature("Polygon", square(8, 47, 9, 48), name="canton"),
    )
    path = write(tmp_path / "here.geojson", tree)
    prior = fixed_prior(PriorConfig(geojson=str(path)))
    assert prior is not None
    depot = [c for c in prior.components if c.label == "depot"]
    canton = [c for c in prior.components if c.label == "canton"]
    assert [(c.lat_deg, c.lon_deg, c.sigma_m) for c in depot] == [(48.1, 11.5, 300.0)]
    assert depot[0].weight == pytest.approx(3 * sum(c.weight for c in canton))
    assert prior.log_density(47.5, 8.5) > prior.log_density(47.5, 11) + 3
    assert len(canton) >= 12


@pytest.mark.parametrize("north", [90.0, 60.0])
def test_an_edge_around_the_earth_is_refused_by_name(tmp_path: Path, north: float) -> None:
    path = write(tmp_path / "world.json", feature("Polygon", square(-180, -north, 180, north)))
    with pytest.raises(PriorError, match=r"world\.json: .*around the Earth"):
        read_components(path, 1.0)


def test_the_whole_earth_is_two_halves(tmp_path: Path) -> None:
    halves = [square(-180, -90, 0, 90), square(0, -90, 180, 90)]
    parts = read_components(write(tmp_path / "w.json", feature("MultiPolygon", halves)), 1.0)
    east = sum(part.weight for part in parts if part.lon_deg > 0)
    assert east == pytest.approx(0.5, abs=0.1)
    assert {part.lat_deg > 0 for part in parts if abs(part.lat_deg) > 50} == {True, False}


@pytest.mark.parametrize(("west", "span"), [(179.0, 2.0), (-0.0005, 0.001), (10.0, 30.0)])
def test_an_area_is_covered_evenly(tmp_path: Path, west: float, span: float) -> None:
    def lon(part: float) -> float:
        return (west + span * part + 180) % 360 - 180

    half = span / 2
    area = feature("Polygon", square(west, -half, lon(1), half))
    parts = read_components(write(tmp_path / "a.geojson", area), 1.0)
    prior = GeoPrior.mixture(parts, 0.0, "fixed")
    inner = [(half * y, lon(x)) for y in (-0.5, 0, 0.5) for x in (0.25, 0.5, 0.75)]
    inside = prior.log_density(*np.array(inner).T)
    assert np.ptp(inside) < 1.0
    assert prior.log_density(0, lon(3)) < inside.min() - 5


@given(priors())
def test_features_read_back(prior: GeoPrior) -> None:
    if not prior.components:
        return
    with TemporaryDirectory() as folder:
        path = write(Path(folder) / "p.geojson", collection(*features(prior)))
        parts = read_components(path, 1.0)
    back = GeoPrior.mixture(parts, prior.floor, prior.source)
    lat, lon = np.array([(c.lat_deg, c.lon_deg) for c in prior.components]).T
    np.testing.assert_allclose(back.log_density(lat, lon), prior.log_density(lat, lon), atol=1e-6)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ("{", "Expecting"),
        ("[1]", "without a geometry"),
        ("7", "without a geometry"),
        ("[" * 100_000, "cannot be used"),
        (collection(), "neither points nor areas"),
        ({"type": "FeatureCollection", "features": [1]}, "no list of objects"),
        (collection(*[feature("Point", [0, 0])] * 201), "201 features"),
        (feature("Point", [11.5]), "position"),
        (feature("Point", [48.1, 111.5]), r"no \[longitude, latitude\]"),
        (feature("Point", ["11", "48"]), "no number"),
        (feature("Point", [11.5, 48.1], sigma_m=-1), "sigma -1"),
        (feature("Point", [11.5, 48.1], sigma_m="wide"), "no number"),
        (feature("Point", [11.5, 48.1], weight=-1), "weight"),
        (feature("Point", [10**400, 48.1]), "coordinate is too large"),
        (feature("Point", [11.5, 48.1], weight=10**400), "weight is too large"),
        (feature("Point", [11.5, 48.1], sigma_m=10**400), "sigma_m is too large"),
        (feature("Polygon", [[[0, 0], [1, 0], [1, 10**400], [0, 0]]]), "coordinate is too large"),
        (feature("LineString", [[0, 0], [1, 1]]), "LineString"),
        (feature("Polygon", []), "outline"),
        (feature("Polygon", [[]]), "four positions"),
        (feature("Polygon", [[[0, 0], [1, 0], [1, 1], 5]]), "position"),
        (feature("MultiPolygon", [[7]]), "four positions"),
        (feature("Polygon", [[[3, 3]] * 4]), "without extent"),
        ({"type": "Feature", "geometry": None}, "without a geometry"),
        ({"type": "Feature", "properties": [], "geometry": []}, "without a geometry"),
    ],
)
def test_files_of_strangers_are_refused_by_name(tmp_path: Path, tree: Any, said: str) -> None:
    path = write(tmp_path / "bad.geojson", tree)
    with pytest.raises(PriorError, match=said) as refusal:
        fixed_prior(PriorConfig(geojson=str(path)))
    assert str(path) in str(refusal.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PriorError, match=r"absent\.geojson.*No such file"):
        fixed_prior(PriorConfig(geojson=str(tmp_path / "absent.geojson")))
