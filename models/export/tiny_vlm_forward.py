"""The forward pass of the tiny vision-language model in numpy, as llama.cpp computes it.

A network trained in another framework that agrees with these functions agrees with llama.cpp.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from PIL import Image
from tiny_vlm_network import TinyVlmConfig, Weights

Array = npt.NDArray[np.float64]

PADDING_COLOUR = (122, 116, 104)
"""Red, green, blue: what llama.cpp fills a LLaVA image up with."""


def preprocessed(image: npt.NDArray[np.uint8], config: TinyVlmConfig) -> Array:
    """An RGB image as the vision tower takes it.

    The whole image is scaled to fit (Pillow's bicubic filter, with antialiasing), its aspect ratio
    kept, sizes rounded up, centred (rounded down) on the padding colour, and normalised.

    Args:
        image: (height, width, 3) uint8.
        config: of the model.

    Returns:
        (3, image_size, image_size).
    """
    side = config.image_size
    height, width = image.shape[:2]
    # In single precision, as llama.cpp does: the rounding up depends on it.
    scale = min(np.float32(side) / np.float32(width), np.float32(side) / np.float32(height))
    new_width = min(math.ceil(np.float32(width) * scale), side)
    new_height = min(math.ceil(np.float32(height) * scale), side)
    canvas = Image.new("RGB", (side, side), PADDING_COLOUR)
    scaled = Image.fromarray(image).resize((new_width, new_height), Image.Resampling.BICUBIC)
    canvas.paste(scaled, ((side - new_width) // 2, (side - new_height) // 2))
    fractions = np.asarray(canvas, np.float64) / 255
    return np.moveaxis((fractions - config.image_mean) / config.image_std, -1, 0)


def image_tokens(pixels: Array, weights: Weights, config: TinyVlmConfig) -> Array:
    """The image's embeddings for the language model: vision tower, then projector.

    Patches run row by row; there is no class token. Layers normalise first and end with `post_ln`;
    attention sees all patches; GELU is the tanh approximation.

    Args:
        pixels: (3, image_size, image_size), see `preprocessed`.
        weights: of `vision_shapes`.
        config: of the model.

    Returns:
        (patches, embed).
    """
    w = {name: np.asarray(array, np.float64) for name, array in weights.items()}
    size, grid = config.patch_size, config.image_size // config.patch_size
    # (3, row, y, column, x) -> (row, column, 3, y, x): the order of a convolution kernel.
    patches = pixels.reshape(3, grid, size, grid, size).transpose(1, 3, 0, 2, 4)
    kernel = w["v.patch_embd.weight"].reshape(config.vision_embed, -1)
    x = patches.reshape(config.patches, -1) @ kernel.T + w["v.patch_embd.bias"]
    x = x + w["v.position_embd.weight"]
    for layer in range(config.vision_layers):
        block = f"v.blk.{layer}"
        normal = _layer_norm(x, w, f"{block}.ln1", config.norm_eps)
        query, key, value = (_linear(normal, w, f"{block}.attn_{part}") for part in "qkv")
        mixed = _attention(query, key, value, config.vision_heads, causal=False)
        x = x + _linear(mixed, w, f"{block}.attn_out")
        normal = _layer_norm(x, w, f"{block}.ln2", config.norm_eps)
        x = x + _linear(_gelu(_linear(normal, w, f"{block}.ffn_up")), w, f"{block}.ffn_down")
    x = _layer_norm(x, w, "v.post_ln", config.norm_eps)
    return _linear(_gelu(_linear(x, w, "mm.0")), w, "mm.2")


def embedded(tokens: list[int], weights: Weights) -> Array:
    """The embeddings of text tokens, (tokens, embed)."""
    return np.asarray(weights["token_embd.weight"], np.float64)[tokens]


def logits(embeddings: Array, weights: Weights, config: TinyVlmConfig) -> Array:
    """What the language model expects after each token.

    Rotary positions count text and image tokens alike, from zero at <|begin|>; pairs of
    neighbouring channels rotate together. Attention is causal, also within the image.

    Args:
        embeddings: (tokens, embed): <|begin|>, text, `image_tokens`, text.
        weights: of `language_shapes`.
        config: of the model.

    Returns:
        (tokens, vocabulary).
    """
    w = {name: np.asarray(array, np.float64) for name, array in weights.items()}
    x = embeddings
    for layer in range(config.layers):
        block = f"blk.{layer}"
        normal = _rms_norm(x, w[f"{block}.attn_norm.weight"], config.norm_eps)
        query, key, value = (normal @ w[f"{block}.attn_{part}.weight"].T for part in "qkv")
        query, key = (_rotated(vectors, config) for vectors in (query, key))
        mixed = _attention(query, key, value, config.heads, causal=True)
        x = x + mixed @ w[f"{block}.attn_output.weight"].T
        normal = _rms_norm(x, w[f"{block}.ffn_norm.weight"], config.norm_eps)
        gate = normal @ w[f"{block}.ffn_gate.weight"].T
        up = normal @ w[f"{block}.ffn_up.weight"].T
        x = x + (gate / (1 + np.exp(-gate)) * up) @ w[f"{block}.ffn_down.weight"].T
    return _rms_norm(x, w["output_norm.weight"], config.norm_eps) @ w["output.weight"].T


def _linear(x: Array, w: dict[str, Array], name: str) -> Array:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def _layer_norm(x: Array, w: dict[str, Array], name: str, eps: float) -> Array:
    centred = x - x.mean(-1, keepdims=True)
    spread = np.sqrt((centred**2).mean(-1, keepdims=True) + eps)
    return centred / spread * w[f"{name}.weight"] + w[f"{name}.bias"]


def _rms_norm(x: Array, gain: Array, eps: float) -> Array:
    return x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) * gain


def _gelu(x: Array) -> Array:
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


def _attention(query: Array, key: Array, value: Array, heads: int, causal: bool) -> Array:
    count, width = query.shape

    def by_head(vectors: Array) -> Array:
        return vectors.reshape(count, heads, -1).transpose(1, 0, 2)

    scores = by_head(query) @ by_head(key).transpose(0, 2, 1) / math.sqrt(width // heads)
    if causal:
        scores = np.where(np.tri(count, dtype=bool), scores, -np.inf)
    scores = np.exp(scores - scores.max(-1, keepdims=True))
    mixed = scores / scores.sum(-1, keepdims=True) @ by_head(value)
    return mixed.transpose(1, 0, 2).reshape(count, width)


def _rotated(vectors: Array, config: TinyVlmConfig) -> Array:
    count, width = vectors.shape
    head = width // config.heads
    turns = config.rope_base ** (-np.arange(0, head, 2) / head)
    angles = np.arange(count)[:, None, None] * turns  # (tokens, 1, pairs)
    pairs = vectors.reshape(count, config.heads, head // 2, 2)
    even, odd = pairs[..., 0], pairs[..., 1]
    rotated = (
        even * np.cos(angles) - odd * np.sin(angles),
        even * np.sin(angles) + odd * np.cos(angles),
    )
    return np.stack(rotated, -1).reshape(count, width)
