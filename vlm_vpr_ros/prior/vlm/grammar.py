"""Drawing the next token of an answer, restricted to what a grammar allows."""

from __future__ import annotations

import ctypes
import math
from importlib import resources

import llama_cpp
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.vlm.vision_model import Logits
from vlm_vpr_ros.prior.vlm.vocabulary import Vocabulary

_UNLIKELY = math.log(0.05)
"""Tokens this much less likely than the best allowed one are not drawn (min-p sampling): all
together they would be, now and then, and one of them derails an answer."""

_AT_ONCE = 32
"""Candidates shown to the grammar at first: it takes long over a whole vocabulary."""

_TOKEN = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])


def open_answer_grammar() -> str:
    """The grammar (GBNF) of answers to `prompts.OPEN_QUESTION`."""
    file = resources.files(__package__) / "open_answer.gbnf"
    return file.read_text(encoding="utf-8")


class GrammarDraw:
    """One answer being drawn. `close` frees the memory."""

    def __init__(self, vocabulary: Vocabulary, grammar: str, temperature: float, seed: int) -> None:
        """Start at the grammar's `root`.

        Raises:
            ModelError: llama.cpp cannot read the grammar.
        """
        self._sampler = llama_cpp.llama_sampler_init_grammar(
            vocabulary.pointer, grammar.encode(), b"root"
        )
        if not self._sampler:
            raise ModelError("llama.cpp cannot read the grammar of the answer")
        self._temperature = temperature
        self._rng = np.random.default_rng(seed)

    def draw(self, logits: Logits) -> int:
        """Draw the next token and note it.

        By the Gumbel-max trick: the best of the perturbed logits is a draw from their softmax, and
        the best among the allowed ones is a draw from the softmax over those.

        Args:
            logits: (vocabulary,).

        Raises:
            ModelError: the vocabulary has no token that the grammar allows here.
        """
        allowed = self._best_allowed(logits)
        if not len(allowed):
            raise ModelError("the model's vocabulary cannot spell the answer")
        likely = allowed[logits[allowed] >= logits[allowed].max() + self._temperature * _UNLIKELY]
        noise = self._rng.gumbel(size=len(likely))
        token = int(likely[np.argmax(logits[likely] + self._temperature * noise)])
        llama_cpp.llama_sampler_accept(self._sampler, token)
        return token

    def close(self) -> None:
        """Free the memory."""
        llama_cpp.llama_sampler_free(self._sampler)

    def _best_allowed(self, logits: Logits) -> npt.NDArray[np.int64]:
        """All allowed tokens that can be drawn, and perhaps others."""
        count = min(_AT_ONCE, len(logits))
        best = np.argpartition(logits, -count)[-count:]
        allowed = self._allowed(best, logits)
        floor = logits[best].min()
        if len(allowed) and logits[allowed].max() + self._temperature * _UNLIKELY > floor:
            return allowed
        return self._allowed(np.arange(len(logits)), logits)

    def _allowed(self, tokens: npt.NDArray[np.int64], logits: Logits) -> npt.NDArray[np.int64]:
        candidates = np.zeros(len(tokens), _TOKEN)
        candidates["id"] = tokens
        candidates["logit"] = logits[tokens]
        data = candidates.ctypes.data_as(ctypes.POINTER(llama_cpp.llama_token_data))
        array = llama_cpp.llama_token_data_array(data, len(tokens), -1, False)
        llama_cpp.llama_sampler_apply(self._sampler, ctypes.byref(array))
        accepted = np.isfinite(candidates["logit"])
        return np.asarray(tokens[accepted], np.int64)
