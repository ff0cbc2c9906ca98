"""The way of a frame with geometric verification: a tiny encoder, the real local features."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.local_features import with_features, write_other_features
from support.streets import ORIGIN, FakeSource, drive, observation, view
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.errors import ModelError, RegionError
from vlm_vpr_ros.geodesy import displaced
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.types import Frame, GeoPoint, Reason
from vlm_vpr_ros.verification.feature_store import FEATURES
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor

PLACES = [6, 61, 64, 138, 173, 209, 225, 252, 269, 283]
"""Places that the tiny encoder tells apart, and whose views have many keypoints."""


@pytest.fixture(name="card", scope="module")
def _card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("models"))


@pytest.fixture(name="config", scope="module")
def _config(card: Path) -> LocalizerConfig:
    return with_features(card)


@pytest.fixture(name="region", scope="module")
def _region(tmp_path_factory: pytest.TempPathFactory, config: LocalizerConfig) -> Path:
    out = tmp_path_factory.mktemp("regions") / "town"
    build_region([drive("map", PLACES)], out, Networks.load(config, features=True))
    return out


def frame(place: int) -> Frame:
    return Frame(view(place, visit=2), 0)


def test_inliers_are_counted_and_said(region: Path, config: LocalizerConfig) -> None:
    localizer = Localizer.open(region, config)
    assert localizer.describe()["verification"] == "xfeat on CPUExecutionProvider"
    for place in PLACES:
        localizer.reset()
        outcome = localizer.localize(frame(place))
        assert outcome.accepted
        assert outcome.latency_ms["verify"] > 0
        best, *others = outcome.candidates
        assert best.reference == PLACES.index(place)
        assert best.inliers is not None and best.inliers > 80
        assert all(c.inliers is not None and c.inliers < 60 for c in others)
        assert [h.inliers for h in outcome.hypotheses] == [
            h.candidates[0].inliers for h in outcome.hypotheses
        ]
        assert outcome.hypotheses[0].inliers == best.inliers


def test_what_does_not_resemble_has_no_geometry_either(
    region: Path, config: LocalizerConfig
) -> None:
    localizer = Localizer.open(region, config)
    for place in (1109, 1179, 1494, 1511):
        localizer.reset()
        outcome = localizer.localize(frame(place))
        assert outcome.reason is Reason.WEAK_EVIDENCE
        assert all((c.inliers or 0) < 60 for c in outcome.candidates)


def test_only_as_many_candidates_are_checked_as_wished(region: Path, card: Path) -> None:
    outcome = Localizer.open(region, with_features(card, candidates=3)).localize(frame(PLACES[0]))
    assert outcome.accepted
    assert sum(c.inliers is not None for c in outcome.candidates) == 3
    assert len(outcome.candidates) == len(PLACES)


def test_no_candidates_is_no_check_and_needs_no_network(region: Path, card: Path) -> None:
    absent = str(card.with_name("absent.yaml"))
    localizer = Localizer.open(region, with_features(card, candidates=0, model=absent))
    assert localizer.describe()["verification"] == "off"
    outcome = localizer.localize(frame(PLACES[0]))
    assert outcome.accepted and "verify" not in outcome.latency_ms
    assert {c.inliers for c in outcome.candidates} == {None}
    assert {h.inliers for h in outcome.hypotheses} == {None}
    with pytest.raises(ModelError, match="absent"):
        Localizer.open(region, with_features(card, model=absent))


def test_a_region_without_features_needs_no_network(tmp_path: Path, card: Path) -> None:
    config = with_features(card, model=str(card.with_name("absent.yaml")))
    build_region([drive("map", PLACES)], tmp_path / "plain", Networks.load(config, features=False))
    localizer = Localizer.open(tmp_path / "plain", config)
    assert localizer.describe()["verification"] == "off"
    assert localizer.localize(frame(PLACES[0])).accepted


def test_features_of_another_network_are_refused(tmp_path: Path, region: Path, card: Path) -> None:
    other = str(write_other_features(tmp_path))
    with pytest.raises(RegionError, match=r"local features are of `xfeat`.*than `other`.*to 0"):
        Localizer.open(region, with_features(card, model=other))
    assert Localizer.open(region, with_features(card, model=other, candidates=0))


def test_twins_stay_ambiguous(tmp_path: Path, config: LocalizerConfig) -> None:
    """Two places that look the same, each mapped three times: geometry fits both."""

    def mapped(east_m: float, visit: int) -> GeoPoint:
        return GeoPoint(*displaced(*ORIGIN, east_m + 2 * visit, 0.0))

    content = [
        observation(PLACES[0], "twins", visit=10 * (east_m > 0) + visit, position=position)
        for east_m in (0.0, 500.0)
        for visit in range(3)
        for position in [mapped(east_m, visit)]
    ]
    source = FakeSource("twins", content)
    others = drive("others", PLACES[1:])
    build_region([source, others], tmp_path / "region", Networks.load(config, features=True))
    localizer = Localizer.open(tmp_path / "region", config)
    for visit in range(20, 24):
        localizer.reset()
        outcome = localizer.localize(Frame(view(PLACES[0], visit), 0))
        assert outcome.reason is Reason.AMBIGUOUS
        first, second = outcome.hypotheses[:2]
        assert {c.reference // 3 for c in first.candidates} ^ {
            c.reference // 3 for c in second.candidates
        } == {0, 1}
        assert min(first.inliers or 0, second.inliers or 0) > 100
        assert first.probability + second.probability > 0.95


def test_with_a_damaged_feature_record_the_similarity_decides(
    tmp_path: Path, region: Path, config: LocalizerConfig
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(region, folder)
    with (folder / "features" / FEATURES).open("r+b") as file:
        file.write(b"????")  # the first reference's header
    localizer = Localizer.open(folder, config)
    outcome = localizer.localize(frame(PLACES[0]))
    assert all(c.inliers is None for c in outcome.candidates), "by similarity alone"
    assert "Geometry not used" in outcome.detail
    assert f"{FEATURES}: damaged at reference 0" in outcome.detail
    assert outcome.detail.count("damaged at") == 1
    assert localizer.describe()["calibration"] == "generic: the region is damaged"
    intact = Localizer.open(region, config).localize(frame(PLACES[0]))
    assert intact.accepted and "Geometry" not in intact.detail


def test_a_network_that_fails_is_an_answer(
    region: Path, config: LocalizerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ModelError("the network does not run")

    monkeypatch.setattr(LocalFeatureExtractor, "extract", fail)
    outcome = Localizer.open(region, config).localize(frame(PLACES[0]))
    assert outcome.reason is Reason.INTERNAL_ERROR and outcome.detail == "the network does not run"
