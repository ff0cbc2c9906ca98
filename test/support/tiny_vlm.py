"""Vision-language models small enough for tests, run by the real llama.cpp."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from make_tiny_vlm import Pair, write_pair
from tiny_vlm_network import TinyVlmConfig, Weights, random_weights


class TinyVlm(NamedTuple):
    """A written pair and what is in it."""

    pair: Pair
    weights: Weights
    config: TinyVlmConfig


def write_tiny_vlm(folder: Path, config: TinyVlmConfig | None = None, seed: int = 3) -> TinyVlm:
    """Write a pair with random weights."""
    config = config or TinyVlmConfig()
    weights = random_weights(config, seed)
    return TinyVlm(write_pair(folder, weights, config), weights, config)
