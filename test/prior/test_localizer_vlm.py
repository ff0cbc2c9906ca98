"""A vision-language model in the way of a frame: its answers, and what is left without them."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.streets import view
from support.tiny_encoder import write_tiny_encoder
from support.tiny_vlm import TinyVlm
from support.twin_towns import SHARED, build_twin_towns, encoder_of

from vlm_vpr_ros.config import LocalizerConfig, PriorConfig, VlmConfig
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.types import Frame, PriorStatus

WAIT_S = 60.0
FRAME = Frame(view(SHARED), 0)


@pytest.fixture
def open_localizer(
    tmp_path_factory: pytest.TempPathFactory, tiny_vlm: TinyVlm
) -> Iterator[Callable[..., Localizer]]:
    folder = tmp_path_factory.mktemp("twins")
    card = write_tiny_encoder(folder, card={"chance_similarity": 0.5})
    region = build_twin_towns(folder / "region", card)
    opened: list[Localizer] = []

    def make(**vlm: Any) -> Localizer:
        model, mmproj = map(str, tiny_vlm.pair)
        usual = {
            "model": model,
            "mmproj": mmproj,
            "n_threads": 1,
            "samples": 2,
            "timeout_s": WAIT_S,
        }
        config = LocalizerConfig(
            encoder=encoder_of(card), prior=PriorConfig(ask_again_m=0), vlm=VlmConfig(**usual | vlm)
        )
        opened.append(Localizer.open(region, config))
        return opened[-1]

    yield make
    for localizer in opened:
        localizer.close()


def test_choosing_among_the_towns_of_the_region(open_localizer: Callable[..., Localizer]) -> None:
    localizer = open_localizer()
    outcome = localizer.localize(FRAME, WAIT_S)
    assert outcome.prior.status is PriorStatus.USED, outcome.prior.detail
    assert outcome.prior.prior is not None
    assert outcome.prior.prior.source == "vlm"
    labels = {component.label for component in outcome.prior.prior.components}
    assert any("Italy" in label for label in labels)
    assert any("Australia" in label for label in labels)
    assert "prior" in outcome.stages
    assert localizer.describe()["vlm mode"] == "choice"


def test_saying_openly_where_it_is(open_localizer: Callable[..., Localizer]) -> None:
    localizer = open_localizer(mode="open")
    outcome = localizer.localize(FRAME, WAIT_S)
    assert outcome.prior.status is PriorStatus.USED, outcome.prior.detail
    assert localizer.describe()["vlm mode"] == "open"


def test_a_frame_does_not_wait_unless_asked_to(open_localizer: Callable[..., Localizer]) -> None:
    outcome = open_localizer().localize(FRAME)
    assert outcome.prior.status is PriorStatus.WAITING
    assert outcome.hypotheses


def test_a_killed_model_costs_one_answer(open_localizer: Callable[..., Localizer]) -> None:
    localizer = open_localizer(mode="open")
    localizer.localize(FRAME, WAIT_S)
    os.kill(int(localizer.describe()["vlm process"]), signal.SIGKILL)
    localizer.reset()  # forget the earlier answer, which would do
    outcomes = [localizer.localize(Frame(FRAME.image, i), WAIT_S) for i in (1, 2)]
    first, second = (outcome.prior for outcome in outcomes)
    assert first.status is PriorStatus.USED or "SIGKILL" in first.detail
    assert second.status is PriorStatus.USED, second.detail
    assert all(outcome.hypotheses for outcome in outcomes)


def test_without_a_model_file_all_else_works(
    open_localizer: Callable[..., Localizer], tmp_path: Path
) -> None:
    localizer = open_localizer(model=str(tmp_path / "absent.gguf"))
    outcome = localizer.localize(FRAME, WAIT_S)
    assert outcome.prior.status is PriorStatus.FAILED
    assert "absent.gguf: No such file" in outcome.prior.detail
    assert outcome.hypotheses
