"""A prompt cut at the end of its image: what comes before is evaluated once for all questions."""

from __future__ import annotations

import ctypes
from typing import NamedTuple

from llama_cpp import mtmd_cpp


class PromptCut(NamedTuple):
    """How a prompt falls into image and question."""

    key: tuple[object, ...]
    """Equal for prompts that are the same up to the end of the image."""
    prefix_tokens: int
    prefix_positions: int
    suffix: list[int]
    """Tokens after the image."""


def cut_of(chunks: mtmd_cpp.mtmd_input_chunks_p) -> PromptCut:
    """Cut a prompt that was tokenized and holds an image."""
    count = mtmd_cpp.mtmd_input_chunks_size(chunks)
    parts = [mtmd_cpp.mtmd_input_chunks_get(chunks, i) for i in range(count)]
    texts = [_text_tokens(part) for part in parts]
    prefix = 1 + max(i for i, tokens in enumerate(texts) if tokens is None)
    sizes = [mtmd_cpp.mtmd_input_chunk_get_n_tokens(part) for part in parts[:prefix]]
    return PromptCut(
        key=tuple((size, tuple(text or ())) for size, text in zip(sizes, texts, strict=False)),
        prefix_tokens=sum(sizes),
        prefix_positions=sum(map(mtmd_cpp.mtmd_input_chunk_get_n_pos, parts[:prefix])),
        suffix=[token for tokens in texts[prefix:] for token in tokens or ()],
    )


def _text_tokens(chunk: mtmd_cpp.mtmd_input_chunk_p) -> list[int] | None:
    """The tokens of a chunk of text; None for an image."""
    if mtmd_cpp.mtmd_input_chunk_get_type(chunk) != mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_TEXT:
        return None
    count = ctypes.c_size_t()
    tokens = mtmd_cpp.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
    return list(tokens[: count.value])
