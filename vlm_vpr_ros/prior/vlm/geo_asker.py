"""A loaded model that is asked where images were taken: what the worker process does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vlm_vpr_ros.prior.vlm import prompts
from vlm_vpr_ros.prior.vlm.chat import ChatPrompt, template_named
from vlm_vpr_ros.prior.vlm.gguf_file import check_gguf
from vlm_vpr_ros.prior.vlm.grammar import open_answer_grammar
from vlm_vpr_ros.prior.vlm.letters import Array, LetterTokens, option_log_probabilities
from vlm_vpr_ros.prior.vlm.options import Option, option_tree, place_probabilities
from vlm_vpr_ros.prior.vlm.protocol import Settings
from vlm_vpr_ros.prior.vlm.sampling import sampled_answers
from vlm_vpr_ros.prior.vlm.vision_model import MARKER, VisionModel
from vlm_vpr_ros.types import RgbImage


class GeoAsker:
    """Asks one model; `close` frees its memory."""

    def __init__(self, settings: Settings) -> None:
        """Load the model and find out how it wants to be asked.

        Raises:
            ModelError: a file is missing, damaged, or not what it should be.
        """
        model, mmproj = Path(settings.model), Path(settings.mmproj)
        check_gguf(model)
        check_gguf(mmproj)
        self._settings = settings
        self._model = VisionModel(
            model,
            mmproj,
            n_ctx=settings.n_ctx,
            n_threads=settings.n_threads,
            n_gpu_layers=settings.n_gpu_layers,
            sequences=settings.samples,
        )
        handler = settings.chat_handler
        self._chat = ChatPrompt(
            template_named(handler) if handler else self._model.chat_template,
            prompts.SYSTEM,
            MARKER,
            begin=self._model.vocabulary.begin_text,
            end=self._model.vocabulary.end_text,
            adds_begin=self._model.vocabulary.adds_begin,
        )
        self._grammar = open_answer_grammar()
        self._choice = (
            (option_tree(settings.places), LetterTokens(self._model.vocabulary))
            if settings.places
            else None
        )

    def warm_up(self) -> None:
        """Evaluate one question, so that the first frame finds the weights in memory.

        Raises:
            ModelError: image and question do not fit in the context.
        """
        self._model.look(np.zeros((64, 64, 3), np.uint8))
        question = prompts.OPEN_QUESTION
        if self._choice:
            tree, _ = self._choice
            question = prompts.choice_question([option.text for option in tree.options])
        self._model.prompt(self._chat.text(question))

    def answer(self, image: RgbImage) -> dict[str, Any]:
        """What the model says of an image: `answers` or `probabilities`.

        Raises:
            ModelError: the prompt does not fit in the context.
        """
        self._model.look(image)
        if self._choice is None:
            return {"answers": self._drawn()}
        return {"probabilities": self._weighed(*self._choice).tolist()}

    def close(self) -> None:
        """Free the memory."""
        self._model.close()

    def _drawn(self) -> list[str]:
        prompt = self._chat.text(prompts.OPEN_QUESTION)
        settings = self._settings
        return sampled_answers(
            self._model, prompt, self._grammar, settings.temperature, settings.samples
        )

    def _weighed(self, tree: Option, letters: LetterTokens) -> Array:
        def log_probabilities(options: Sequence[str]) -> Array:
            def ask(order: Sequence[int]) -> Array:
                question = prompts.choice_question([options[i] for i in order])
                logits = self._model.prompt(self._chat.text(question))
                return letters.log_probabilities(logits, len(order))

            rng = np.random.default_rng(0)  # the same question comes in the same orders
            return option_log_probabilities(ask, len(options), self._settings.samples, rng)

        return place_probabilities(tree, log_probabilities)
