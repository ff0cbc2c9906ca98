"""What stands on the pavements: lamps, trees, benches, bins, bollards, signs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.layout import HALF_STREET_M, ROW_M, Street
from vlm_vpr_ros.sim.looks import Colour
from vlm_vpr_ros.sim.mesh import GroundFrame, Mesh
from vlm_vpr_ros.sim.pavement_things import put_something
from vlm_vpr_ros.sim.props import TREES
from vlm_vpr_ros.sim.rows import row_corners
from vlm_vpr_ros.sim.street_style import Lamps
from vlm_vpr_ros.sim.towns import Town
from vlm_vpr_ros.sim.trees import add_shadow, add_tree

_FROM_KERB_M = 0.55
"""Where lamps and trees stand."""

Floats = npt.NDArray[np.float32]


class Furniture:
    """Adds it to meshes; in the frame of a row, `along` leads away from the street."""

    def __init__(self, town: Town, condition: Condition) -> None:
        self._town, self._condition = town, condition
        self._light = condition.on((0, 0, 1))
        self._metal = np.array([0.2, 0.21, 0.22], np.float32) * self._light
        self._board = np.clip(self._light + 0.25, 0, 1)

    def along_row(
        self,
        mesh: Mesh,
        shadows: Mesh,
        street: Street,
        corner: GroundFrame,
        random: np.random.Generator,
    ) -> None:
        """All that stands before a row of houses.

        In a copied street nothing but the trees and what is on the signs is the town's own.

        Args:
            mesh: gets its rectangles.
            shadows: get those of shadows, to be blended.
            street: the street.
            corner: frame of the row, see `row_corners`.
            random: decides what stands where.
        """
        lamps = street.style.lamps
        is_left = row_corners(street)[0] == corner
        kerb = street.style.road_half_m + _FROM_KERB_M - HALF_STREET_M
        for at in lamps.left_m if is_left else lamps.right_m:
            self._lamp(mesh, corner.moved(kerb, at), lamps, street.look.lamp)
        trees = 0.12 if street.copy else float(random.choice([0.0, 0.3, 0.6]))
        at = float(random.uniform(3, 9))
        while at < ROW_M - 3:
            chance, variant = random.random(), int(random.integers(TREES))
            scale = float(random.uniform(0.6, 1.1))
            foot = corner.moved(kerb + 0.3, at)
            if chance < trees:
                add_tree(mesh, foot, f"{self._town.tree} {variant}", self._light, scale)
                add_shadow(shadows, foot, 1.8 * scale, 1.8 * scale)
            elif chance < 0.75:
                put_something(mesh, foot, self._light, random)
            at += float(random.uniform(3.5, 10))
        if random.random() < 0.5:
            name = "no entry" if random.random() < 0.4 else "limit"
            sign = corner.moved(kerb - 0.1, float(random.uniform(1, ROW_M - 1)))
            self._traffic_sign(mesh, sign, name)
        number = int(random.integers(len(self._town.streets)))
        for begin in (0.15, ROW_M - 3.15):
            at, up = begin + float(random.uniform(0, 1)), float(random.uniform(2.5, 3.6))
            ends = ((at, up), (at + 2.0, up), (at + 2.0, up + 0.4), (at, up + 0.4))
            face = [corner.at(-0.14, across, up) for across, up in ends]
            mesh.quad(f"street {number}", face, self._board)

    def town_sign(self, mesh: Mesh, corner: GroundFrame) -> None:
        """The sign with the town's name, across the pavement."""
        at = 6.0
        for away in (-2.8, -0.6):
            foot = corner.moved(away, at)
            mesh.box(foot, (-0.04, 0.04), (-0.04, 0.04), (0, 2.6), self._metal)
        for shift, near, far in ((0.06, -2.9, -0.5), (-0.06, -0.5, -2.9)):
            ends = ((near, 1.9), (far, 1.9), (far, 2.5), (near, 2.5))
            face = [corner.at(away, at + shift, up) for away, up in ends]
            mesh.quad("town", face, self._board)

    def _lamp(self, mesh: Mesh, foot: GroundFrame, lamps: Lamps, colour: Colour) -> None:
        top, thick = lamps.height_m, 0.06 if lamps.kind != "lantern" else 0.09
        mesh.box(foot, (-thick, thick), (-thick, thick), (0, top), self._metal)
        glass = np.array([0.8, 0.8, 0.78], np.float32) * self._light
        lamp = np.array(colour, np.float32) / 255
        shine = np.maximum(glass, lamp * min(1.0, 1.4 * self._condition.lamps))
        match lamps.kind:
            case "lantern":
                mesh.box(foot, (-0.2, 0.2), (-0.2, 0.2), (top, top + 0.5), shine)
                mesh.box(foot, (-0.26, 0.26), (-0.26, 0.26), (top + 0.5, top + 0.6), self._metal)
            case "bowl":
                mesh.box(foot, (-0.32, 0.32), (-0.32, 0.32), (top, top + 0.22), shine)
            case "arm" | "double arm":
                back = 1.3 if lamps.kind == "double arm" else 0.05
                mesh.box(foot, (-1.4, back), (-0.04, 0.04), (top - 0.1, top), self._metal)
                heads = [(-1.5, -0.9)] + [(0.9, 1.5)] * (lamps.kind == "double arm")
                for head in heads:
                    mesh.box(foot, head, (-0.17, 0.17), (top - 0.3, top - 0.1), shine)

    def _traffic_sign(self, mesh: Mesh, foot: GroundFrame, name: str) -> None:
        mesh.box(foot, (-0.03, 0.03), (-0.03, 0.03), (0, 2.3), self._metal * 2)
        ends: Sequence[tuple[float, float]] = (
            (-0.32, 1.9), (0.32, 1.9), (0.32, 2.54), (-0.32, 2.54),
        )  # fmt: skip
        face = [foot.at(away, -0.04, up) for away, up in ends]
        mesh.quad(name, face, np.clip(self._light + 0.15, 0, 1))
