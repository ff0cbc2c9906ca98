"""What stands on the pavements: lamps, trees, benches, bins, traffic and street signs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.houses import LAMP_SPACING_M, add_tree
from vlm_vpr_ros.sim.layout import BLOCK_M, HALF_STREET_M
from vlm_vpr_ros.sim.mesh import Mesh, Place
from vlm_vpr_ros.sim.props import TREES
from vlm_vpr_ros.sim.towns import Town

KERB_M = 0.13
ROW_M = BLOCK_M - 2 * HALF_STREET_M
"""Length of a row of houses."""
LAMPS = tuple(np.arange(2.0, ROW_M, LAMP_SPACING_M))
"""Along a row, from its left end."""

Floats = npt.NDArray[np.float32]


class Furniture:
    """Adds it to meshes; in the frame of a row, `along` leads away from the street."""

    def __init__(self, town: Town, condition: Condition) -> None:
        self._town, self._condition = town, condition
        self._light = condition.on((0, 0, 1))
        self._metal = np.array([0.2, 0.21, 0.22], np.float32) * self._light
        self._board = np.clip(self._light + 0.25, 0, 1)

    def along_row(
        self, mesh: Mesh, shadows: Mesh, corner: Place, random: np.random.Generator
    ) -> None:
        """All that stands before a row of houses."""
        for lamp in LAMPS:
            self._lamp(mesh, corner.moved(-3.0, lamp))
        for at in np.arange(10.0, ROW_M - 4, 11.0):
            chance, variant = random.random(), int(random.integers(TREES))
            scale, shift = random.uniform(0.8, 1.1), random.uniform(-1.5, 1.5)
            if chance < 0.55:
                foot = corner.moved(-2.6, float(at + shift))
                add_tree(mesh, foot, f"{self._town.tree} {variant}", self._light, scale)
                add_shadow(shadows, foot, 1.8, 1.8)
            elif chance < 0.7:
                self._bench(mesh, corner.moved(-2.3, float(at)))
            elif chance < 0.82:
                green = np.array([0.16, 0.3, 0.2], np.float32) * self._light
                foot = corner.moved(-2.6, float(at))
                mesh.box(foot, (-0.3, 0.3), (-0.3, 0.3), (KERB_M, 1.1), green)
        if random.random() < 0.5:
            name = "no entry" if random.random() < 0.4 else "limit"
            self._traffic_sign(mesh, corner.moved(-3.1, float(random.uniform(2, 5))), name)
        number = int(random.integers(2**16)) % len(self._town.streets)
        for at in (0.15, ROW_M - 2.15):
            ends = ((at, 3.2), (at + 2.0, 3.2), (at + 2.0, 3.6), (at, 3.6))
            face = [corner.at(-0.14, across, up) for across, up in ends]
            mesh.quad(f"street {number}", face, self._board)

    def town_sign(self, mesh: Mesh, corner: Place) -> None:
        """The sign with the town's name, across the pavement."""
        at = 6.0
        for away in (-2.8, -0.6):
            foot = corner.moved(away, at)
            mesh.box(foot, (-0.04, 0.04), (-0.04, 0.04), (0, 2.6), self._metal)
        for shift, near, far in ((0.06, -2.9, -0.5), (-0.06, -0.5, -2.9)):
            ends = ((near, 1.9), (far, 1.9), (far, 2.5), (near, 2.5))
            face = [corner.at(away, at + shift, up) for away, up in ends]
            mesh.quad("town", face, self._board)

    def _lamp(self, mesh: Mesh, foot: Place) -> None:
        mesh.box(foot, (-0.06, 0.06), (-0.06, 0.06), (0, 5.2), self._metal)
        mesh.box(foot, (-1.2, 0.05), (-0.04, 0.04), (5.1, 5.2), self._metal)
        glass = np.array([0.8, 0.8, 0.78], np.float32) * self._light
        lamp = np.array(self._town.lamp, np.float32) / 255
        shine = lamp * min(1.0, 1.4 * self._condition.lamps)
        mesh.box(foot, (-1.35, -0.85), (-0.17, 0.17), (4.9, 5.1), np.maximum(glass, shine))

    def _bench(self, mesh: Mesh, foot: Place) -> None:
        wood = np.array([0.46, 0.32, 0.2], np.float32) * self._light
        mesh.box(foot, (-0.25, 0.25), (-0.8, 0.8), (0.42, 0.5), wood)
        mesh.box(foot, (0.2, 0.26), (-0.8, 0.8), (0.5, 0.95), wood)

    def _traffic_sign(self, mesh: Mesh, foot: Place, name: str) -> None:
        mesh.box(foot, (-0.03, 0.03), (-0.03, 0.03), (0, 2.3), self._metal * 2)
        ends: Sequence[tuple[float, float]] = (
            (-0.32, 1.9), (0.32, 1.9), (0.32, 2.54), (-0.32, 2.54),
        )  # fmt: skip
        face = [foot.at(away, -0.04, up) for away, up in ends]
        mesh.quad(name, face, np.clip(self._light + 0.15, 0, 1))


def add_shadow(mesh: Mesh, place: Place, along: float, right: float) -> None:
    """A dark patch on the ground, to be blended."""
    ring = [(-along, -right), (-along, right), (along, right), (along, -right)]
    corners = [place.at(a, r, KERB_M + 0.02) for a, r in ring]
    mesh.quad("", corners, (0.02, 0.02, 0.03, 0.34))
