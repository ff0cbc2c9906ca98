from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scenes import random_features, view_pair

from vlm_vpr_ros.config import EncoderConfig, VerificationConfig
from vlm_vpr_ros.images import read_image
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor, LocalFeatures
from vlm_vpr_ros.verification.verifier import Verifier, match_pair

QUERY, SAME_PLACE = view_pair(200, 100, seed=0, clutter=300)
ELSEWHERE = random_features(600, 5)
NOTHING = random_features(0, 0)


class Shelf:
    """Features by number, and which of them were asked for."""

    def __init__(self, *features: LocalFeatures | None) -> None:
        self.features = features
        self.asked: list[int] = []

    def load(self, i: int) -> LocalFeatures | None:
        self.asked.append(i)
        return self.features[i]


def verify(places: list[int], load: Callable[[int], LocalFeatures | None]) -> list[int | None]:
    return Verifier(VerificationConfig()).verify(QUERY, places, load)


def test_known_inliers_are_found() -> None:
    pair = match_pair(QUERY, SAME_PLACE)
    assert 290 <= len(pair.inliers) <= 300  # the clutter does not match
    # Of a cloud of points some neighbours lie at other depths and move otherwise.
    assert 130 <= pair.inliers.sum() <= 225
    assert pair.query.shape == pair.reference.shape == (len(pair.inliers), 2)


def test_empty_features_have_no_inliers() -> None:
    for query, reference in [(QUERY, NOTHING), (NOTHING, QUERY), (NOTHING, NOTHING)]:
        assert match_pair(query, reference).inliers.sum() == 0
    one = random_features(1, 0)
    assert match_pair(one, one).inliers.tolist() == [False]


def test_a_clear_answer_spares_its_place() -> None:
    shelf = Shelf(SAME_PLACE, SAME_PLACE, SAME_PLACE)
    counts = verify([0, 0, 0], shelf.load)
    assert counts[0] is not None
    assert counts[0] >= 130
    assert counts[1:] == [None, None]
    assert shelf.asked == [0]


def test_every_other_place_has_its_chance() -> None:
    """Of twins, the second is found although the first was clear."""
    shelf = Shelf(SAME_PLACE, ELSEWHERE, SAME_PLACE, ELSEWHERE, SAME_PLACE)
    counts = verify([0, 1, 2, 1, 2], shelf.load)
    assert shelf.asked == [0, 1, 2]
    assert counts[0] == counts[2]
    assert counts[1] == 0
    assert counts[3:] == [None, None]


def test_without_a_clear_answer_all_are_checked() -> None:
    shelf = Shelf(ELSEWHERE, ELSEWHERE, NOTHING)
    assert verify([0, 0, 0], shelf.load) == [0, 0, 0]


def test_a_place_without_features_is_passed_to_its_next_candidate() -> None:
    shelf = Shelf(SAME_PLACE, None, ELSEWHERE)
    assert verify([0, 1, 1], shelf.load)[1:] == [None, 0]


def test_no_candidates() -> None:
    assert verify([], Shelf().load) == []


def test_at_night_the_right_place_mostly_has_the_most_inliers(shared_data: Path) -> None:
    """Day references, night query (Gardens Point): frames of one number are of one place."""
    folder = shared_data / "gardens_point"
    if not folder.is_dir():
        pytest.skip(f"real data absent: {folder}")
    runtime = EncoderConfig(providers=("CPUExecutionProvider",), threads=1)
    extractor = LocalFeatureExtractor.load(VerificationConfig(), runtime)

    def features(traversal: str, frame: int) -> LocalFeatures:
        return extractor.extract(read_image(folder / traversal / f"Image{frame:03}.jpg"))

    frames = range(20, 200, 30)
    references = [features("day_right", frame) for frame in frames]
    right = 0
    for i, frame in enumerate(frames):
        query = features("night_right", frame)
        counts = [int(match_pair(query, r).inliers.sum()) for r in references]
        right += int(np.argmax(counts)) == i
    assert right >= len(frames) - 1
