"""Building a region: what goes in, what is left out, adding a drive."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support.streets import FakeSource, bad_image, drive, observation, view
from support.tiny_encoder import DIM, add_generic_mean, write_tiny_encoder

from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.errors import ConfigError, ImageError, RegionError, SourceError
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.mapping.coordinates import NOT_ON_EARTH, UNKNOWN_PLACE
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.manifest import JOURNAL
from vlm_vpr_ros.region.neighbours import neighbours
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import GeoPoint, RgbImage


@pytest.fixture(name="encoder", scope="module")
def _encoder(tmp_path_factory: pytest.TempPathFactory) -> Encoder:
    card = write_tiny_encoder(tmp_path_factory.mktemp("models"))
    return Encoder.load(EncoderConfig(name=str(card), providers=("CPUExecutionProvider",)))


def missing_file() -> RgbImage:
    raise FileNotFoundError(2, "No such file or directory", "photo_9.jpg")


def best(region: Region, encoder: Encoder, image: RgbImage, k: int = 1) -> list[tuple[str, float]]:
    raw = encoder.encode(image) - region.mean_descriptor
    found = region.search(raw / np.linalg.norm(raw), k)
    return [(region.references.source[c.reference], c.similarity) for c in found]


def test_interleaved_drives_are_neighbours_in_the_region(tmp_path: Path, encoder: Encoder) -> None:
    (tmp_path / "town").mkdir()
    rows = ["path,lat,lon,drive"]
    for place in range(6):
        name = f"{place}.png"
        Image.fromarray(view(place)).save(tmp_path / "town" / name)
        rows.append(f"{name},45.4,{11.9 + 5e-5 * (place // 2)},{'ab'[place % 2]}")
    (tmp_path / "town" / "two.csv").write_text("\n".join(rows))
    source = open_source(tmp_path / "town" / "two.csv")
    assert build_region([source], tmp_path / "region", Networks(encoder)).added == {"a": 3, "b": 3}
    references = Region.open(tmp_path / "region").references
    assert references.source == ("0.png", "2.png", "4.png", "1.png", "3.png", "5.png")
    assert neighbours(references, range(6)) == [(1,), (0, 2), (1,), (4,), (3, 5), (4,)]


@pytest.mark.parametrize("names", [("é" * 2049, "a"), ("a", "é" * 2049)])
def test_a_name_that_no_region_holds(
    tmp_path: Path, encoder: Encoder, names: tuple[str, str]
) -> None:
    source = FakeSource("long", [observation(0, names[0], source=names[1])])
    with pytest.raises(SourceError, match="long: the name `éé.*has 4098 bytes, more than 4096"):
        build_region([source], tmp_path / "region", Networks(encoder))


def test_a_source_that_does_not_keep_its_drives_whole(tmp_path: Path, encoder: Encoder) -> None:
    source = FakeSource("mixed", [observation(place, drive) for place, drive in enumerate("aba")])
    with pytest.raises(SourceError, match="mixed: drive `a` goes on"):
        build_region([source], tmp_path / "region", Networks(encoder))


def test_a_build_finds_its_places(tmp_path: Path, encoder: Encoder) -> None:
    done: list[int] = []
    summary = build_region(
        [drive("monday", range(20)), drive("tuesday", range(30, 45))],
        tmp_path / "region",
        Networks(encoder),
        progress=done.append,
    )
    assert summary.added == {"monday": 20, "tuesday": 15}
    assert summary.total == sum(done) == 35
    assert not summary.failures and not summary.report.left_out
    region = Region.open(tmp_path / "region", verify=True)
    region.check_encoder(encoder.card.name, encoder.fingerprint, DIM)
    for place in (0, 15, 19, 30, 44):
        name, similarity = best(region, encoder, view(place, visit=1))[0]
        assert name.endswith(f"{place:04d}.png") and similarity > 0.98
    assert region.references.point(3).alt_m == 103
    assert region.references.sigma_m[3] == 1.5
    journal = [json.loads(x) for x in (tmp_path / "region" / JOURNAL).read_text().splitlines()]
    assert [entry["added"] for entry in journal] == [summary.added]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["region"]


def test_bad_images_are_counted_and_named(tmp_path: Path, encoder: Encoder) -> None:
    loads = {3: bad_image, 17: missing_file, 18: lambda: np.zeros((5, 5), np.uint8)}
    summary = build_region(
        [drive("a", range(25), loads=loads)], tmp_path / "region", Networks(encoder)
    )
    assert summary.total == 22
    assert [f.source for f in summary.failures] == ["a/0003.png", "a/0017.png", "a/0018.png"]
    assert "ends too early" in summary.failures[0].error
    assert "photo_9.jpg" in summary.failures[1].error
    assert "not an RGB image" in summary.failures[2].error
    region = Region.open(tmp_path / "region", verify=True)
    assert "a/0003.png" not in region.references.source
    assert best(region, encoder, view(24, 1))[0][0] == "a/0024.png"


def test_photos_of_many_sizes_and_a_dynamic_network(tmp_path: Path) -> None:
    card = write_tiny_encoder(tmp_path / "models", size=None)
    encoder = Encoder.load(EncoderConfig(name=str(card), providers=("CPUExecutionProvider",)))
    loads = {i: (lambda i=i: view(i, size=(60 + i % 4, 80))) for i in range(20)}
    loads[7] = lambda: np.zeros((2, 2, 3), np.uint8)
    summary = build_region(
        [drive("a", range(20), loads=loads)], tmp_path / "region", Networks(encoder)
    )
    assert summary.total == 19
    assert [f.source for f in summary.failures] == ["a/0007.png"]
    assert "2 x 2 pixels" in summary.failures[0].error


def test_a_source_without_images(tmp_path: Path, encoder: Encoder) -> None:
    with pytest.raises(SourceError, match="a: no image with a position to map. They list none."):
        build_region([FakeSource("a", [])], tmp_path / "region", Networks(encoder))


def test_the_root_of_all_folders_is_no_region(encoder: Encoder) -> None:
    with pytest.raises(RegionError, match="/: cannot become a region"):
        build_region([drive("a", range(3))], Path("/"), Networks(encoder))


def test_all_images_bad(tmp_path: Path, encoder: Encoder) -> None:
    source = drive("a", range(3), loads=dict.fromkeys(range(3), bad_image))
    with pytest.raises(SourceError, match="a: no image with a position.*ends too early"):
        build_region([source], tmp_path / "region", Networks(encoder))
    assert not list(tmp_path.iterdir())


def test_nothing_with_a_position(tmp_path: Path, encoder: Encoder) -> None:
    source = FakeSource("indoor", [observation(i, "indoor", position=None) for i in range(3)])
    source.report.remark("/fix has no messages.")
    with pytest.raises(
        SourceError, match="indoor: no image.*/fix has no messages.*3 x image without a position"
    ):
        build_region([source], tmp_path / "region", Networks(encoder))
    assert not list(tmp_path.iterdir())
    with pytest.raises(SourceError):
        build_region([FakeSource("empty", [])], tmp_path / "region", Networks(encoder))


def test_positions_that_are_not_on_earth(tmp_path: Path, encoder: Encoder) -> None:
    wrong = [GeoPoint(np.nan, 0.0), GeoPoint(0.0, 360.0), GeoPoint(90.5, 0.0), GeoPoint(0, np.inf)]
    content = [observation(i, "a", position=p) for i, p in enumerate(wrong)]
    summary = build_region(
        [FakeSource("a", [*content, observation(9, "a")])], tmp_path / "region", Networks(encoder)
    )
    assert summary.total == 1
    assert summary.report.left_out == {"coordinates out of range": 4}


def test_unknown_values(tmp_path: Path, encoder: Encoder) -> None:
    unknown = {"sigma_m": None, "heading_deg": None, "stamp_ns": None}
    source = FakeSource("a", [observation(i, "a", **unknown) for i in range(3)])
    build_region([source], tmp_path / "region", Networks(encoder))
    table = Region.open(tmp_path / "region").references
    assert np.isnan(table.sigma_m).all() and np.isnan(table.heading_deg).all()
    assert (table.stamp_ns == -1).all()


def test_file_names_that_are_not_utf8(tmp_path: Path, encoder: Encoder) -> None:
    name = b"caf\xe9.jpg".decode(errors="surrogateescape")
    source = FakeSource(
        "a", [observation(0, "dr\udce9", source=name), observation(1, "dr\udce9", load=bad_image)]
    )
    summary = build_region([source], tmp_path / "region", Networks(encoder))
    assert summary.total == 1
    assert Region.open(tmp_path / "region").references.source == ("caf?.jpg",)


def test_what_cannot_be_on_earth_is_left_out_by_name(tmp_path: Path, encoder: Encoder) -> None:
    sound = [observation(place, "monday") for place in range(3)]
    high = observation(3, "monday", position=GeoPoint(45.4, 11.9, 1e9))
    nowhere = observation(4, "monday", sigma_m=1e9)
    source = FakeSource("monday", [*sound, high, nowhere])
    summary = build_region([source], tmp_path / "region", Networks(encoder))
    assert summary.added == {"monday": 3}
    assert summary.report.names == {
        NOT_ON_EARTH: [high.source],
        UNKNOWN_PLACE: [nowhere.source],
    }


def test_every_m(tmp_path: Path, encoder: Encoder) -> None:
    source = drive("a", [*range(6), *range(6)])  # 60 m apart
    summary = build_region([source], tmp_path / "region", Networks(encoder), every_m=100.0)
    assert summary.added == {"a": 6}
    assert summary.report.left_out == {"image less than 100 m from the last": 6}
    table = Region.open(tmp_path / "region").references
    assert table.source[:3] == ("a/0000.png", "a/0002.png", "a/0004.png")


@pytest.mark.parametrize("every_m", [-1.0, float("nan")])
def test_every_m_that_is_no_distance(tmp_path: Path, encoder: Encoder, every_m: float) -> None:
    with pytest.raises(ConfigError, match="every_m"):
        build_region(
            [drive("a", range(2))], tmp_path / "region", Networks(encoder), every_m=every_m
        )
    assert not list(tmp_path.iterdir())


def test_out_is_something_else(tmp_path: Path, encoder: Encoder) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "me.jpg").write_bytes(b"x")
    file = tmp_path / "file"
    file.write_bytes(b"x")
    for out in (folder, file):
        with pytest.raises(RegionError, match="exists and is not a region. Name another"):
            build_region([drive("a", range(2))], out, Networks(encoder))
        assert out.exists()
    with pytest.raises(RegionError, match="the build stopped"):
        build_region([drive("a", range(2))], file / "region", Networks(encoder))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["file", "photos"]


def test_out_is_an_empty_folder_or_here(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deep" / "region"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    build_region([drive("a", range(2))], Path(), Networks(encoder))
    assert Region.open(folder).manifest.references == 2
    assert [p.name for p in folder.parent.iterdir()] == ["region"]


def test_a_damaged_region_is_not_added_to(tmp_path: Path, encoder: Encoder) -> None:
    build_region([drive("a", range(3))], tmp_path / "region", Networks(encoder))
    path = tmp_path / "region" / "descriptors.faiss"
    data = path.read_bytes()
    path.write_bytes(data[:-20] + bytes([data[-20] ^ 1]) + data[-19:])
    with pytest.raises(RegionError, match="SHA-256 differs"):
        build_region([drive("b", range(3))], tmp_path / "region", Networks(encoder))


def test_a_region_of_another_encoder_is_not_added_to(tmp_path: Path, encoder: Encoder) -> None:
    build_region([drive("a", range(3))], tmp_path / "region", Networks(encoder))
    card = write_tiny_encoder(tmp_path / "models", name="other", seed=1)
    other = Encoder.load(EncoderConfig(name=str(card), providers=("CPUExecutionProvider",)))
    with pytest.raises(RegionError, match="built with the encoder `tiny`, not `other`"):
        build_region([drive("b", range(3))], tmp_path / "region", Networks(other))


def test_the_same_name_for_two_drives(tmp_path: Path, encoder: Encoder) -> None:
    two = [drive("a", range(2)), FakeSource("copy", drive("a", range(2)).content)]
    with pytest.raises(SourceError, match="a and copy both call their drive `a`.*--drive NAME"):
        build_region(two, tmp_path / "region", Networks(encoder))
    # The mended command works at once: nothing was encoded that could be resumed.
    build_region([drive("a", range(2))], tmp_path / "region", Networks(encoder))
    with pytest.raises(SourceError, match="has a drive `a` already.*--drive"):
        build_region([drive("a", range(2))], tmp_path / "region", Networks(encoder))
    assert build_region([drive("b", range(2))], tmp_path / "region", Networks(encoder)).total == 4


def test_an_added_drive_is_encoded_alone_and_found_as_in_one_build(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = drive("a", range(30)), drive("b", range(20, 60), visit=1)
    build_region([first, second], tmp_path / "both", Networks(encoder))
    build_region([first], tmp_path / "added", Networks(encoder))

    encoded: list[int] = []
    encode_batch = encoder.encode_batch

    def counting(images: list[RgbImage]) -> np.ndarray:
        encoded.append(len(images))
        return encode_batch(images)

    monkeypatch.setattr(encoder, "encode_batch", counting)
    summary = build_region([second], tmp_path / "added", Networks(encoder))
    assert sum(encoded) == 40
    monkeypatch.undo()
    assert (summary.added, summary.total) == ({"b": 40}, 70)

    both, added = Region.open(tmp_path / "both"), Region.open(tmp_path / "added", verify=True)
    np.testing.assert_allclose(both.mean_descriptor, added.mean_descriptor, atol=2e-4)
    assert added.references.source == both.references.source
    assert added.manifest.drives == both.manifest.drives
    assert added.manifest.bounds == both.manifest.bounds
    assert both.manifest.background is not None and added.manifest.background is not None
    np.testing.assert_allclose(
        both.manifest.background.quantiles, added.manifest.background.quantiles, atol=3e-3
    )
    for place in range(0, 60, 5):
        one = dict(best(both, encoder, view(place, visit=2), k=70))
        other = dict(best(added, encoder, view(place, visit=2), k=70))
        assert one.keys() == other.keys()
        assert max(abs(one[k] - other[k]) for k in one) < 3e-3
    journal = (tmp_path / "added" / JOURNAL).read_text().splitlines()
    assert [json.loads(line)["added"] for line in journal] == [{"a": 30}, {"b": 40}]


def test_what_others_laid_into_a_region_stays(tmp_path: Path, encoder: Encoder) -> None:
    out = tmp_path / "region"
    build_region([drive("a", range(3))], out, Networks(encoder))
    (out / "notes.txt").write_text("mine")
    (out / "maps" / "old").mkdir(parents=True)
    (out / "maps" / "old" / "1.html").write_text("map")
    (out / "link").symlink_to("nowhere")
    (out / "calibration.json").write_text("{}")
    summary = build_region([drive("b", range(5, 8))], out, Networks(encoder))
    assert (out / "notes.txt").read_text() == "mine"
    assert (out / "maps" / "old" / "1.html").read_text() == "map"
    assert (out / "link").readlink() == Path("nowhere")
    assert not (out / "calibration.json").exists()
    (remark,) = summary.report.remarks
    assert remark.startswith("calibration.json was made for the region without the new drives")
    assert Region.open(out, verify=True).manifest.references == 6


def test_places_are_named_and_named_anew_with_an_added_drive(
    tmp_path: Path, encoder: Encoder
) -> None:
    lund, bern = GeoPoint(55.7, 13.19), GeoPoint(46.95, 7.45)
    first = FakeSource("a", [observation(i, "a", position=lund) for i in range(3)])
    second = FakeSource("b", [observation(i, "b", position=bern) for i in range(5)])
    build_region([first], tmp_path / "region", Networks(encoder))
    (place,) = Region.open(tmp_path / "region", verify=True).places
    assert (place.label, place.references) == ("Lund, Sweden", 3)
    build_region([second], tmp_path / "region", Networks(encoder))
    places = Region.open(tmp_path / "region", verify=True).places
    assert [(p.label, p.references) for p in places] == [
        ("Bern, Switzerland", 5),
        ("Lund, Sweden", 3),
    ]


def test_many_additions_do_not_wear_the_descriptors_out(tmp_path: Path, encoder: Encoder) -> None:
    for i in range(12):
        build_region([drive(f"d{i}", [3 * i, 3 * i + 1])], tmp_path / "region", Networks(encoder))
    region = Region.open(tmp_path / "region")
    raw = encoder.encode_batch([view(p) for i in range(12) for p in (3 * i, 3 * i + 1)])
    np.testing.assert_allclose(region.raw_descriptors(), raw, atol=1e-3)


def test_a_small_region_leans_on_the_generic_mean(tmp_path: Path) -> None:
    card = write_tiny_encoder(tmp_path / "models")
    generic = np.full(DIM, 0.1, np.float32)
    add_generic_mean(card, generic)
    encoder = Encoder.load(EncoderConfig(name=str(card), providers=("CPUExecutionProvider",)))
    build_region([drive("a", range(10))], tmp_path / "region", Networks(encoder))
    own = encoder.encode_batch([view(i) for i in range(10)]).mean(axis=0)
    np.testing.assert_allclose(
        Region.open(tmp_path / "region").mean_descriptor, (10 * own + 30 * generic) / 40, atol=1e-5
    )


def test_one_place_has_no_background(tmp_path: Path, encoder: Encoder) -> None:
    source = FakeSource("a", [observation(0, "a", load=lambda i=i: view(i)) for i in range(5)])
    build_region([source], tmp_path / "region", Networks(encoder))
    assert Region.open(tmp_path / "region").manifest.background is None


def test_a_region_on_the_antimeridian(tmp_path: Path, encoder: Encoder) -> None:
    lons = [179.998, 179.999, -179.999, -179.998]
    content = [observation(i, "fiji", position=GeoPoint(-16.5, lon)) for i, lon in enumerate(lons)]
    build_region([FakeSource("fiji", content)], tmp_path / "region", Networks(encoder))
    bounds = Region.open(tmp_path / "region").manifest.bounds
    assert (bounds.west, bounds.east) == (179.998, -179.998)


def test_the_encoder_failing_is_no_bad_image(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> np.ndarray:
        raise RuntimeError("CUDA error 700")

    monkeypatch.setattr(encoder, "_run", broken)
    with pytest.raises(Exception, match="CUDA error 700") as raised:
        build_region([drive("a", range(3))], tmp_path / "region", Networks(encoder))
    assert not isinstance(raised.value, ImageError)
