"""A vision-language model in llama.cpp: one image, many prompts about it.

Uses llama-cpp-python's low-level functions, since its chat handlers evaluate the image anew for
every prompt. Here whatever comes before the end of the image stays in the KV cache; a prompt costs
the tokens after it, and several continuations of a prompt are decoded in one batch.
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import llama_cpp
import numpy as np
import numpy.typing as npt
from llama_cpp import mtmd_cpp

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.types import RgbImage

Logits = npt.NDArray[np.float32]
"""(vocabulary,) or (sequences, vocabulary) float32, not normalised."""

MARKER: str = mtmd_cpp.mtmd_default_marker().decode()
"""Stands in a prompt where the image goes."""

_BATCH = 512
"""Tokens evaluated at a time, llama.cpp's default: more takes memory, fewer take time."""


class Usage(NamedTuple):
    """How many tokens were evaluated, and how many were there already."""

    evaluated: int
    reused: int


class _Prompt(NamedTuple):
    """A prompt cut at the end of its image."""

    chunks: mtmd_cpp.mtmd_input_chunks_p
    prefix: int
    """How many chunks end with the image."""
    key: tuple[object, ...]
    """Equal for prompts that are the same up to there."""
    prefix_tokens: int
    prefix_positions: int
    suffix: list[int]
    """Tokens after the image."""


