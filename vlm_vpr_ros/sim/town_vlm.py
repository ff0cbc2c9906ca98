"""The tiny vision-language model that knows the simulated towns, checked before it is used.

    python -m vlm_vpr_ros.sim.town_vlm > parameters.yaml

prints the parameters that name it, as the node and `--params` take them.
"""

from __future__ import annotations

import hashlib
import math
import sys
from pathlib import Path
from typing import Any

import yaml

from vlm_vpr_ros.config import PriorConfig, VlmConfig
from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.resources import model_path
from vlm_vpr_ros.sim.towns import TOWNS

CARD = "sim_towns_vlm.yaml"


def town_vlm() -> VlmConfig:
    """The parameters that name it.

    Raises:
        ModelError: a file is missing, or not the one that the card describes.
    """
    card = _card()
    model, mmproj = (_checked(card[part]) for part in ("model", "mmproj"))
    return VlmConfig(model=str(model), mmproj=str(mmproj))


def town_prior() -> PriorConfig:
    """How far its answer is trusted: as measured on worlds that it was not trained on.

    The right town is named so many times more often than each of the wrong ones.
    """
    right = float(_card()["measured"]["choice_right_town"])
    odds = right / ((1 - right) / (len(TOWNS) - 1))
    return PriorConfig(max_log_odds=round(math.log(odds), 1))


def _card() -> dict[str, Any]:
    card: dict[str, Any] = yaml.safe_load(model_path(CARD).read_text(encoding="utf-8"))
    return card


def _checked(file: dict[str, str]) -> Path:
    path = model_path(file["file"])
    if hashlib.sha256(path.read_bytes()).hexdigest() != file["sha256"]:
        raise ModelError(f"{path} is not the file that {CARD} describes: install the package again")
    return path


def main() -> int:
    """Print the parameters; returns the exit code."""
    try:
        vlm, prior = town_vlm(), town_prior()
    except ModelError as error:
        print(error, file=sys.stderr)
        return 2
    parameters = {
        "vlm": {"model": vlm.model, "mmproj": vlm.mmproj},
        "prior": {"max_log_odds": prior.max_log_odds},
    }
    print(yaml.safe_dump({"relocalizer": {"ros__parameters": parameters}}, sort_keys=False), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
