"""How probable the model thinks each of a few options, read from the letter it would answer with.

Models prefer some letters whatever stands behind them. So the question is asked with the options in
several orders, and each log-probability is taken apart into a part of the option and a part of the
letter (two-way least squares); the first is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.vlm.prompts import LETTERS
from vlm_vpr_ros.prior.vlm.vision_model import Logits
from vlm_vpr_ros.prior.vlm.vocabulary import Vocabulary

Array = npt.NDArray[np.float64]


class LetterTokens:
    """The tokens that begin an answer with a letter: "A", and " A" where that is another one."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        """Look them up.

        Raises:
            ModelError: a letter is no single token.
        """
        tokens_of = vocabulary.tokens
        self._tokens = [
            [found[0] for text in (letter, f" {letter}") if len(found := tokens_of(text)) == 1]
            for letter in LETTERS
        ]
        if not all(self._tokens):
            raise ModelError("the model's vocabulary has no single token for each letter A to T")

    def log_probabilities(self, logits: Logits, count: int) -> Array:
        """Of the first letters, given that the answer is one of them; (count,)."""
        chosen = self._tokens[:count]
        return _log_softmax(np.array([_log_sum(logits[tokens]) for tokens in chosen]))


def option_log_probabilities(
    ask: Callable[[Sequence[int]], Array], count: int, orders: int, rng: np.random.Generator
) -> Array:
    """Log-probabilities of options without the letters' own appeal.

    Args:
        ask: takes the options in the order of their letters; gives the letters' log-probabilities.
        count: number of options, from 2 on.
        orders: how many orders are asked for; never more than `count`.
        rng: of the orders.

    Returns:
        (count,).
    """
    if orders == 1:
        places = rng.permutation(count)
        answer = np.empty(count)
        answer[places] = ask(places.tolist())
        return answer
    rows = []
    answers = []
    for order in _orders(count, min(orders, count), rng):
        answers.append(ask(order.tolist()))
        for letter, option in enumerate(order):
            row = np.zeros(2 * count)
            row[[option, count + letter]] = 1
            rows.append(row)
    parts = np.linalg.lstsq(np.array(rows), np.concatenate(answers), rcond=None)[0]
    return _log_softmax(parts[:count])


def _orders(count: int, orders: int, rng: np.random.Generator) -> list[npt.NDArray[np.int64]]:
    """Orders in which no option has the same letter twice.

    Rotations of one shuffled order. Two of them are neighbours: this connects every option with
    every letter, without which their parts could not be told apart.
    """
    shuffled = rng.permutation(count)
    more = 2 + rng.permutation(max(count - 2, 0))
    shifts = [0, 1, *more][:orders]
    return [np.roll(shuffled, shift) for shift in shifts]


def _log_sum(values: npt.NDArray[np.floating[Any]]) -> float:
    """The logarithm of the sum of exponentials."""
    largest = float(values.max())
    return largest + float(np.log(np.exp(values.astype(np.float64) - largest).sum()))


def _log_softmax(values: Array) -> Array:
    return values - _log_sum(values)
