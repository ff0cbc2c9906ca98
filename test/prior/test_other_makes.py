"""Models of other makes take the same way: prefix kept, several answers side by side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from support.other_vlms import MAKES, write_vlm_like

from vlm_vpr_ros.config import VlmConfig
from vlm_vpr_ros.prior.vlm.protocol import PlaceNames
from vlm_vpr_ros.prior.vlm.vision_model import MARKER, VisionModel
from vlm_vpr_ros.prior.vlm.vlm_prior import VlmPrior

PROMPT = f"<|system|>Look.<|end|><|user|>{MARKER}\nWhere is Malmö?<|end|><|assistant|>"
OTHER = PROMPT.replace("Malmö", "Lund, which lies on the plain between Malmö and Eslöv")
"""Longer than the sliding window of the model that has one."""
PATIENCE_S = 60.0


def photo(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (120, 200, 3), dtype=np.uint8)


@pytest.fixture(params=MAKES)
def model(request: pytest.FixtureRequest, tmp_path) -> Iterator[VisionModel]:
    pair = write_vlm_like(request.param, tmp_path)
    opened = VisionModel(*pair, n_ctx=2048, n_threads=1, sequences=3)
    yield opened
    opened.close()


def anew(model: VisionModel, image: np.ndarray, prompt: str) -> np.ndarray:
    model.look(image)
    logits = model.prompt(prompt)
    assert model.usage.reused == 0
    return logits


def test_a_kept_prefix_changes_nothing(model: VisionModel) -> None:
    expected = anew(model, photo(1), OTHER)
    first = anew(model, photo(1), PROMPT)
    np.testing.assert_allclose(model.prompt(OTHER), expected, atol=0.02)
    assert model.usage.reused > 16, "the image was evaluated anew"
    np.testing.assert_allclose(model.prompt(PROMPT), first, atol=0.02)
    assert np.abs(expected - first).max() > 0.1, "the question does not matter"
    assert np.abs(anew(model, photo(2), PROMPT) - first).max() > 0.1, "the image does not matter"


def test_continuations_are_those_of_a_longer_prompt(model: VisionModel) -> None:
    endings = ["Skåne", "Malta"]
    tokens = [model.vocabulary.tokens(text)[:4] for text in endings]
    anew(model, photo(1), PROMPT)
    model.fork(3)
    for step in zip(*tokens, strict=True):
        rows = model.advance(step, [0, 2])
    for row, spelled in zip(rows, tokens, strict=True):
        text = b"".join(map(model.vocabulary.piece, spelled)).decode()
        expected = anew(model, photo(1), PROMPT + text)
        np.testing.assert_allclose(row, expected, atol=0.02)


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("places", [0, 25])
def test_through_the_process(make: str, places: int, tmp_path) -> None:
    model, mmproj = map(str, write_vlm_like(make, tmp_path))
    config = VlmConfig(
        model=model, mmproj=mmproj, n_threads=1, samples=2, timeout_s=PATIENCE_S, n_ctx=8192
    )
    prior = VlmPrior(config, [PlaceNames(f"P{i}, C", "C", f"R{i % 3}", "") for i in range(places)])
    answers = [prior.ask(photo(seed), seed).result(PATIENCE_S) for seed in (1, 2)]
    prior.close()
    assert [answer.failure for answer in answers] == ["", ""]
    assert answers[0].choice != answers[1].choice or answers[0].open != answers[1].open
