"""The tiny vision-language model that knows the simulated towns, checked before it is used."""

from __future__ import annotations

import hashlib
from pathlib import Path

import yaml

from vlm_vpr_ros.config import VlmConfig
from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.resources import model_path

CARD = "sim_towns_vlm.yaml"


def town_vlm() -> VlmConfig:
    """The parameters that name it.

    Raises:
        ModelError: a file is missing, or not the one that the card describes.
    """
    card = yaml.safe_load(model_path(CARD).read_text(encoding="utf-8"))
    model, mmproj = (_checked(card[part]) for part in ("model", "mmproj"))
    return VlmConfig(model=str(model), mmproj=str(mmproj))


def _checked(file: dict[str, str]) -> Path:
    path = model_path(file["file"])
    if hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
        raise ModelError(f"{path} is not the file that {CARD} describes: install the package again")
    return path
