"""Drawn answers always fit the grammar, and are draws from what the model expects."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np
import pytest
from support.tiny_vlm import TinyVlm

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.answers import parse_open_answer
from vlm_vpr_ros.prior.vlm.grammar import GrammarDraw, open_answer_grammar
from vlm_vpr_ros.prior.vlm.sampling import sampled_answers
from vlm_vpr_ros.prior.vlm.vision_model import MARKER, VisionModel

PROMPT = f"<|user|>{MARKER}\nWhere?<|end|><|assistant|>"


@pytest.fixture
def model(tiny_vlm: TinyVlm) -> Iterator[VisionModel]:
    opened = VisionModel(*tiny_vlm.pair, n_ctx=4096, n_threads=1, sequences=8)
    opened.look(np.random.default_rng(5).integers(0, 255, (64, 64, 3), dtype=np.uint8))
    yield opened
    opened.close()


def test_a_model_that_knows_nothing_still_answers_in_form(model: VisionModel) -> None:
    texts = sampled_answers(model, PROMPT, open_answer_grammar(), 1.0, 8)
    assert len(set(texts)) == 8
    for text in texts:
        parse_open_answer(text)
        assert next(iter(json.loads(text))) == "clues"


def test_the_same_seeds_draw_the_same_answers(model: VisionModel) -> None:
    grammar = open_answer_grammar()
    many = sampled_answers(model, PROMPT, grammar, 0.8, 4)
    again = sampled_answers(model, PROMPT, grammar, 0.8, 4)
    assert many == again


def test_at_temperature_zero_all_samples_are_the_same(model: VisionModel) -> None:
    assert len(set(sampled_answers(model, PROMPT, open_answer_grammar(), 0.0, 3))) == 1


def drawn(model: VisionModel, grammar: str, logits: np.ndarray, temperature: float, n: int) -> list:
    tokens = []
    for seed in range(n):
        draw = GrammarDraw(model.vocabulary, grammar, temperature, seed)
        tokens.append(model.vocabulary.piece(draw.draw(logits)).decode())
        draw.close()
    return tokens


def test_draws_follow_the_softmax_over_what_is_allowed(model: VisionModel) -> None:
    logits = np.zeros(model.vocabulary.size, np.float32)
    for letter, value in {"x": 9.0, "a": 2.0, "b": 1.0, "c": 1.5, "d": -9.0}.items():
        logits[model.vocabulary.tokens(letter)[0]] = value
    tokens = drawn(model, "root ::= [abcd]", logits, 1.0, 2000)
    shares = np.exp([2.0, 1.0, 1.5])
    shares /= shares.sum()
    found = [tokens.count(letter) / 2000 for letter in "abc"]
    np.testing.assert_allclose(found, shares, atol=0.04)  # four standard errors
    assert "d" not in tokens, "an unlikely token was drawn"


def test_the_grammar_is_asked_about_all_tokens_where_the_likely_ones_do_not_fit(
    model: VisionModel,
) -> None:
    logits = np.linspace(8, 0, model.vocabulary.size).astype(np.float32)
    last = model.vocabulary.piece(model.vocabulary.tokens("~")[0]).decode()
    assert set(drawn(model, "root ::= [}~]", logits, 0.0, 2)) == {"}"}
    assert set(drawn(model, "root ::= [~]", logits, 1.0, 3)) == {last}


def test_a_grammar_that_cannot_be_read_is_refused(model: VisionModel) -> None:
    with pytest.raises(ModelError, match="grammar"):
        GrammarDraw(model.vocabulary, "root ::= (", 1.0, 0)


@pytest.mark.parametrize(
    ("answer", "fits"),
    [
        ('"latitude":90,', True),
        ('"latitude":-90.0,', True),
        ('"latitude":90.5,', False),
        ('"latitude":89.999999,', True),
        ('"latitude":100,', False),
        ('"latitude":05,', False),
        ('"latitude":null,', True),
    ],
)
def test_latitudes_of_the_grammar(model: VisionModel, answer: str, fits: bool) -> None:
    assert accepts(model, f'{{"clues":[],"country":"","region":"","city":"",{answer}') == fits


@pytest.mark.parametrize(
    ("number", "fits"),
    [("180", True), ("-180.0", True), ("180.1", False), ("179.5", True), ("181", False)],
)
def test_longitudes_of_the_grammar(model: VisionModel, number: str, fits: bool) -> None:
    start = '{"clues":["a","b"],"country":"Türkiye","region":"","city":"東京","latitude":1,'
    assert accepts(model, f'{start}"longitude":{number}}}') == fits


@pytest.mark.parametrize("text", ["\\u0041", "\n", "\x7f", "{", "\u202e", "\ue000", "x" * 61])
def test_texts_of_the_grammar_hold_no_tricks(model: VisionModel, text: str) -> None:
    assert not accepts(model, f'{{"clues":[],"country":"{text}"')


def accepts(model: VisionModel, text: str) -> bool:
    """Whether the grammar lets a model write a text, token by token."""
    draw = GrammarDraw(model.vocabulary, open_answer_grammar(), 0.0, 0)
    try:
        for token in model.vocabulary.tokens(text):
            logits = np.zeros(model.vocabulary.size, np.float32)
            logits[token] = 1
            if draw.draw(logits) != token:
                return False
        return True
    finally:
        draw.close()
