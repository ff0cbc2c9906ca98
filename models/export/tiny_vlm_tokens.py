"""The tokens of the tiny vision-language models: control tokens, the 256 bytes, whole words."""

from __future__ import annotations

from collections.abc import Sequence

import gguf

CONTROL_TOKENS = ("<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
BEGIN, END = 0, 1
FIRST_BYTE = len(CONTROL_TOKENS)
FIRST_WORD = FIRST_BYTE + 256

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""llama.cpp puts <|begin|> before it. The image stands where the text has its marker."""


def tokenize(text: str, words: Sequence[str]) -> list[int]:
    """The tokens of a text as llama.cpp makes them, without the leading <|begin|>.

    Control tokens and words first, the longest first; what is left is one token a byte.
    """
    whole = {token: i for i, token in enumerate(CONTROL_TOKENS)}
    whole |= {word: FIRST_WORD + i for i, word in enumerate(words)}
    pieces: list[str | int] = [text]
    for token in sorted(whole, key=len, reverse=True):
        pieces = [part for piece in pieces for part in _split(piece, token, whole[token])]
    tokens: list[int] = []
    for piece in pieces:
        if isinstance(piece, int):
            tokens.append(piece)
        else:
            tokens += [FIRST_BYTE + byte for byte in piece.encode()]
    return tokens


def add_tokenizer(writer: gguf.GGUFWriter, words: Sequence[str]) -> None:
    """Byte-pair encoding that never merges: one token a byte, plus control tokens and words."""
    alphabet = _byte_alphabet()
    kinds = (
        [gguf.TokenType.CONTROL] * len(CONTROL_TOKENS)
        + [gguf.TokenType.NORMAL] * 256
        + [gguf.TokenType.USER_DEFINED] * len(words)
    )
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*CONTROL_TOKENS, *alphabet, *words])
    writer.add_token_types(kinds)
    # llama.cpp demands a merge; the byte 0xff is in no UTF-8 text.
    writer.add_token_merges([f"{alphabet[255]} {alphabet[255]}"])
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT_TEMPLATE)


def _byte_alphabet() -> list[str]:
    """The printable character that stands for each byte in a GPT-2 vocabulary."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    substitutes = iter(range(256, 512))
    return [chr(byte if byte in printable else next(substitutes)) for byte in range(256)]


def _split(piece: str | int, token: str, number: int) -> list[str | int]:
    if isinstance(piece, int):
        return [piece]
    parts: list[str | int] = []
    for i, part in enumerate(piece.split(token)):
        parts += ([number] if i else []) + ([part] if part else [])
    return parts
