from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.evaluation.match_picture import match_picture
from vlm_vpr_ros.images import read_image
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor
from vlm_vpr_ros.verification.verifier import PairMatch, match_pair

GREEN = (64, 224, 112)


def shown(picture: np.ndarray, colour: tuple[int, int, int]) -> int:
    """How many pixels have exactly this colour."""
    return int((picture == colour).all(axis=-1).sum())


def pairs(count: int, inliers: int) -> PairMatch:
    points = np.random.default_rng(0).uniform(0, (640, 360), (2, count, 2)).astype(np.float32)
    return PairMatch(points[0], points[1], np.arange(count) < inliers)


def test_inliers_are_joined_where_they_lie() -> None:
    grey = np.full((180, 320, 3), 90, np.uint8)  # half the common scale
    at = np.array([[100.0, 50.0]], np.float32)
    match = PairMatch(at, at + np.array([20, 10], np.float32), np.array([True]))
    picture = match_picture(grey, grey, match, "caption")
    assert picture.shape[1] == 640 + 8 + 640
    assert tuple(picture[50, 100]) == tuple(picture[60, 640 + 8 + 120]) == GREEN
    assert picture[55, 400, 1] > picture[55, 400, 0] + 10  # on the line between them


def test_outliers_are_dots_of_another_colour() -> None:
    grey = np.full((360, 640, 3), 90, np.uint8)
    picture = match_picture(grey, grey, pairs(20, 0), "")
    assert not shown(picture, GREEN)
    assert shown(picture, (235, 160, 60)) > 20


def test_a_reference_without_a_picture_shows_its_keypoints() -> None:
    grey = np.full((360, 640, 3), 90, np.uint8)
    tall = PairMatch(
        np.array([[10.0, 10.0]], np.float32),
        np.array([[300.0, 600.0]], np.float32),
        np.ones(1, bool),
    )
    picture = match_picture(grey, None, tall, "")
    assert tuple(picture[600, 648 + 300]) == GREEN


@given(
    st.tuples(st.integers(1, 200), st.integers(1, 200)),
    st.none() | st.tuples(st.integers(1, 200), st.integers(1, 200)),
    st.integers(0, 12),
    st.text(max_size=200),
)
@settings(max_examples=25)
def test_any_sizes_and_any_caption_make_a_picture(
    query: tuple[int, int], reference: tuple[int, int] | None, count: int, caption: str
) -> None:
    pixels = np.zeros((*query, 3), np.uint8)
    other = None if reference is None else np.zeros((*reference, 3), np.uint8)
    before = pixels.copy()
    picture = match_picture(pixels, other, pairs(count, count // 2) if count else None, caption)
    assert picture.dtype == np.uint8 and picture.ndim == 3
    assert (pixels == before).all()


@pytest.mark.parametrize("reference_side", [960, 160])
def test_a_real_pair_is_joined_by_its_inliers(shared_data: Path, reference_side: int) -> None:
    garden = shared_data / "gardens_point"
    day, night = (
        read_image(garden / drive / "Image100.jpg") for drive in ("day_right", "night_right")
    )
    config = LocalizerConfig()
    extractor = LocalFeatureExtractor.load(config.verification, config.encoder)
    match = match_pair(extractor.extract(night), extractor.extract(day))
    assert match.inliers.sum() > 20
    thumbnail = day[:: 960 // reference_side, :: 960 // reference_side]
    picture = match_picture(night, thumbnail, match, f"{match.inliers.sum()} inliers")
    assert shown(picture, GREEN) > 10 * match.inliers.sum()
