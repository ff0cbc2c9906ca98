"""Write a tiny LLaVA-type vision-language model as the two GGUF files that llama.cpp reads.

    python models/export/make_tiny_vlm.py --out DIR [--seed N]

A llama-architecture language model (`model.gguf`) and a CLIP vision tower with a two-layer
projector (`mmproj.gguf`). The random weights written here know nothing, but llama.cpp does with
them all that it does with a large model; `write_pair` writes trained weights of the same shapes.
`tiny_vlm_forward.py` beside this file is the exact forward pass in numpy.

Tensors are named as llama.cpp names them and have the shapes of PyTorch's `Linear.weight`
(out, in), `Embedding.weight` and `Conv2d.weight` (out, in, row, column).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import gguf
import numpy as np
import numpy.typing as npt

Weights = Mapping[str, npt.NDArray[np.float32]]

CONTROL_TOKENS = ("<|begin|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>")
BEGIN, END = 0, 1
FIRST_BYTE = len(CONTROL_TOKENS)
FIRST_WORD = FIRST_BYTE + 256

CHAT_TEMPLATE = (
    "{% for message in messages %}<|{{ message.role }}|>{{ message.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
"""llama.cpp puts <|begin|> before it. The image stands where the text has its marker."""


@dataclass(frozen=True)
class TinyVlmConfig:
    """Sizes of both networks; the defaults are those of the tests.

    Attributes:
        image_size: height and width of the vision tower's input, pixels.
        patch_size: side of one patch, pixels; one patch is one token of the language model.
        vision_embed: width of the vision tower.
        vision_heads: its attention heads.
        vision_feed_forward: hidden width of its feed-forward layers; other than `vision_embed`, or
            llama.cpp takes the up and down weights for swapped.
        vision_layers: its depth; all layers are used.
        image_mean: of the pixels as fractions of 255, red, green, blue.
        image_std: likewise.
        embed: width of the language model, and of the projector's output.
        heads: its attention heads.
        feed_forward: hidden width of its feed-forward layers.
        layers: its depth.
        context: largest number of tokens.
        words: texts that are one token each, besides the 256 bytes. A phrase that every prompt
            repeats makes prompts short. Each is longer than a character; no two of them may overlap
            in a text.
    """

    image_size: int = 64
    patch_size: int = 8
    vision_embed: int = 48
    vision_heads: int = 4
    vision_feed_forward: int = 96
    vision_layers: int = 2
    image_mean: tuple[float, float, float] = (0.5, 0.5, 0.5)
    image_std: tuple[float, float, float] = (0.25, 0.25, 0.25)
    embed: int = 32
    heads: int = 4
    feed_forward: int = 64
    layers: int = 2
    context: int = 8192
    words: tuple[str, ...] = ()

    norm_eps: float = 1e-5
    rope_base: float = 10000.0

    @property
    def patches(self) -> int:
        """Tokens of one image."""
        return (self.image_size // self.patch_size) ** 2

    @property
    def vocabulary(self) -> int:
        """Number of tokens."""
        return FIRST_WORD + len(self.words)


class Pair(NamedTuple):
    """The two files."""

    model: Path
    mmproj: Path


def language_shapes(config: TinyVlmConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of the language model."""
    width, hidden = config.embed, config.feed_forward
    shapes: dict[str, tuple[int, ...]] = {"token_embd.weight": (config.vocabulary, width)}
    for layer in range(config.layers):
        shapes |= {
            f"blk.{layer}.attn_norm.weight": (width,),
            f"blk.{layer}.attn_q.weight": (width, width),
            f"blk.{layer}.attn_k.weight": (width, width),
            f"blk.{layer}.attn_v.weight": (width, width),
            f"blk.{layer}.attn_output.weight": (width, width),
            f"blk.{layer}.ffn_norm.weight": (width,),
            f"blk.{layer}.ffn_gate.weight": (hidden, width),
            f"blk.{layer}.ffn_up.weight": (hidden, width),
            f"blk.{layer}.ffn_down.weight": (width, hidden),
        }
    return shapes | {
        "output_norm.weight": (width,),
        "output.weight": (config.vocabulary, width),
    }


def vision_shapes(config: TinyVlmConfig) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of the vision tower and the projector."""
    width, hidden = config.vision_embed, config.vision_feed_forward
    shapes: dict[str, tuple[int, ...]] = {
        "v.patch_embd.weight": (width, 3, config.patch_size, config.patch_size),
        "v.patch_embd.bias": (width,),
        "v.position_embd.weight": (config.patches, width),
    }
    for layer in range(config.vision_layers):
        block = f"v.blk.{layer}"
        shapes |= {f"{block}.{norm}.weight": (width,) for norm in ("ln1", "ln2")}
        shapes |= {f"{block}.{norm}.bias": (width,) for norm in ("ln1", "ln2")}
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            shapes |= {f"{block}.{part}.weight": (width, width), f"{block}.{part}.bias": (width,)}
        shapes |= {
            f"{block}.ffn_up.weight": (hidden, width),
            f"{block}.ffn_up.bias": (hidden,),
            f"{block}.ffn_down.weight": (width, hidden),
            f"{block}.ffn_down.bias": (width,),
        }
    return shapes | {
        "v.post_ln.weight": (width,),
        "v.post_ln.bias": (width,),
        "mm.0.weight": (config.embed, width),
        "mm.0.bias": (config.embed,),
        "mm.2.weight": (config.embed, config.embed),
        "mm.2.bias": (config.embed,),
    }


def random_weights(config: TinyVlmConfig, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Weights of a network that has learned nothing, the same for the same seed."""
    rng = np.random.default_rng(seed)
    return {
        name: _initial(name, shape, rng)
        for name, shape in (language_shapes(config) | vision_shapes(config)).items()
    }


