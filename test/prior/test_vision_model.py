"""llama.cpp against the same forward pass in numpy, and the reuse of what it has evaluated."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import tiny_vlm_forward as forward
from make_tiny_vlm import write_pair
from support.tiny_vlm import TinyVlm, write_tiny_vlm
from tiny_vlm_network import TinyVlmConfig, random_weights
from tiny_vlm_tokens import BEGIN, tokenize

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.vlm.vision_model import MARKER, VisionModel

TOLERANCE = 0.02
"""llama.cpp keeps its cache in half precision and looks GELU up in a table; logits spread by 1."""

PROMPT = f"<|system|>Look.<|end|><|user|>{MARKER}\nWhere is Malmö?<|end|><|assistant|>"

LONG = "a phrase that is said again and again, " * 9


def photo(seed: int, height: int = 97, width: int = 130) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)


def expected_logits(tiny: TinyVlm, image: np.ndarray, prompt: str, then: list[int]) -> np.ndarray:
    """The last token's logits, all computed in numpy."""
    before, after = prompt.split(MARKER)
    pixels = forward.preprocessed(image, tiny.config)
    parts = [
        forward.embedded([BEGIN, *tokenize(before, tiny.config.words)], tiny.weights),
        forward.image_tokens(pixels, tiny.weights, tiny.config),
        forward.embedded(tokenize(after, tiny.config.words) + then, tiny.weights),
    ]
    return forward.logits(np.concatenate(parts), tiny.weights, tiny.config)[-1]


@pytest.fixture
def model(tiny_vlm: TinyVlm) -> Iterator[VisionModel]:
    opened = VisionModel(*tiny_vlm.pair, n_ctx=1024, n_threads=1, sequences=3)
    yield opened
    opened.close()


@pytest.mark.parametrize("size", [(97, 130), (64, 64), (480, 640), (33, 9), (7, 200)])
def test_agrees_with_numpy_for_images_of_any_size(
    tiny_vlm: TinyVlm, model: VisionModel, size: tuple[int, int]
) -> None:
    image = photo(1, *size)
    model.look(image)
    expected = expected_logits(tiny_vlm, image, PROMPT, [])
    np.testing.assert_allclose(model.prompt(PROMPT), expected, atol=TOLERANCE)


def test_words_are_single_tokens(tmp_path) -> None:
    config = TinyVlmConfig(words=("Where is ", "Malmö", LONG))
    tiny = write_tiny_vlm(tmp_path, config)
    model = VisionModel(*tiny.pair, n_ctx=1024, n_threads=1)
    model.look(photo(1))
    expected = expected_logits(tiny, photo(1), PROMPT, [])
    np.testing.assert_allclose(model.prompt(PROMPT), expected, atol=TOLERANCE)
    assert model.vocabulary.tokens("Where is Malmö?") == tokenize("Where is Malmö?", config.words)
    assert len(model.vocabulary.tokens("Where is Malmö?")) == 3
    assert model.vocabulary.piece(model.vocabulary.tokens(LONG)[0]).decode() == LONG
    model.close()


def test_a_second_prompt_pays_only_for_what_is_new(tiny_vlm: TinyVlm, model: VisionModel) -> None:
    model.look(photo(1))
    model.prompt(PROMPT)
    assert model.usage.reused == 0
    other = PROMPT.replace("Malmö", "Lund")
    logits = model.prompt(other)
    before, after = other.split(MARKER)
    assert model.usage.reused == 1 + len(tokenize(before, tiny_vlm.config.words)) + 64
    assert model.usage.evaluated == len(tokenize(after, tiny_vlm.config.words))
    np.testing.assert_allclose(
        logits, expected_logits(tiny_vlm, photo(1), other, []), atol=TOLERANCE
    )


def test_nothing_of_another_image_or_system_prompt_is_reused(
    tiny_vlm: TinyVlm, model: VisionModel
) -> None:
    model.look(photo(1))
    model.prompt(PROMPT)
    model.look(photo(2))
    of_second = model.prompt(PROMPT)
    assert model.usage.reused == 0
    np.testing.assert_allclose(
        of_second, expected_logits(tiny_vlm, photo(2), PROMPT, []), atol=TOLERANCE
    )
    changed = PROMPT.replace("Look.", "Think!")
    of_changed = model.prompt(changed)
    assert model.usage.reused == 0
    np.testing.assert_allclose(
        of_changed, expected_logits(tiny_vlm, photo(2), changed, []), atol=TOLERANCE
    )


def test_prompts_known_from_an_earlier_image_are_evaluated_for_the_new_one(
    tiny_vlm: TinyVlm, model: VisionModel
) -> None:
    other = PROMPT.replace("Malmö", "Lund")
    for seed, size in ((1, (97, 130)), (2, (97, 130)), (3, (50, 20)), (1, (97, 130))):
        image = photo(seed, *size)
        model.look(image)
        for prompt in (PROMPT, other, PROMPT):
            expected = expected_logits(tiny_vlm, image, prompt, [])
            np.testing.assert_allclose(model.prompt(prompt), expected, atol=TOLERANCE)


def test_continuations_side_by_side_do_not_see_each_other(
    tiny_vlm: TinyVlm, model: VisionModel
) -> None:
    model.look(photo(1))
    model.prompt(PROMPT)
    model.fork(3)
    model.advance([70, 71, 72], [0, 1, 2])
    both = model.advance([80, 82], [0, 2])  # the second has ended
    for logits, then in zip(both, ([70, 80], [72, 82]), strict=True):
        expected = expected_logits(tiny_vlm, photo(1), PROMPT, then)
        np.testing.assert_allclose(logits, expected, atol=TOLERANCE)
    again = model.prompt(PROMPT)
    np.testing.assert_allclose(
        again, expected_logits(tiny_vlm, photo(1), PROMPT, []), atol=TOLERANCE
    )


def test_a_prompt_that_does_not_fit_says_what_to_raise(tiny_vlm: TinyVlm) -> None:
    model = VisionModel(*tiny_vlm.pair, n_ctx=256, n_threads=1)
    model.look(photo(1))
    with pytest.raises(ModelError, match="vlm.n_ctx is 256"):
        model.prompt(PROMPT + "x" * 300)
    assert np.isfinite(model.prompt(PROMPT)).all()
    model.close()


def test_weights_of_another_shape_are_refused(tmp_path) -> None:
    config = TinyVlmConfig()
    weights = random_weights(config)
    weights["mm.0.bias"] = np.zeros(5, np.float32)
    with pytest.raises(ValueError, match=r"mm\.0\.bias"):
        write_pair(tmp_path, weights, config)


@pytest.mark.parametrize("words", [("a",), ("é",), ("ab", "ab")])
def test_words_that_are_tokens_already_are_refused(tmp_path, words: tuple[str, ...]) -> None:
    config = TinyVlmConfig(words=words)
    with pytest.raises(ValueError, match="words"):
        write_pair(tmp_path, random_weights(config), config)
