"""The network of the tiny vision-language models: its sizes, its tensors, random weights.

Tensors are named as llama.cpp names them and have the shapes of PyTorch's `Linear.weight`
(out, in), `Embedding.weight` and `Conv2d.weight` (out, in, row, column).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from tiny_vlm_tokens import FIRST_WORD

Shapes = dict[str, tuple[int, ...]]
"""Name -> shape of tensors, in the order of the file."""

Weights = Mapping[str, npt.NDArray[np.float32]]


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


def language_shapes(config: TinyVlmConfig) -> Shapes:
    """Name and shape of every tensor of the language model."""
    width, hidden = config.embed, config.feed_forward
    shapes: Shapes = {"token_embd.weight": (config.vocabulary, width)}
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


def vision_shapes(config: TinyVlmConfig) -> Shapes:
    """Name and shape of every tensor of the vision tower and the projector."""
    width, hidden = config.vision_embed, config.vision_feed_forward
    shapes: Shapes = {
        "v.patch_embd.weight": (width, 3, config.patch_size, config.patch_size),
        "v.patch_embd.bias": (width,),
        "v.position_embd.weight": (config.patches, width),
    }
    for layer in range(config.vision_layers):
        block = f"v.blk.{layer}"
        shapes |= {
            f"{block}.{norm}.{kind}": (width,)
            for kind in ("weight", "bias")
            for norm in ("ln1", "ln2")
        }
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            shapes |= _linear(f"{block}.{part}", width, width)
        shapes |= _linear(f"{block}.ffn_up", hidden, width)
        shapes |= _linear(f"{block}.ffn_down", width, hidden)
    shapes |= {"v.post_ln.weight": (width,), "v.post_ln.bias": (width,)}
    projector = _linear("mm.0", config.embed, width) | _linear("mm.2", config.embed, config.embed)
    return shapes | projector


def random_weights(config: TinyVlmConfig, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Weights of a network that has learned nothing, the same for the same seed."""
    shapes = language_shapes(config) | vision_shapes(config)
    return weights_at_start(shapes, np.random.default_rng(seed))


def weights_at_start(
    shapes: Shapes, rng: np.random.Generator
) -> dict[str, npt.NDArray[np.float32]]:
    """What training begins with: the outputs of each layer are about as large as its inputs."""
    return {name: _initial(name, shape, rng) for name, shape in shapes.items()}


def _linear(name: str, out: int, into: int) -> Shapes:
    return {f"{name}.weight": (out, into), f"{name}.bias": (out,)}


def _initial(
    name: str, shape: tuple[int, ...], rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    if name.endswith(".bias"):
        return np.zeros(shape, np.float32)
    if len(shape) == 1:  # norms
        return np.ones(shape, np.float32)
    fan_in = 1 if "token_embd" in name or "position_embd" in name else int(np.prod(shape[1:]))
    return rng.normal(0, fan_in**-0.5, shape).astype(np.float32)