class VisionModel:
    """A model, its vision tower and its KV cache. Not thread-safe; `close` frees the memory."""

    def __init__(
        self,
        model: Path,
        mmproj: Path,
        *,
        n_ctx: int,
        n_threads: int,
        n_gpu_layers: int = 0,
        sequences: int = 1,
    ) -> None:
        """Load both files.

        Args:
            model: GGUF of the language model.
            mmproj: GGUF of its vision tower.
            n_ctx: room for tokens, shared by all sequences.
            n_threads: of the CPU.
            n_gpu_layers: layers on the GPU, -1 for all.
            sequences: most continuations that `advance` decodes side by side.

        Raises:
            ModelError: llama.cpp refuses a file, or they do not belong together.
        """
        # Pointers of llama.cpp; None before and after their life.
        self._model: Any = None
        self._context: Any = None
        self._vision: Any = None
        self._bitmap: Any = None
        self._size = (0, 0)
        self._key: tuple[object, ...] | None = None
        self._next_position = 0
        self._sequences = sequences
        self.usage = Usage(0, 0)
        """Of the last `prompt`."""
        try:
            self._load(model, mmproj, n_threads, n_gpu_layers)
            self._make_context(n_ctx, n_threads, sequences)
        except ModelError:
            self.close()
            raise
        self._vocab = llama_cpp.llama_model_get_vocab(self._model)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self.vocabulary: int = llama_cpp.llama_vocab_n_tokens(self._vocab)
        self.n_ctx: int = llama_cpp.llama_n_ctx(self._context)

    @property
    def vocab(self) -> llama_cpp.llama_vocab_p:
        """llama.cpp's vocabulary, for a grammar."""
        return self._vocab

    @property
    def chat_template(self) -> str:
        """The Jinja template in the GGUF; empty when there is none."""
        template = llama_cpp.llama_model_chat_template(self._model, None)
        return template.decode(errors="replace") if template else ""

    @property
    def adds_begin(self) -> bool:
        """Whether llama.cpp puts the begin token before a prompt by itself."""
        return bool(llama_cpp.llama_vocab_get_add_bos(self._vocab))

    @property
    def begin_text(self) -> str:
        """The begin token as text; empty when there is none."""
        return self._token_text(llama_cpp.llama_vocab_bos(self._vocab))

    @property
    def end_text(self) -> str:
        """The end token as text; empty when there is none."""
        return self._token_text(llama_cpp.llama_vocab_eos(self._vocab))

    def ends(self, token: int) -> bool:
        """Whether a token ends the answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self._vocab, token))

    def tokens(self, text: str) -> list[int]:
        """The tokens of a plain text; control tokens in it are not recognised."""
        data = text.encode()
        room = (llama_cpp.llama_token * (len(data) + 8))()
        count = llama_cpp.llama_tokenize(
            self._vocab, data, len(data), room, len(room), False, False
        )
        return list(room[:count])

    def piece(self, token: int) -> bytes:
        """What a token adds to a text; a part of a UTF-8 character perhaps."""
        room = ctypes.create_string_buffer(256)
        count = llama_cpp.llama_token_to_piece(self._vocab, token, room, len(room), 0, False)
        return room.raw[: max(count, 0)]

    def look(self, image: RgbImage) -> None:
        """Take a new image; it is evaluated with the next prompt."""
        self._forget_image()
        height, width = image.shape[:2]
        data = np.ascontiguousarray(image)  # copied by mtmd_bitmap_init
        pixels = data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        self._bitmap = mtmd_cpp.mtmd_bitmap_init(width, height, pixels)
        self._size = (width, height)

    def prompt(self, text: str) -> Logits:
        """Evaluate a prompt about the image; what comes next is up to `fork` and `advance`.

        Args:
            text: holds `MARKER` once, and its control tokens.

        Returns:
            (vocabulary,), of the token that comes next.

        Raises:
            ModelError: the prompt does not fit in n_ctx, or llama.cpp fails.
        """
        prompt = self._cut(text, placeholder=self._key is not None)
        if prompt.key != self._key:
            mtmd_cpp.mtmd_input_chunks_free(prompt.chunks)
            prompt = self._cut(text, placeholder=False)
        try:
            tokens = prompt.prefix_tokens + len(prompt.suffix)
            if tokens > self.n_ctx:
                raise ModelError(
                    f"image and question take {tokens} tokens, vlm.n_ctx is {self.n_ctx}: raise it"
                )
            reused = self._kept(prompt)
            if not reused:
                self._evaluate_prefix(prompt)
        finally:
            mtmd_cpp.mtmd_input_chunks_free(prompt.chunks)
        self._next_position = prompt.prefix_positions
        for start in range(0, len(prompt.suffix), _BATCH):
            part = prompt.suffix[start : start + _BATCH]
            last = start + len(part) == len(prompt.suffix)
            self._decode(
                part,
                [0] * len(part),
                range(self._next_position, self._next_position + len(part)),
                last,
            )
            self._next_position += len(part)
        self.usage = Usage(tokens - reused, reused)
        return self._logits(-1)

    def fork(self, sequences: int) -> None:
        """Make copies of the prompt that can be continued differently, numbered from zero."""
        for sequence in range(1, sequences):
            llama_cpp.llama_memory_seq_cp(self._memory, 0, sequence, -1, -1)

    def advance(self, tokens: Sequence[int], sequences: Sequence[int]) -> Logits:
        """Append one token to each of some sequences; all that still go on are as long.

        Returns:
            (sequences, vocabulary), of the token that comes next in each.

        Raises:
            ModelError: the context is full.
        """
        self._decode(tokens, sequences, [self._next_position] * len(tokens), None)
        self._next_position += 1
        return np.stack([self._logits(i) for i in range(len(tokens))])

    def close(self) -> None:
        """Free the memory; needed before the process ends."""
        self._forget_image()
        if self._vision:
            mtmd_cpp.mtmd_free(self._vision)
        if self._context:
            llama_cpp.llama_batch_free(self._batch)
            llama_cpp.llama_free(self._context)
        if self._model:
            llama_cpp.llama_model_free(self._model)
        self._vision = self._context = self._model = None

    def _load(self, model: Path, mmproj: Path, n_threads: int, n_gpu_layers: int) -> None:
        llama_cpp.llama_backend_init()
        params = llama_cpp.llama_model_default_params()
        params.n_gpu_layers = n_gpu_layers
        self._model = llama_cpp.llama_model_load_from_file(bytes(model), params)
        if not self._model:
            raise ModelError(f"{model}: llama.cpp cannot load it as a language model")
        vision = mtmd_cpp.mtmd_context_params_default()
        vision.use_gpu = n_gpu_layers != 0
        vision.n_threads = n_threads
        vision.print_timings = False
        self._vision = mtmd_cpp.mtmd_init_from_file(bytes(mmproj), self._model, vision)
        if not self._vision:
            raise ModelError(f"{mmproj}: llama.cpp cannot load it as the vision tower of {model}")
        if not mtmd_cpp.mtmd_support_vision(self._vision):
            raise ModelError(f"{mmproj} has no vision tower")

    def _make_context(self, n_ctx: int, n_threads: int, sequences: int) -> None:
        params = llama_cpp.llama_context_default_params()
        params.n_ctx = n_ctx
        params.n_batch = params.n_ubatch = _BATCH
        params.n_threads = params.n_threads_batch = n_threads
        params.n_seq_max = sequences
        params.n_outputs_max = sequences  # else room for n_batch times the vocabulary
        params.kv_unified = True  # copies of a sequence share their cells
        params.swa_full = True  # else sliding-window models cannot go back to the prefix
        self._context = llama_cpp.llama_init_from_model(self._model, params)
        if not self._context:
            raise ModelError(f"llama.cpp cannot make a context of vlm.n_ctx = {n_ctx} tokens")
        self._batch = llama_cpp.llama_batch_init(_BATCH, 0, 1)

    def _cut(self, text: str, placeholder: bool) -> _Prompt:
        """Tokenize a prompt; a placeholder in place of the image spares its scaling."""
        bitmap = self._bitmap
        if placeholder:
            bitmap = mtmd_cpp.mtmd_bitmap_init(*self._size, None)
        data = text.encode()
        given = mtmd_cpp.mtmd_input_text(data, len(data), True, True)
        bitmaps = (mtmd_cpp.mtmd_bitmap_p_ctypes * 1)(bitmap)
        chunks = mtmd_cpp.mtmd_input_chunks_init()
        status = mtmd_cpp.mtmd_tokenize(self._vision, chunks, ctypes.byref(given), bitmaps, 1)
        if placeholder:
            mtmd_cpp.mtmd_bitmap_free(bitmap)
        if status != 0:
            mtmd_cpp.mtmd_input_chunks_free(chunks)
            raise ModelError(f"llama.cpp cannot tokenize the prompt (error {status})")
        count = mtmd_cpp.mtmd_input_chunks_size(chunks)
        parts = [mtmd_cpp.mtmd_input_chunks_get(chunks, i) for i in range(count)]
        texts = [_text_tokens(part) for part in parts]
        prefix = 1 + max(i for i, tokens in enumerate(texts) if tokens is None)
        sizes = [mtmd_cpp.mtmd_input_chunk_get_n_tokens(part) for part in parts[:prefix]]
        return _Prompt(
            chunks=chunks,
            prefix=prefix,
            key=tuple(zip(sizes, map(tuple, [t or () for t in texts[:prefix]]), strict=True)),
            prefix_tokens=sum(sizes),
            prefix_positions=sum(map(mtmd_cpp.mtmd_input_chunk_get_n_pos, parts[:prefix])),
            suffix=[token for tokens in texts[prefix:] for token in tokens or ()],
        )

    def _kept(self, prompt: _Prompt) -> int:
        """Cut the cache back to the end of the image; how many tokens are in it, 0 for none."""
        for sequence in range(1, self._sequences):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        if prompt.key == self._key and llama_cpp.llama_memory_seq_rm(
            self._memory, 0, prompt.prefix_positions, -1
        ):
            return prompt.prefix_tokens
        return 0

    def _evaluate_prefix(self, prompt: _Prompt) -> None:
        llama_cpp.llama_memory_clear(self._memory, False)
        self._key = None
        position = 0
        for i in range(prompt.prefix):
            chunk = mtmd_cpp.mtmd_input_chunks_get(prompt.chunks, i)
            after = llama_cpp.llama_pos(position)
            status = mtmd_cpp.mtmd_helper_eval_chunk_single(
                self._vision, self._context, chunk, position, 0, _BATCH, False, ctypes.byref(after)
            )
            if status != 0:
                raise ModelError(f"llama.cpp cannot evaluate the image (error {status})")
            position += mtmd_cpp.mtmd_input_chunk_get_n_pos(chunk)
        self._key = prompt.key

    def _decode(
        self,
        tokens: Sequence[int],
        sequences: Sequence[int],
        positions: Sequence[int],
        last: bool | None,
    ) -> None:
        """Evaluate tokens; `last` asks for logits of the last one, None for those of all."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, (token, sequence, position) in enumerate(
            zip(tokens, sequences, positions, strict=True)
        ):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = last is None or (last and i == len(tokens) - 1)
        status = llama_cpp.llama_decode(self._context, batch)
        if status == 1:
            raise ModelError(f"the answers do not fit in vlm.n_ctx = {self.n_ctx} tokens: raise it")
        if status != 0:
            raise ModelError(f"llama.cpp cannot evaluate the prompt (error {status})")

    def _logits(self, index: int) -> Logits:
        pointer = llama_cpp.llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary,)).copy()

    def _token_text(self, token: int) -> str:
        if token < 0:
            return ""
        return str(llama_cpp.llama_vocab_get_text(self._vocab, token).decode(errors="replace"))

    def _forget_image(self) -> None:
        if self._bitmap:
            mtmd_cpp.mtmd_bitmap_free(self._bitmap)
        self._bitmap = None
        self._key = None


def _text_tokens(chunk: mtmd_cpp.mtmd_input_chunk_p) -> list[int] | None:
    """The tokens of a chunk of text; None for an image."""
    if mtmd_cpp.mtmd_input_chunk_get_type(chunk) != mtmd_cpp.MTMD_INPUT_CHUNK_TYPE_TEXT:
        return None
    count = ctypes.c_size_t()
    tokens = mtmd_cpp.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
    return list(tokens[: count.value])
