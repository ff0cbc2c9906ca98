from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import Diary, Recording, accepted, query, references, refused, region

from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.evaluation.drawing import CHI2_95, draw
from vlm_vpr_ros.evaluation.evaluation_scene import evaluation_scene
from vlm_vpr_ros.evaluation.map import check_map_path, write_map
from vlm_vpr_ros.evaluation.map_geojson import feature_collection
from vlm_vpr_ros.evaluation.map_html import page
from vlm_vpr_ros.evaluation.plane import middle_longitude, plane_around
from vlm_vpr_ros.evaluation.region_scene import MAX_REFERENCES, region_scene
from vlm_vpr_ros.evaluation.run import evaluate
from vlm_vpr_ros.evaluation.scene import Ellipses, Layer, Lines, Points, Scene
from vlm_vpr_ros.geodesy import distance_m, east_north_m
from vlm_vpr_ros.types import GeoPoint

STREET = references(
    [0.0, 0.0005, 0.001, 0.02], [0.0, 0.0, 0.0, 0.0], heading_deg=[0, 90, np.nan, 0]
)


class Page(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [v or "" for k, v in attrs if k in {"src", "href", "action"}]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "script":
            self.scripts.append(data)

    @property
    def data(self) -> Any:
        return json.loads(self.scripts[0])


def test_the_page_fetches_nothing() -> None:
    text = page(draw(region_scene(region(STREET))))
    assert Page(text).addresses == []
    assert not re.search(r"https?:|//[a-z]|@import|url\(", text)
    assert "default-src 'none'" in text


@given(st.text(), st.text(), st.text())
def test_names_of_strangers_stay_text(title: str, drive: str, source: str) -> None:
    scene = Scene(
        title, "", (Layer(drive, "#000000", (Points(np.zeros(1), np.zeros(1), (source,)),)),)
    )
    seen = Page(page(draw(scene)))
    assert seen.tags.count("script") == 2
    layer = seen.data["layers"][0]
    assert (layer["name"], layer["points"][0]["labels"]) == (drive, [source])


@pytest.mark.parametrize(
    "name", ["</script><script>alert(1)</script>", "<!--<script>", "@@data@@", "<img onerror=x>"]
)
def test_names_that_would_break_out_do_not(name: str) -> None:
    rows = references([0.0], [0.0], drive=[name])
    scene = region_scene(region(rows))
    seen = Page(page(draw(Scene(name, name, scene.layers))))
    assert seen.tags.count("script") == 2 and "img" not in seen.tags
    assert seen.data["layers"][0]["name"] == f"{name} (1)"


def test_a_drive_is_joined_where_its_references_are_near() -> None:
    (layer,) = region_scene(region(STREET)).layers
    ways, points, start, end = layer.shapes
    assert isinstance(ways, Lines) and [len(lat) for lat in ways.lat_deg] == [3]
    assert isinstance(points, Points) and points.heading_deg is not None
    assert "looking 90°" in points.labels[1] and "±3.0 m" in points.labels[1]
    assert "looking" not in points.labels[2]
    assert isinstance(start, Points) and start.mark == "start" and start.lat_deg[0] == 0.0
    assert isinstance(end, Points) and end.mark == "end" and end.lat_deg[0] == 0.02


def test_large_regions_are_thinned_and_say_so() -> None:
    count = 3 * MAX_REFERENCES
    rows = references(np.linspace(0, 1, count), np.zeros(count))
    scene = region_scene(region(rows))
    assert "1 of 3 shown" in scene.subtitle
    points = [s for layer in scene.layers for s in layer.shapes if isinstance(s, Points)]
    assert sum(len(p.labels) for p in points if p.mark == "dot") == MAX_REFERENCES


def test_a_street_across_the_antimeridian_is_short() -> None:
    rows = references([-16.8] * 3, [179.9995, -180.0, -179.9995])
    box = draw(region_scene(region(rows))).box
    assert box[2] - box[0] == pytest.approx(106.6, abs=0.1)


def test_a_world_map_is_cut_where_it_ends() -> None:
    line = Lines((np.array([10.0, 10.0]),), (np.array([170.0, -170.0]),))
    everywhere = Points(np.zeros(23), np.arange(-165.0, 166, 15), ("",) * 23)
    drawing = draw(Scene("", "", (Layer("", "#000000", (line, everywhere)),)))
    assert not drawing.plane.local
    assert drawing.layers[0].lines == ()


@given(st.floats(-89, 89), st.floats(-180, 180), st.floats(-0.5, 0.5), st.floats(-0.5, 0.5))
def test_local_maps_are_true_to_scale_anywhere(
    lat: float, lon: float, north: float, east: float
) -> None:
    lats = np.array([lat, lat + north])
    lons = np.array([lon, (lon + east + 180) % 360 - 180])
    plane = plane_around(lats, lons)
    assert plane.local
    a, b = plane.xy(lats, lons)
    assert np.hypot(*(a - b)) == pytest.approx(distance_m(lat, lon, lats[1], lons[1]), rel=1e-3)


@given(st.lists(st.floats(-180, 180), min_size=1, max_size=10))
def test_the_middle_is_within_half_the_shortest_arc(longitudes: list[float]) -> None:
    middle = middle_longitude(np.array(longitudes))
    away = [abs((lon - middle + 180) % 360 - 180) for lon in longitudes]
    turned = sorted((lon - longitudes[0]) % 360 for lon in longitudes)
    gaps = [b - a for a, b in zip(turned, [*turned[1:], 360.0], strict=True)]
    assert -180 <= middle <= 180
    assert max(away) <= (360 - max(gaps)) / 2 + 1e-6


def test_an_ellipse_holds_95_percent() -> None:
    ellipse = Ellipses(np.zeros(1), np.zeros(1), np.array([[[4.0, 0.0], [0.0, 25.0]]]))
    (outline,) = draw(Scene("", "", (Layer("", "#000000", (ellipse,)),))).layers[0].outlines
    assert np.ptp(outline[:, 0]) == pytest.approx(4 * CHI2_95**0.5, rel=0.01)
    assert np.ptp(outline[:, 1]) == pytest.approx(10 * CHI2_95**0.5, rel=0.01)


def test_an_evaluation_shows_right_false_and_refused() -> None:
    outcomes = iter([accepted(GeoPoint(0, 0.0001)), accepted(GeoPoint(0.01, 0)), refused()])

    class InTurn(Diary):
        def localize(self, _: object, __: float = 0.0) -> Any:
            return next(outcomes)

    recording = Recording([query("1"), query("2"), query("3")])
    evaluation = evaluate([recording], STREET, InTurn(refused()), Diary(refused()))
    scene = evaluation_scene(evaluation, region(STREET), 50.0)
    names = [layer.name for layer in scene.layers]
    assert names == ["a (4)", "refused, at their truth (1)", "right fixes (1)", "false fixes (1)"]
    assert draw(scene).box[3] > 1000


@pytest.mark.parametrize("drive", ["street", "$x^2$ \\frac", "_hidden", "\x1b[31m\n", "街"])
@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_pictures_are_drawn_whatever_the_names(tmp_path: Path, drive: str) -> None:
    rows = references([0.0, 0.0005], [0.0, 0.0], drive=[drive] * 2)
    write_map(region_scene(region(rows)), tmp_path / "map.png")
    assert cv2.imread(str(tmp_path / "map.png")).shape[0] > 300


@pytest.mark.parametrize(
    "lat, lon", [([51.5], [0.0]), ([90.0], [0.0]), ([0, 60, -60], [0, 170, -170])]
)
def test_points_and_worlds_are_drawn(tmp_path: Path, lat: list[float], lon: list[float]) -> None:
    scene = region_scene(region(references(lat, lon)))
    write_map(scene, tmp_path / "map.png")
    write_map(scene, tmp_path / "map.html")
    assert Page((tmp_path / "map.html").read_text(encoding="utf-8")).data["layers"]


def test_a_scene_is_geojson_for_other_programs(tmp_path: Path) -> None:
    write_map(region_scene(region(STREET)), tmp_path / "map.geojson")
    collection = json.loads((tmp_path / "map.geojson").read_text(encoding="utf-8"))
    kinds = [feature["geometry"]["type"] for feature in collection["features"]]
    assert kinds == ["LineString", *["Point"] * 4, "Point", "Point"]
    first = collection["features"][1]
    assert first["geometry"]["coordinates"] == [0.0, 0.0]
    assert first["properties"] == {
        "layer": "a (4)",
        "color": "#0072b2",
        "label": STREET.source[0] + "\na\n0.000000, 0.000000\n±3.0 m\nlooking 0°",
        "mark": "dot",
        "heading_deg": 0.0,
    }
    assert collection["features"][3]["properties"]["heading_deg"] is None


@given(
    st.floats(-89.9, 89.9),
    st.floats(-180, 180),
    st.floats(1, 1e4),
    st.floats(1, 1e4),
    st.floats(-0.9, 0.9),
)
def test_an_ellipse_is_a_ring_that_turns_left_at_its_distance(
    lat: float, lon: float, east_m2: float, north_m2: float, correlation: float
) -> None:
    both = correlation * (east_m2 * north_m2) ** 0.5
    covariance = np.array([[east_m2, both], [both, north_m2]])
    ellipse = Ellipses(np.array([lat]), np.array([lon]), covariance[None])
    scene = Scene("", "", (Layer("", "#000000", (ellipse,)),))
    (feature,) = feature_collection(scene)["features"]
    (ring,) = feature["geometry"]["coordinates"]
    assert ring[0] == pytest.approx(ring[-1], abs=1e-6)
    x, y = np.array(ring).T
    assert np.abs(np.diff(x)).max() < 180
    offsets = east_north_m(lat, lon, y, x)
    squared = np.einsum("ni,ij,nj->n", offsets, np.linalg.inv(covariance), offsets)
    assert squared == pytest.approx(np.full(len(ring), CHI2_95), rel=0.02)
    (a, b), (c, d) = offsets[:-1].T, offsets[1:].T
    assert (a * d - b * c).sum() > 0


def test_other_endings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"ends in \.html, \.png or \.geojson"):
        check_map_path(tmp_path / "map.pdf")
