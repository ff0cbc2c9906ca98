"""Write a tiny LLaVA-type vision-language model as the two GGUF files that llama.cpp reads.

    python models/export/make_tiny_vlm.py --out DIR [--seed N]

A llama-architecture language model (`model.gguf`) and a CLIP vision tower with a two-layer
projector (`mmproj.gguf`). The random weights written here know nothing, but llama.cpp does with
them all that it does with a large model; `write_pair` writes trained weights of the same shapes.

Beside this file, `tiny_vlm_network.py` and `tiny_vlm_tokens.py` say what is in the files, and
`tiny_vlm_forward.py` is the exact forward pass in numpy.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import gguf
import numpy as np
from tiny_vlm_network import (
    Shapes,
    TinyVlmConfig,
    Weights,
    language_shapes,
    random_weights,
    vision_shapes,
)
from tiny_vlm_tokens import add_tokenizer


class Pair(NamedTuple):
    """The two files."""

    model: Path
    mmproj: Path


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
    model = gguf.GGUFWriter(pair.model, "llama")
    _add_name(model, "tiny VLM of vlm_vpr_ros")
    add_language_sizes(model, config)
    add_tokenizer(model, config.words)
    write_tensors(model, weights, language_shapes(config))
    mmproj = gguf.GGUFWriter(pair.mmproj, "clip")
    _add_name(mmproj, "tiny VLM of vlm_vpr_ros, vision")
    add_vision_sizes(mmproj, config, "mlp")
    write_tensors(mmproj, weights, vision_shapes(config))
    return pair


def add_language_sizes(writer: gguf.GGUFWriter, config: TinyVlmConfig) -> None:
    """Say how large a language model is."""
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


def add_vision_sizes(writer: gguf.GGUFWriter, config: TinyVlmConfig, projector: str) -> None:
    """Say how large a vision tower is, and which type of projector follows it."""
    writer.add_clip_has_vision_encoder(True)
    writer.add_clip_projector_type(projector)
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


def write_tensors(writer: gguf.GGUFWriter, weights: Weights, shapes: Shapes) -> None:
    """Write the file, with these tensors in the order of the shapes."""
    for name in shapes:
        writer.add_tensor(name, np.ascontiguousarray(weights[name], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _add_name(writer: gguf.GGUFWriter, name: str) -> None:
    writer.add_name(name)
    writer.add_license("Apache-2.0")


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
