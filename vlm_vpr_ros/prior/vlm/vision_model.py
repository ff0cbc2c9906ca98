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
from vlm_vpr_ros.prior.vlm.prompt_cut import PromptCut, cut_of
from vlm_vpr_ros.prior.vlm.vocabulary import Vocabulary
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
        self._cuts: dict[str, PromptCut] = {}
        """Of prompts about images of this size: the same are asked of every frame."""
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
        self.vocabulary = Vocabulary(self._model)
        self._memory = llama_cpp.llama_get_memory(self._context)
        self.n_ctx: int = llama_cpp.llama_n_ctx(self._context)

    @property
    def chat_template(self) -> str:
        """The Jinja template in the GGUF; empty when there is none."""
        template = llama_cpp.llama_model_chat_template(self._model, None)
        return template.decode(errors="replace") if template else ""

    def look(self, image: RgbImage) -> None:
        """Take a new image; it is evaluated with the next prompt."""
        self._forget_image()
        height, width = image.shape[:2]
        if self._size != (width, height):
            self._size = (width, height)
            self._cuts.clear()
        data = np.ascontiguousarray(image)  # copied by mtmd_bitmap_init
        pixels = data.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))
        self._bitmap = mtmd_cpp.mtmd_bitmap_init(width, height, pixels)

    def prompt(self, text: str) -> Logits:
        """Evaluate a prompt about the image; what comes next is up to `fork` and `advance`.

        Args:
            text: holds `MARKER` once, and its control tokens.

        Returns:
            (vocabulary,), of the token that comes next.

        Raises:
            ModelError: the prompt does not fit in n_ctx, or llama.cpp fails.
        """
        cut = self._cuts.get(text)
        reused = self._rewound(cut)
        if cut is None or not reused:
            chunks = self._tokenized(text)
            try:
                cut = self._cuts[text] = cut_of(chunks)
                reused = self._rewound(cut)
                self._check_room(cut)
                if not reused:
                    self._evaluate_prefix(chunks, cut)
            finally:
                mtmd_cpp.mtmd_input_chunks_free(chunks)
        self._check_room(cut)
        position = cut.prefix_positions
        for start in range(0, len(cut.suffix), _BATCH):
            part = cut.suffix[start : start + _BATCH]
            positions = range(position, position + len(part))
            self._decode(part, [0] * len(part), positions, outputs=[len(part) - 1])
            position += len(part)
        self._next_position = position
        self.usage = Usage(cut.prefix_tokens + len(cut.suffix) - reused, reused)
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
        positions = [self._next_position] * len(tokens)
        self._decode(tokens, sequences, positions, outputs=range(len(tokens)))
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

    def _tokenized(self, text: str) -> mtmd_cpp.mtmd_input_chunks_p:
        """Text and image as chunks of tokens, to be freed."""
        data = text.encode()
        given = mtmd_cpp.mtmd_input_text(data, len(data), True, True)
        bitmaps = (mtmd_cpp.mtmd_bitmap_p_ctypes * 1)(self._bitmap)
        chunks = mtmd_cpp.mtmd_input_chunks_init()
        status = mtmd_cpp.mtmd_tokenize(self._vision, chunks, ctypes.byref(given), bitmaps, 1)
        if status != 0:
            mtmd_cpp.mtmd_input_chunks_free(chunks)
            raise ModelError(f"llama.cpp cannot tokenize the prompt (error {status})")
        return chunks

    def _rewound(self, cut: PromptCut | None) -> int:
        """Go back to the end of the image; how many tokens are evaluated up to there, or 0."""
        for sequence in range(1, self._sequences):
            llama_cpp.llama_memory_seq_rm(self._memory, sequence, -1, -1)
        if cut is None or cut.key != self._key:
            return 0
        # Models with a recurrent state cannot go back.
        done = llama_cpp.llama_memory_seq_rm(self._memory, 0, cut.prefix_positions, -1)
        return cut.prefix_tokens if done else 0

    def _check_room(self, cut: PromptCut) -> None:
        tokens = cut.prefix_tokens + len(cut.suffix)
        if tokens > self.n_ctx:
            raise ModelError(
                f"image and question take {tokens} tokens, vlm.n_ctx is {self.n_ctx}: raise it"
            )

    def _evaluate_prefix(self, chunks: mtmd_cpp.mtmd_input_chunks_p, cut: PromptCut) -> None:
        llama_cpp.llama_memory_clear(self._memory, False)
        self._key = None
        position = 0
        for i in range(len(cut.key)):
            chunk = mtmd_cpp.mtmd_input_chunks_get(chunks, i)
            after = llama_cpp.llama_pos(position)
            status = mtmd_cpp.mtmd_helper_eval_chunk_single(
                self._vision, self._context, chunk, position, 0, _BATCH, False, ctypes.byref(after)
            )
            if status != 0:
                raise ModelError(f"llama.cpp cannot evaluate the image (error {status})")
            position += mtmd_cpp.mtmd_input_chunk_get_n_pos(chunk)
        self._key = cut.key

    def _decode(
        self,
        tokens: Sequence[int],
        sequences: Sequence[int],
        positions: Sequence[int],
        *,
        outputs: Sequence[int],
    ) -> None:
        """Evaluate a batch of tokens; `outputs` are those whose logits are wanted."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, (token, sequence, position) in enumerate(
            zip(tokens, sequences, positions, strict=True)
        ):
            batch.token[i] = token
            batch.pos[i] = position
            batch.n_seq_id[i] = 1
            batch.seq_id[i][0] = sequence
            batch.logits[i] = i in outputs
        status = llama_cpp.llama_decode(self._context, batch)
        if status == 1:
            raise ModelError(f"the answers do not fit in vlm.n_ctx = {self.n_ctx} tokens: raise it")
        if status != 0:
            raise ModelError(f"llama.cpp cannot evaluate the prompt (error {status})")

    def _logits(self, index: int) -> Logits:
        pointer = llama_cpp.llama_get_logits_ith(self._context, index)
        return np.ctypeslib.as_array(pointer, shape=(self.vocabulary.size,)).copy()

    def _forget_image(self) -> None:
        if self._bitmap:
            mtmd_cpp.mtmd_bitmap_free(self._bitmap)
        self._bitmap = None
        self._key = None
