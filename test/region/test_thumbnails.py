from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.images import read_image
from vlm_vpr_ros.record_store import RecordStoreWriter
from vlm_vpr_ros.region.thumbnails import (
    LONG_SIDE_PX,
    MAX_BYTES,
    THUMBNAILS,
    ThumbnailStore,
    encode_thumbnail,
)
from vlm_vpr_ros.verification.feature_codec import encode_features
from vlm_vpr_ros.verification.local_features import LocalFeatures


def store(folder: Path, *records: bytes) -> ThumbnailStore:
    with RecordStoreWriter(folder / THUMBNAILS) as writer:
        writer.append(records)
    return ThumbnailStore.open(folder, len(records))


def test_a_picture_comes_back_small_and_alike(tmp_path: Path) -> None:
    image = np.zeros((540, 960, 3), np.uint8)
    image[:, 480:] = (200, 60, 30)
    seen = store(tmp_path, encode_thumbnail(image), b"").thumbnail(0)
    assert seen is not None and seen.shape == (90, 160, 3)
    assert np.abs(seen[45, 120].astype(int) - (200, 60, 30)).max() < 12
    assert seen[45, 40].max() < 12
    assert ThumbnailStore.open(tmp_path, 2).thumbnail(1) is None


@settings(max_examples=20)
@given(st.integers(1, 700), st.integers(1, 700), st.integers(0, 2**32 - 1))
def test_even_noise_of_any_size_keeps_the_budget(height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    assert len(encode_thumbnail(noise)) <= MAX_BYTES


def test_with_its_features_a_reference_stays_below_40_kb() -> None:
    most = LocalFeatures(np.zeros((1024, 2), np.float32), np.ones((1024, 64), np.float32))
    assert len(encode_features(most)) + MAX_BYTES + 2 * 8 < 40_000


def test_real_images_fit_at_a_quality_worth_looking_at(shared_data: Path) -> None:
    for drive in ("day_right", "night_right"):
        image = read_image(shared_data / "gardens_point" / drive / "Image100.jpg")
        assert 1000 < len(encode_thumbnail(image)) <= MAX_BYTES


@pytest.mark.parametrize(
    "record",
    [
        b"no picture",
        b"\x89PNG\r\n\x1a\n",
        encode_thumbnail(np.zeros((90, 160, 3), np.uint8))[:-40],
        cv2.imencode(".jpg", np.zeros((9, 2 * LONG_SIDE_PX, 3), np.uint8))[1].tobytes(),
        cv2.imencode(".png", np.zeros((9, 9, 3), np.uint8))[1].tobytes(),
    ],
)
def test_a_damaged_picture_is_named(tmp_path: Path, record: bytes) -> None:
    with pytest.raises(RegionError, match=r"thumbnails\.bin: damaged at reference 1"):
        store(tmp_path, b"", record).thumbnail(1)


def test_a_record_larger_than_a_thumbnail_is_refused_when_opened(tmp_path: Path) -> None:
    with pytest.raises(RegionError, match="out of order"):
        store(tmp_path, bytes(MAX_BYTES + 1))
