"""Pictures of outcomes in a region of streets that do not exist, with the real local features."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from support.local_features import with_features, write_failing_features
from support.streets import drive, view
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.config import LocalizerConfig, VerificationConfig
from vlm_vpr_ros.evaluation.outcome_picture import OutcomePainter, caption
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.region.thumbnails import THUMBNAIL_FILES
from vlm_vpr_ros.types import Frame, Outcome, PriorReport, PriorStatus, Reason
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor

GREEN = (64, 224, 112)


@pytest.fixture(name="config", scope="module")
def _config(tmp_path_factory: pytest.TempPathFactory) -> LocalizerConfig:
    return with_features(write_tiny_encoder(tmp_path_factory.mktemp("models")))


@pytest.fixture(name="region", scope="module")
def _region(tmp_path_factory: pytest.TempPathFactory, config: LocalizerConfig) -> Path:
    out = tmp_path_factory.mktemp("regions") / "region"
    build_region([drive("map", range(8))], out, Networks.load(config, features=True))
    return out


def test_a_frame_is_joined_with_the_thumbnail_of_its_match(
    region: Path, config: LocalizerConfig
) -> None:
    frame = Frame(view(5), 0, "camera")
    outcome = Localizer.open(region, config).localize(frame)
    assert outcome.candidates[0].reference == 5
    picture = OutcomePainter.open(region, config).picture(frame, outcome, "note")
    assert (picture == GREEN).all(axis=-1).sum() > 100
    half = picture.shape[1] // 2
    left, right = picture[:400, : half - 4].astype(int), picture[:400, half + 4 :].astype(int)
    assert np.abs(left.mean(axis=(0, 1)) - right.mean(axis=(0, 1))).max() < 15


def test_a_network_that_fails_is_said_and_the_rest_is_shown(
    region: Path, config: LocalizerConfig, tmp_path: Path
) -> None:
    verification = VerificationConfig(model=str(write_failing_features(tmp_path)))
    failing = LocalFeatureExtractor.load(verification, config.encoder)
    frame = Frame(view(5), 0, "camera")
    outcome = Localizer.open(region, config).localize(frame)
    opened = Region.open(region)
    plain = OutcomePainter(opened, None).picture(frame, outcome)
    picture = OutcomePainter(opened, failing).picture(frame, outcome)
    assert picture.shape[0] > plain.shape[0], "one line more"


def test_painting_needs_no_encoder(region: Path, config: LocalizerConfig, tmp_path: Path) -> None:
    encoder = config.encoder.model_copy(update={"name": str(tmp_path / "none.yaml")})
    without = config.model_copy(update={"encoder": encoder})
    frame = Frame(view(5), 0, "camera")
    outcome = Localizer.open(region, config).localize(frame)
    picture = OutcomePainter.open(region, without).picture(frame, outcome)
    assert (picture == GREEN).all(axis=-1).any()


def test_a_frame_that_was_refused_unseen_is_shown_alone(
    region: Path, config: LocalizerConfig
) -> None:
    frame = Frame(np.zeros((48, 64, 3), np.uint8), 0, "camera")
    outcome = Outcome(0, Reason.DARK_IMAGE, "all dark")
    assert OutcomePainter.open(region, config).picture(frame, outcome).ndim == 3


def test_without_the_network_the_pictures_are_not_joined(
    region: Path, config: LocalizerConfig
) -> None:
    frame = Frame(view(5), 0, "camera")
    outcome = Localizer.open(region, config).localize(frame)
    picture = OutcomePainter(Region.open(region), None).picture(frame, outcome)
    assert not (picture == GREEN).all(axis=-1).any()


def test_a_damaged_record_is_said_and_the_rest_is_shown(
    region: Path, config: LocalizerConfig, tmp_path: Path
) -> None:
    out = tmp_path / "region"
    build_region([drive("map", range(8))], out, Networks.load(config, features=True))
    path = out / THUMBNAIL_FILES[0]
    path.write_bytes(bytes(path.stat().st_size))
    frame = Frame(view(5), 0, "camera")
    outcome = Localizer.open(out, config).localize(frame)
    whole = OutcomePainter.open(region, config).picture(frame, outcome)
    damaged = OutcomePainter.open(out, config).picture(frame, outcome)
    assert damaged.shape[0] > whole.shape[0]  # one line more
    assert (damaged == GREEN).all(axis=-1).sum() > 100


def test_the_caption_says_how_it_ended_and_with_which_prior() -> None:
    outcome = Outcome(0, Reason.WEAK_EVIDENCE, "no")
    assert caption("a.jpg", outcome, "") == ["a.jpg", "weak_evidence", ""]
    prior = PriorReport(PriorStatus.WAITING, None, "the model was asked 2 s ago")
    lines = caption("a.jpg", replace(outcome, prior=prior, frames=3), "b.jpg")
    assert lines[0] == "a.jpg beside b.jpg"
    assert lines[1] == "weak_evidence: 3 frames"
    assert lines[2] == "prior waiting: the model was asked 2 s ago"
