"""Builds that store local features: the real network on streets that do not exist."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.local_features import with_features, write_failing_features, write_other_features
from support.streets import bad_image, drive, view
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.errors import ModelError, RegionError
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.manifest import (
    FEATURE_FILES,
    FEATURE_FOLDER,
    HASHED_FILES,
    MANIFEST,
    read_manifest,
)
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.types import RgbImage
from vlm_vpr_ros.verification.feature_codec import encode_features
from vlm_vpr_ros.verification.local_features import LocalFeatures


@pytest.fixture(name="card", scope="module")
def _card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("models"))


@pytest.fixture(name="networks", scope="module")
def _networks(card: Path) -> Networks:
    return Networks.load(with_features(card), features=True)


@pytest.fixture(name="pristine", scope="module")
def _pristine(tmp_path_factory: pytest.TempPathFactory, networks: Networks) -> Path:
    out = tmp_path_factory.mktemp("regions") / "region"
    build_region([drive("a", range(18))], out, networks)
    return out


@pytest.fixture(name="region")
def _region(tmp_path: Path, pristine: Path) -> Path:
    """A copy of the pristine region of 18 references, to be changed."""
    return Path(shutil.copytree(pristine, tmp_path / "region"))


def content(region: Path) -> dict[str, bytes]:
    names = (*HASHED_FILES, *FEATURE_FILES, MANIFEST)
    return {name: (region / name).read_bytes() for name in names}


class KilledError(BaseException):
    """Nothing handles it: what runs after a kill does not run."""


def killed() -> RgbImage:
    raise KilledError


def test_a_build_stores_the_features_of_its_images(tmp_path: Path, networks: Networks) -> None:
    assert networks.extractor
    source = drive("a", range(20), loads={3: bad_image})
    build_region([source], tmp_path / "region", networks)
    region = Region.open(tmp_path / "region", verify=True)
    assert region.features and len(region.features) == 19
    assert set(FEATURE_FILES) <= set(region.manifest.files)
    features = region.manifest.features
    assert features and features.name == "xfeat"
    assert features.fingerprint == networks.extractor.fingerprint
    for row, place in ((0, 0), (3, 4), (18, 19)):  # the bad image moves nothing out of step
        expected = encode_features(networks.extractor.extract(view(place)))
        assert region.features.encoded(row) == expected


def test_a_build_whose_network_fails_says_so(tmp_path: Path, card: Path) -> None:
    failing = with_features(card, model=str(write_failing_features(tmp_path / "models")))
    networks = Networks.load(failing, features=True)
    with pytest.raises(ModelError, match=r"failing\.onnx: .* fails on 640 x 480 pixels"):
        build_region([drive("a", range(3))], tmp_path / "region", networks)
    assert not (tmp_path / "region").exists()


def test_a_build_without_features_has_none(tmp_path: Path, networks: Networks) -> None:
    plain = replace(networks, extractor=None)
    build_region([drive("a", range(3))], tmp_path / "region", plain)
    region = Region.open(tmp_path / "region", verify=True)
    assert region.features is region.manifest.features is None
    assert not (tmp_path / "region" / FEATURE_FOLDER).exists()


@pytest.mark.parametrize("adding", [False, True])
def test_a_killed_build_ends_with_the_same_bytes(
    tmp_path: Path, region: Path, networks: Networks, adding: bool
) -> None:
    out = region if adding else tmp_path / "new"
    expected = tmp_path / "expected"
    if adding:
        shutil.copytree(region, expected)
    build_region([drive("b", range(20, 60))], expected, networks)
    with pytest.raises(KilledError):
        build_region([drive("b", range(20, 60), loads={55: killed})], out, networks)
    assert list(out.with_name(out.name + ".building").glob("batch_*.features.bin"))
    build_region([drive("b", range(20, 60))], out, networks, resume=True)
    assert content(out) == content(expected)


def test_added_drives_leave_the_features_of_the_others(
    region: Path, pristine: Path, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert networks.extractor
    extract, extracted = networks.extractor.extract, []

    def counting(image: RgbImage) -> LocalFeatures:
        extracted.append(image)
        return extract(image)

    monkeypatch.setattr(networks.extractor, "extract", counting)
    build_region([drive("b", range(30, 34))], region, networks)
    assert len(extracted) == 4
    before, after = Region.open(pristine).features, Region.open(region, verify=True).features
    assert before and after and len(after) == 22
    assert all(after.encoded(i) == before.encoded(i) for i in range(18))
    assert after.encoded(18) == encode_features(extract(view(30)))


def test_a_region_has_one_kind_of_features(
    tmp_path: Path, region: Path, networks: Networks, card: Path
) -> None:
    plain = replace(networks, extractor=None)
    build_region([drive("a", range(3))], tmp_path / "plain", plain)
    other = write_other_features(tmp_path / "models")
    another = Networks.load(with_features(card, model=str(other)), features=True)
    for out, used, has in [
        (region, plain, "xfeat"),
        (region, another, "xfeat"),
        (tmp_path / "plain", networks, "none"),
    ]:
        before = read_manifest(out)
        with pytest.raises(RegionError, match=rf"its local features \({has}\).*--no-features"):
            build_region([drive("b", range(3))], out, used)
        assert read_manifest(out) == before
        assert not out.with_name(out.name + ".building").exists()
        Region.open(out, verify=True)


def test_a_build_with_other_features_is_not_resumed(tmp_path: Path, networks: Networks) -> None:
    out = tmp_path / "new"
    with pytest.raises(KilledError):
        build_region([drive("a", range(40), loads={38: killed})], out, networks)
    with pytest.raises(RegionError, match="other sources, options or another encoder"):
        build_region([drive("a", range(40))], out, replace(networks, extractor=None), resume=True)


def _flip_in_the_middle(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("name", FEATURE_FILES)
def test_hashes_cover_the_features(region: Path, name: str) -> None:
    _flip_in_the_middle(region / name)
    with pytest.raises(RegionError, match=rf"{Path(name).name}: damaged"):
        Region.open(region, verify=True)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "damaged"),
        (lambda path: path.write_bytes(b""), "damaged"),
        (lambda path: path.write_bytes(path.read_bytes() + b"x"), "damaged"),
    ],
)
@pytest.mark.parametrize("name", FEATURE_FILES)
def test_missing_and_cut_feature_files_are_noticed_when_opened(
    region: Path, name: str, damage: Callable[[Path], object], message: str
) -> None:
    damage(region / name)
    with pytest.raises(RegionError, match=rf"{Path(name).name}: {message}.*Copy the region again"):
        Region.open(region)


def test_every_reference_of_the_store_can_be_read(pristine: Path) -> None:
    features = Region.open(pristine).features
    assert features
    counts = [len(features.features(i) or ()) for i in range(len(features))]
    assert max(counts) == 1024 and np.median(counts) > 300
