"""The vision-language model of the node under test: a tiny one, in a process of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from make_tiny_vlm import Pair
from robot import Robot


def model_parameters(pair: Pair) -> dict[str, Any]:
    """The parameters of a node that asks the model about every frame and waits for it."""
    return {
        "vlm__model": pair.model,
        "vlm__mmproj": pair.mmproj,
        "vlm__n_threads": 1,
        "prior__wait_s": 60,
        "prior__ask_again_m": 0,
    }


def model_process(robot: Robot) -> int:
    """The model's process, once the diagnostics tell it."""

    def told() -> str:
        return robot.health_values()["vlm process"] if robot.health else "none"

    robot.wait_for(lambda: told() != "none")
    return int(told())


def runs(pid: int) -> bool:
    """Whether a process has not ended; one that nobody has waited for has."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
