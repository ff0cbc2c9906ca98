"""A town of textures that the real localizer knows by a tiny encoder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
from sensor_msgs.msg import CompressedImage
from support.streets import drive, view
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import RgbImage

PLACES = [6, 61, 64, 138, 173, 209, 215, 225, 252, 257, 269, 283, 285, 288]
ELSEWHERE = [1109, 1179, 1494, 1511, 1548, 1757]
PROGRAM = ("-m", "vlm_vpr_ros.node.main")


def build_town(folder: Path) -> dict[str, Any]:
    """Build the region; returns the parameters that name it and its encoder."""
    card = write_tiny_encoder(folder / "models", card={"chance_similarity": 0.5})
    encoder = Encoder.load(EncoderConfig(name=str(card)))
    build_region([drive("map", PLACES)], folder / "region", Networks(encoder))
    return {"region": folder / "region", "encoder__name": card}


def photo(place: int, visit: int = 1) -> CompressedImage:
    return png(view(place, visit))


def png(image: RgbImage) -> CompressedImage:
    ok, data = cv2.imencode(".png", cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert ok
    return CompressedImage(format="png", data=data.tobytes())
