"""The tokens of a model in llama.cpp."""

from __future__ import annotations

import ctypes

import llama_cpp


class Vocabulary:
    """What the tokens of a model stand for.

    Args:
        model: llama.cpp's pointer; it must outlive this.

    Attributes:
        pointer: llama.cpp's own, for a grammar.
        size: number of tokens.
    """

    def __init__(self, model: llama_cpp.llama_model_p) -> None:
        self.pointer: llama_cpp.llama_vocab_p = llama_cpp.llama_model_get_vocab(model)
        self.size: int = llama_cpp.llama_vocab_n_tokens(self.pointer)

    @property
    def adds_begin(self) -> bool:
        """Whether llama.cpp puts the begin token before a prompt by itself."""
        return bool(llama_cpp.llama_vocab_get_add_bos(self.pointer))

    @property
    def begin_text(self) -> str:
        """The begin token as text; empty when there is none."""
        return self._text(llama_cpp.llama_vocab_bos(self.pointer))

    @property
    def end_text(self) -> str:
        """The end token as text; empty when there is none."""
        return self._text(llama_cpp.llama_vocab_eos(self.pointer))

    def ends(self, token: int) -> bool:
        """Whether a token ends the answer."""
        return bool(llama_cpp.llama_vocab_is_eog(self.pointer, token))

    def tokens(self, text: str) -> list[int]:
        """The tokens of a plain text; control tokens in it are not recognised."""
        data = text.encode()
        room = (llama_cpp.llama_token * (len(data) + 8))()
        count = llama_cpp.llama_tokenize(
            self.pointer, data, len(data), room, len(room), False, False
        )
        return list(room[:count])

    def piece(self, token: int) -> bytes:
        """What a token adds to a text; a part of a UTF-8 character perhaps."""
        room = ctypes.create_string_buffer(64)
        count = llama_cpp.llama_token_to_piece(self.pointer, token, room, len(room), 0, False)
        if count < 0:  # it wants more
            room = ctypes.create_string_buffer(-count)
            count = llama_cpp.llama_token_to_piece(self.pointer, token, room, -count, 0, False)
        return room.raw[:count]

    def _text(self, token: int) -> str:
        if token < 0:
            return ""
        return str(llama_cpp.llama_vocab_get_text(self.pointer, token).decode(errors="replace"))
