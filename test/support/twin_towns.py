"""A region of two towns that share a street: by its images alone nobody can tell them apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from support.streets import FakeSource, observation
from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import GeoPoint

PLACES = [6, 61, 64, 138, 173, 209, 215, 225, 252, 257]
SHARED = 6
"""The place that looks the same in both towns."""
TWIN_TOWN = GeoPoint(-33.87, 151.21)


def encoder_of(card: Path) -> EncoderConfig:
    return EncoderConfig(name=str(card), providers=("CPUExecutionProvider",))


def build_twin_towns(out: Path, card: Path) -> Path:
    """Build the region with the encoder of a card."""
    here = [observation(place, "here") for place in PLACES]
    there = [replace(observation(SHARED, "there"), position=TWIN_TOWN, source="there/6.png")]
    networks = Networks(Encoder.load(encoder_of(card)))
    build_region([FakeSource("here", here), FakeSource("there", there)], out, networks)
    return out
