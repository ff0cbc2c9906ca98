"""Trees, and the shadows of what stands on the ground."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.mesh import GroundFrame, Mesh
from vlm_vpr_ros.sim.props import TREE_SIZE_M

KERB_M = 0.13
"""How high the pavements are."""

Floats = npt.NDArray[np.float32]


def add_tree(mesh: Mesh, place: GroundFrame, name: str, light: Floats, scale: float) -> None:
    """Two crossed pictures of a tree; its name is its kind and a number."""
    width_m, height_m = (size * scale for size in TREE_SIZE_M[name.split(maxsplit=1)[0]])
    ends = ((-width_m / 2, 0), (width_m / 2, 0), (width_m / 2, height_m), (-width_m / 2, height_m))
    for turn in (0, 1):
        crossed = place.moved(0, 0, turn)
        mesh.quad(f"tree {name}", [crossed.at(0, across, up) for across, up in ends], light)


def add_shadow(mesh: Mesh, place: GroundFrame, along: float, right: float) -> None:
    """A dark patch on the ground, to be blended."""
    ring = [(-along, -right), (-along, right), (along, right), (along, -right)]
    corners = [place.at(a, r, KERB_M + 0.02) for a, r in ring]
    mesh.quad("", corners, (0.02, 0.02, 0.03, 0.34))
