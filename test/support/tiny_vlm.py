"""Vision-language models small enough for tests, run by the real llama.cpp."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import make_tiny_vlm as tiny


class TinyVlm(NamedTuple):
    """A written pair and what is in it."""

    pair: tiny.Pair
    weights: tiny.Weights
    config: tiny.TinyVlmConfig


def write_tiny_vlm(
    folder: Path, config: tiny.TinyVlmConfig | None = None, seed: int = 3
) -> TinyVlm:
    """Write a pair with random weights."""
    config = config or tiny.TinyVlmConfig()
    weights = tiny.random_weights(config, seed)
    return TinyVlm(tiny.write_pair(folder, weights, config), weights, config)
