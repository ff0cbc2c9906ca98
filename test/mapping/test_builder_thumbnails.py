"""Builds that keep small pictures of their images."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.streets import bad_image, drive, view
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.region.thumbnails import THUMBNAIL_FILES, THUMBNAIL_FOLDER, encode_thumbnail
from vlm_vpr_ros.retrieval.encoder import Encoder


@pytest.fixture(name="networks", scope="module")
def _networks(tmp_path_factory: pytest.TempPathFactory) -> Networks:
    card = write_tiny_encoder(tmp_path_factory.mktemp("models"))
    return Networks(Encoder.load(EncoderConfig(name=str(card))))


def pictures(region: Path) -> list[bytes]:
    thumbnails = Region.open(region, verify=True).thumbnails
    return [bytes(thumbnails.encoded(i)) for i in range(len(thumbnails))] if thumbnails else []


def test_every_reference_has_the_picture_of_its_image(tmp_path: Path, networks: Networks) -> None:
    source = drive("a", range(20), loads={3: bad_image})
    build_region([source], tmp_path / "region", networks)
    expected = [encode_thumbnail(view(place)) for place in range(20) if place != 3]
    assert pictures(tmp_path / "region") == expected


def test_pictures_can_be_left_out(tmp_path: Path, networks: Networks) -> None:
    build_region([drive("a", range(3))], tmp_path / "region", networks, thumbnails=False)
    assert Region.open(tmp_path / "region").thumbnails is None
    assert not (tmp_path / "region" / THUMBNAIL_FOLDER).exists()


@pytest.mark.parametrize("first, second", [(True, False), (False, True), (True, True)])
def test_a_drive_is_added_with_or_without_pictures(
    tmp_path: Path, networks: Networks, first: bool, second: bool
) -> None:
    build_region([drive("a", range(2))], tmp_path / "region", networks, thumbnails=first)
    build_region([drive("b", range(2, 4))], tmp_path / "region", networks, thumbnails=second)
    expected = [encode_thumbnail(view(p)) if (first, second)[p // 2] else b"" for p in range(4)]
    assert pictures(tmp_path / "region") == expected


@pytest.mark.parametrize("name", THUMBNAIL_FILES)
def test_damage_is_noticed(tmp_path: Path, networks: Networks, name: str) -> None:
    build_region([drive("a", range(3))], tmp_path / "region", networks)
    path = tmp_path / "region" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(RegionError, match=rf"{path.name}: damaged"):
        Region.open(tmp_path / "region", verify=True)
    path.write_bytes(data[:-1])
    with pytest.raises(RegionError, match=rf"{path.name}: damaged"):
        Region.open(tmp_path / "region")
