"""Vision-language models of other makes, tiny and random: what they do differently from LLaVA.

- SmolVLM (`idefics3`): a large image becomes several slices with tokens of text between them.
- Qwen-VL (`qwen2vl_merger`): images of any size, and positions in two dimensions (M-RoPE).
- Gemma 3 (`gemma3`): tokens of an image see each other, others a sliding window.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
from make_tiny_vlm import Pair, add_language_sizes, add_vision_sizes, write_tensors
from tiny_vlm_network import TinyVlmConfig, language_shapes, vision_shapes, weights_at_start
from tiny_vlm_tokens import add_tokenizer

_SPECIAL = {
    "idefics3": (
        "<fake_token_around_image>",
        "<global-img>",
        *(f"<row_{row}_col_{column}>" for row in range(1, 5) for column in range(1, 5)),
        "\n\n",
    ),
    "qwen2vl_merger": ("<|vision_start|>", "<|vision_end|>"),
    "gemma3": ("<start_of_image>", "<end_of_image>"),
}
MAKES = tuple(_SPECIAL)


def write_vlm_like(make: str, folder: Path) -> Pair:
    """Write a pair whose vision tower has a projector of this type."""
    layers = 6 if make == "gemma3" else 2  # its sixth layer is the first that sees everything
    config = TinyVlmConfig(words=_SPECIAL[make], layers=layers)
    folder.mkdir(parents=True, exist_ok=True)
    pair = Pair(folder / "model.gguf", folder / "mmproj.gguf")
    rng = np.random.default_rng(1)
    architecture = {"qwen2vl_merger": "qwen2vl", "gemma3": "gemma3"}.get(make, "llama")
    _write_language_model(pair.model, architecture, config, rng)
    _write_vision_tower(pair.mmproj, make, config, rng)
    return pair


def _write_language_model(
    path: Path, architecture: str, config: TinyVlmConfig, rng: np.random.Generator
) -> None:
    shapes = language_shapes(config)
    writer = gguf.GGUFWriter(path, architecture)
    add_language_sizes(writer, config)
    add_tokenizer(writer, config.words)
    if architecture == "qwen2vl":
        writer.add_rope_dimension_sections([2, 1, 1, 0])
    if architecture == "gemma3":
        head = config.embed // config.heads
        writer.add_key_length(head)
        writer.add_value_length(head)
        writer.add_sliding_window(32)
        for layer in range(config.layers):
            block = f"blk.{layer}"
            shapes |= {f"{block}.attn_{part}_norm.weight": (head,) for part in "qk"}
            shapes |= {
                f"{block}.post_{part}_norm.weight": (config.embed,) for part in ("attention", "ffw")
            }
    write_tensors(writer, weights_at_start(shapes, rng), shapes)


def _write_vision_tower(
    path: Path, make: str, config: TinyVlmConfig, rng: np.random.Generator
) -> None:
    width, hidden = config.vision_embed, config.vision_feed_forward
    shapes = {n: s for n, s in vision_shapes(config).items() if not n.startswith("mm.")}
    writer = gguf.GGUFWriter(path, "clip")
    add_vision_sizes(writer, config, make)
    if make == "idefics3":
        writer.add_vision_projector_scale_factor(2)
        writer.add_uint32("clip.vision.preproc_image_size", 192)
        shapes["mm.model.fc.weight"] = (config.embed, 4 * width)
    if make == "gemma3":
        writer.add_vision_projector_scale_factor(2)
        shapes |= {
            "mm.input_projection.weight": (width, config.embed),
            "mm.soft_emb_norm.weight": (width,),
        }
    if make == "qwen2vl_merger":
        del shapes["v.patch_embd.bias"], shapes["v.position_embd.weight"]
        shapes |= {
            "v.patch_embd.weight.1": shapes["v.patch_embd.weight"],
            "mm.0.weight": (hidden, 4 * width),
            "mm.0.bias": (hidden,),
            "mm.2.weight": (config.embed, hidden),
            "mm.2.bias": (config.embed,),
        }
    write_tensors(writer, weights_at_start(shapes, rng), shapes)
