"""Option probabilities: the letters' own appeal is taken out exactly where it can be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.prior.vlm.letters import LetterTokens, option_log_probabilities
from vlm_vpr_ros.prior.vlm.vision_model import VisionModel

numbers = st.floats(-8, 8)


def log_softmax(values: np.ndarray) -> np.ndarray:
    return values - np.log(np.exp(values).sum())


class Biased:
    """Answers by what it knows and by which letters it likes."""

    def __init__(self, known: Sequence[float], liked: Sequence[float]) -> None:
        self.known = np.array(known)
        self.liked = np.array(liked)
        self.orders: list[list[int]] = []

    def __call__(self, order: Sequence[int]) -> np.ndarray:
        self.orders.append(list(order))
        return log_softmax(self.known[list(order)] + self.liked)


@given(st.data(), st.integers(2, 20), st.integers(2, 24), st.integers(0, 99))
def test_the_letters_appeal_is_gone(
    data: st.DataObject, count: int, orders: int, seed: int
) -> None:
    known = data.draw(st.lists(numbers, min_size=count, max_size=count))
    liked = data.draw(st.lists(numbers, min_size=count, max_size=count))
    model = Biased(known, liked)
    found = option_log_probabilities(model, count, orders, np.random.default_rng(seed))
    np.testing.assert_allclose(found, log_softmax(np.array(known)), atol=1e-6)
    assert len(model.orders) == min(orders, count)
    for letter in zip(*model.orders, strict=True):
        assert len(set(letter)) == len(letter), "an option had a letter twice"


def test_one_order_is_taken_as_it_is() -> None:
    model = Biased([1, 2, 3], [0, 0, 0])
    found = option_log_probabilities(model, 3, 1, np.random.default_rng(0))
    np.testing.assert_allclose(found, log_softmax(np.array([1.0, 2.0, 3.0])))


def test_both_ways_of_writing_a_letter_count(tiny_vlm) -> None:
    model = VisionModel(*tiny_vlm.pair, n_ctx=256, n_threads=1)
    letters = LetterTokens(model.vocabulary)
    logits = np.zeros(model.vocabulary.size, np.float32)
    logits[model.vocabulary.tokens("B")[0]] = np.log(3)
    np.testing.assert_allclose(np.exp(letters.log_probabilities(logits, 2)), [1 / 4, 3 / 4])
    model.close()


def test_probabilities_do_not_overflow(tiny_vlm) -> None:
    model = VisionModel(*tiny_vlm.pair, n_ctx=256, n_threads=1)
    logits = np.full(model.vocabulary.size, 3000, np.float32)
    found = LetterTokens(model.vocabulary).log_probabilities(logits, 4)
    assert found == pytest.approx(np.log(0.25))
    model.close()
