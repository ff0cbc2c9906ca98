"""The way of a frame with geometric verification: a tiny encoder, the real local features."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from support.streets import drive, view
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.config import EncoderConfig, LocalizerConfig
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.types import Frame
from vlm_vpr_ros.verification.feature_store import FEATURES

PLACES = [6, 61, 64, 138, 173, 209, 225, 252, 269, 283]
"""Places that the tiny encoder tells apart, and whose views have many keypoints."""


@pytest.fixture(name="config", scope="module")
def _config(tmp_path_factory: pytest.TempPathFactory) -> LocalizerConfig:
    card = write_tiny_encoder(tmp_path_factory.mktemp("models"))
    cpu = ("CPUExecutionProvider",)
    return LocalizerConfig(encoder=EncoderConfig(name=str(card), providers=cpu, threads=1))


@pytest.fixture(name="region", scope="module")
def _region(tmp_path_factory: pytest.TempPathFactory, config: LocalizerConfig) -> Path:
    out = tmp_path_factory.mktemp("regions") / "town"
    build_region([drive("map", PLACES)], out, Networks.load(config, features=True))
    return out


def frame(place: int) -> Frame:
    return Frame(view(place, visit=2), 0)


def test_a_damaged_feature_record_is_said_and_passed_over(
    tmp_path: Path, region: Path, config: LocalizerConfig
) -> None:
    folder = tmp_path / "damaged"
    shutil.copytree(region, folder)
    with (folder / "features" / FEATURES).open("r+b") as file:
        file.write(b"????")  # the first reference's header
    localizer = Localizer.open(folder, config)
    outcome = localizer.localize(frame(PLACES[0]))
    inliers = {c.reference: c.inliers for c in outcome.candidates}
    assert inliers[0] is None and None not in list(inliers.values())[1:]
    assert "1 not checked" in outcome.detail
    assert f"{FEATURES}: damaged at reference 0" in outcome.detail
    assert outcome.detail.count("damaged at") == 1
    assert not outcome.accepted
    intact = Localizer.open(region, config).localize(frame(PLACES[0]))
    assert intact.accepted and "checked" not in intact.detail