def write_pair(folder: Path, weights: Weights, config: TinyVlmConfig) -> Pair:
    """Write `model.gguf` and `mmproj.gguf`.

    Args:
        folder: made if absent.
        weights: every tensor of `language_shapes` and `vision_shapes`, and no other.
        config: the sizes they have.

    Raises:
        ValueError: a tensor is missing, unknown, or of another shape; sizes do not fit.
    """
    _check(weights, config)
    folder.mkdir(parents=True, exist_ok=True)
    pair = Pair(folder / "model.gguf", folder / "mmproj.gguf")
    _write_language_model(pair.model, weights, config)
    _write_vision_tower(pair.mmproj, weights, config)
    return pair


def tokenize(text: str, config: TinyVlmConfig) -> list[int]:
    """The tokens of a text as llama.cpp makes them, without the leading <|begin|>.

    Control tokens and words first, the longest first; what is left is one token a byte.
    """
    whole = {token: i for i, token in enumerate(CONTROL_TOKENS)}
    whole |= {word: FIRST_WORD + i for i, word in enumerate(config.words)}
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


def _initial(
    name: str, shape: tuple[int, ...], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    if name.endswith(".bias"):
        return np.zeros(shape, np.float32)
    if len(shape) == 1:  # norms
        return np.ones(shape, np.float32)
    fan_in = 1 if "token_embd" in name or "position_embd" in name else int(np.prod(shape[1:]))
    return rng.normal(0, fan_in**-0.5, shape).astype(np.float32)


def _check(weights: Weights, config: TinyVlmConfig) -> None:
    shapes = language_shapes(config) | vision_shapes(config)
    wrong = [name for name in weights if name not in shapes]
    wrong += [
        f"{name} {shape}"
        for name, shape in shapes.items()
        if name not in weights or tuple(weights[name].shape) != shape
    ]
    if wrong:
        raise ValueError(f"weights that are missing, unknown or of another shape: {wrong}")
    for width, heads in ((config.embed, config.heads), (config.vision_embed, config.vision_heads)):
        if width % heads:
            raise ValueError(f"{width} channels do not split into {heads} heads")
    if config.image_size % config.patch_size:
        raise ValueError("patch_size does not divide image_size")
    if len(set(config.words)) < len(config.words) or any(len(word) < 2 for word in config.words):
        raise ValueError("each of the words must be longer than a character, and there once")
    if config.vision_embed == config.vision_feed_forward:
        raise ValueError("vision_feed_forward must differ from vision_embed")


def _write_language_model(path: Path, weights: Weights, config: TinyVlmConfig) -> None:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("tiny VLM of vlm_vpr_ros")
    writer.add_license("Apache-2.0")
    writer.add_context_length(config.context)
    writer.add_embedding_length(config.embed)
    writer.add_block_count(config.layers)
    writer.add_feed_forward_length(config.feed_forward)
    writer.add_head_count(config.heads)
    writer.add_head_count_kv(config.heads)
    writer.add_layer_norm_rms_eps(config.norm_eps)
    writer.add_rope_dimension_count(config.embed // config.heads)
    writer.add_rope_freq_base(config.rope_base)
    writer.add_vocab_size(config.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _add_tokenizer(writer, config)
    _write(writer, weights, language_shapes(config))


def _add_tokenizer(writer: gguf.GGUFWriter, config: TinyVlmConfig) -> None:
    """Byte-pair encoding that never merges: one token a byte, plus control tokens and words."""
    alphabet = _byte_alphabet()
    kinds = (
        [gguf.TokenType.CONTROL] * len(CONTROL_TOKENS)
        + [gguf.TokenType.NORMAL] * 256
        + [gguf.TokenType.USER_DEFINED] * len(config.words)
    )
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list([*CONTROL_TOKENS, *alphabet, *config.words])
    writer.add_token_types(kinds)
    # llama.cpp demands a merge; the byte 0xff is in no UTF-8 text.
    writer.add_token_merges([f"{alphabet[255]} {alphabet[255]}"])
    writer.add_bos_token_id(BEGIN)
    writer.add_eos_token_id(END)
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT_TEMPLATE)


def _write_vision_tower(path: Path, weights: Weights, config: TinyVlmConfig) -> None:
    writer = gguf.GGUFWriter(path, "clip")
    writer.add_name("tiny VLM of vlm_vpr_ros, vision")
    writer.add_license("Apache-2.0")
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type("mlp")
    writer.add_bool("clip.use_gelu", True)
    writer.add_vision_image_size(config.image_size)
    writer.add_vision_patch_size(config.patch_size)
    writer.add_vision_embedding_length(config.vision_embed)
    writer.add_vision_feed_forward_length(config.vision_feed_forward)
    writer.add_vision_projection_dim(config.embed)
    writer.add_vision_block_count(config.vision_layers)
    writer.add_vision_head_count(config.vision_heads)
    writer.add_vision_attention_layernorm_eps(config.norm_eps)
    # Else llama.cpp leaves the last layer out, as LLaVA does.
    writer.add_array("clip.vision.feature_layer", [config.vision_layers])
    writer.add_vision_image_mean(list(config.image_mean))
    writer.add_vision_image_std(list(config.image_std))
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    _write(writer, weights, vision_shapes(config))


def _write(
    writer: gguf.GGUFWriter, weights: Weights, shapes: Mapping[str, tuple[int, ...]]
) -> None:
    for name in shapes:
        writer.add_tensor(name, np.ascontiguousarray(weights[name], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


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


def main() -> int:
    """Write a pair with random weights."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    config = TinyVlmConfig()
    for path in write_pair(args.out, random_weights(config, args.seed), config):
        print(f"{path}: {path.stat().st_size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
