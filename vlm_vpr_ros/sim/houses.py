"""Puts houses and gardens into a scene: their pictures under its light, their meshes."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim import lettering
from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.facades import Facade, draw_facade
from vlm_vpr_ros.sim.layout import DEPTH_M, House
from vlm_vpr_ros.sim.looks import MODERN, Colour, StreetLook
from vlm_vpr_ros.sim.lot import Lot
from vlm_vpr_ros.sim.mesh import GroundFrame, Mesh
from vlm_vpr_ros.sim.props import TREES
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.towns import Town
from vlm_vpr_ros.sim.trees import add_tree

LAMP_REACH_M = 7.0
"""Beside a lamp, its light falls to 1/e over that distance."""

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

_NARROW_M = 4.0
"""A tree does not fit into a narrower garden."""
_SKYWARD = (0.0, 0.0, 1.0)


class HouseBuilder:
    """Adds houses to meshes and their pictures to the pictures of a scene.

    Args:
        town: whose words, paints and trees they get.
        condition: the light.
        seed: of the world.
        pictures: where pictures are put.
    """

    def __init__(
        self, town: Town, condition: Condition, seed: int, pictures: dict[str, Picture]
    ) -> None:
        self._town, self._condition, self._seed = town, condition, seed
        self._pictures = pictures
        self._facades: dict[str, Facade] = {}

    def add(
        self,
        house: House,
        mesh: Mesh,
        place: GroundFrame,
        look: StreetLook,
        lamps_m: Sequence[float],
    ) -> None:
        """Add a house.

        Args:
            house: the house.
            mesh: gets its rectangles.
            place: left end of its lot on the line of the street; `along` points away from the
                street, `right` to the right of who looks at it.
            look: of its street.
            lamps_m: distances along the row from the house's left corner to the lamps.
        """
        random = generator(self._seed, "lot", house.name)
        if house.garden:
            self._garden(house, mesh, place, random)
            return
        facade = self._facade(house, look)
        facing = place.normal(-1, 0, 0)
        name = f"{house.name} {facing}"
        if name not in self._pictures:
            light = self._condition.on(facing)
            light = light + self._lamplight(facade, house.width_m, look, lamps_m)
            self._pictures[name] = _lit(facade, light, self._condition)
        lot = Lot(house, facade, mesh, place.moved(house.setback_m, 0), self._condition)
        mesh.quad(name, lot.upright(0, house.width_m, 0, 0, facade.height_m))
        lot.sides()
        lot.roof(random)
        lot.balconies()
        lot.oriel(name)
        if facade.shop:
            word = self._town.shops[int(random.integers(len(self._town.shops)))]
            lot.signs(self._board(word, facade.paint, house), random)

    def _facade(self, house: House, look: StreetLook) -> Facade:
        if house.name not in self._facades:
            random = generator(self._seed, "front", house.name)
            drawn = draw_facade(house.architecture, look.paints, random, house.width_m)
            self._facades[house.name] = drawn
        return self._facades[house.name]

    def _lamplight(
        self, facade: Facade, width_m: float, look: StreetLook, lamps_m: Sequence[float]
    ) -> Floats:
        """Light of the street lamps on a front, (rows, columns, 3)."""
        rows, columns = facade.wall.shape[:2]
        if not self._condition.lamps:
            return np.zeros(3, np.float32)
        up = facade.height_m * (1 - (np.arange(rows, dtype=np.float32) + 0.5) / rows)
        along = (np.arange(columns, dtype=np.float32) + 0.5) * width_m / columns
        beside = np.array([*lamps_m, np.inf], np.float32)[:, None] - along
        glow = np.exp(-(((up - 3.2) / 3.4) ** 2))[:, None]
        glow = glow * np.exp(-((beside / LAMP_REACH_M) ** 2)).max(axis=0)[None, :]
        lamp = np.array(look.lamp, np.float32) / 255 * self._condition.lamps * 0.9
        return np.asarray(glow[..., None] * lamp, np.float32)

    def _board(self, word: str, paint: Colour, house: House) -> str:
        """The name of a shop sign's picture."""
        name = f"board {word} {paint}"
        if name not in self._pictures:
            letters = (246, 236, 206) if sum(paint) < 420 else (40, 30, 26)
            serif = house.architecture is not MODERN
            self._pictures[name] = lettering.board(word, paint, letters, (256, 64), serif)
        return name

    def _garden(
        self, house: House, mesh: Mesh, place: GroundFrame, random: np.random.Generator
    ) -> None:
        light = self._condition.on(_SKYWARD)
        wall = np.array([0.62, 0.6, 0.56], np.float32) * light
        mesh.box(place, (0, 0.3), (0, house.width_m), (0, random.uniform(0.7, 1.8)), wall)
        grass = np.array([0.3, 0.42, 0.22], np.float32) * light
        ring = [(0.3, 0), (0.3, house.width_m), (DEPTH_M, house.width_m), (DEPTH_M, 0)]
        mesh.quad("", [place.at(a, r, 0.02) for a, r in ring], grass)
        kinds = (self._town.tree, "shrub", "shrub") if house.width_m > _NARROW_M else ("shrub",)
        for kind in kinds:
            at = place.moved(random.uniform(1.5, 6), house.width_m * random.uniform(0.2, 0.8))
            name = f"{kind} {int(random.integers(TREES))}"
            add_tree(mesh, at, name, light, random.uniform(0.8, 1.1))


def _lit(facade: Facade, light: Floats, condition: Condition) -> Picture:
    """The front under a light from outside, and that of its own rooms."""
    wall = cv2.cvtColor(facade.wall, cv2.COLOR_RGBA2RGB)
    front = cv2.multiply(
        wall, np.broadcast_to(light, wall.shape).astype(np.float32), dtype=cv2.CV_8U
    )
    if condition.windows:
        front = cv2.scaleAdd(facade.light, 0.85 * condition.windows, front)
    opacity = facade.wall[..., 3]
    bands = cv2.split(front)
    return np.asarray(cv2.merge([*bands, opacity] if opacity.min() < 255 else bands), np.uint8)
