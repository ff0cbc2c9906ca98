"""Houses as meshes: front, sides, roof, balconies, awning and signs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim import lettering
from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.facades import Facade, draw_facade
from vlm_vpr_ros.sim.layout import House
from vlm_vpr_ros.sim.mesh import Mesh, Place
from vlm_vpr_ros.sim.props import TREE_SIZE_M, TREES
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.towns import MODERN, Colour, Town

DEPTH_M = 9.0
LAMP_SPACING_M = 22.0
_LAMP_REACH_M = 7.0

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

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

    def add(self, house: House, mesh: Mesh, place: Place, lamp_at: float) -> None:
        """Add a house.

        Args:
            house: the house.
            mesh: gets its rectangles.
            place: left lower corner of its front; `along` points away from the street, `right`
                to the right of who looks at it.
            lamp_at: distance along the row from the house's left corner to a lamp.
        """
        random = generator(self._seed, "lot", house.name)
        if house.garden:
            self._garden(house, mesh, place, random)
            return
        if house.name not in self._facades:
            light = self._condition.on(place.normal(-1, 0, 0))
            self._draw(house, light, lamp_at)
        facade = self._facades[house.name]
        lot = _Lot(house, facade, mesh, place, self._condition)
        mesh.quad(house.name, lot.upright(0, house.width_m, 0, 0, facade.height_m))
        lot.sides()
        lot.roof(random)
        lot.balconies()
        if facade.shop:
            word = self._town.shops[int(random.integers(2**16)) % len(self._town.shops)]
            lot.signs(self._board(word, facade.paint, house), random)

    def _draw(self, house: House, light: Floats, lamp_at: float) -> None:
        random = generator(self._seed, "front", house.name)
        facade = draw_facade(house.architecture, self._town.paints, random, house.width_m)
        light = light + self._lamplight(facade, house.width_m, lamp_at)
        self._facades[house.name] = facade
        self._pictures[house.name] = _lit(facade, light, self._condition)

    def _lamplight(self, facade: Facade, width_m: float, lamp_at: float) -> Floats:
        """Light of the street lamps on a front, (rows, columns, 3)."""
        rows, columns = facade.wall.shape[:2]
        if not self._condition.lamps:
            return np.zeros(3, np.float32)
        up = facade.height_m * (1 - (np.arange(rows, dtype=np.float32) + 0.5) / rows)
        along = (np.arange(columns, dtype=np.float32) + 0.5) * width_m / columns
        beside = (along - lamp_at + LAMP_SPACING_M / 2) % LAMP_SPACING_M - LAMP_SPACING_M / 2
        glow = np.exp(-(((up - 3.2) / 3.4) ** 2))[:, None]
        glow = glow * np.exp(-((beside / _LAMP_REACH_M) ** 2))[None, :]
        lamp = np.array(self._town.lamp, np.float32) / 255 * self._condition.lamps * 0.9
        return np.asarray(glow[..., None] * lamp, np.float32)

    def _board(self, word: str, paint: Colour, house: House) -> str:
        """The name of a shop sign's picture."""
        name = f"board {word} {paint}"
        if name not in self._pictures:
            letters = (246, 236, 206) if sum(paint) < 420 else (40, 30, 26)
            serif = house.architecture is not MODERN
            self._pictures[name] = lettering.board(word, paint, letters, (256, 64), serif)
        return name

    def _garden(self, house: House, mesh: Mesh, place: Place, random: np.random.Generator) -> None:
        light = self._condition.on(_SKYWARD)
        wall = np.array([0.62, 0.6, 0.56], np.float32) * light
        mesh.box(place, (0, 0.3), (0, house.width_m), (0, 1.1), wall)
        grass = np.array([0.3, 0.42, 0.22], np.float32) * light
        ring = [(0.3, 0), (0.3, house.width_m), (DEPTH_M, house.width_m), (DEPTH_M, 0)]
        mesh.quad("", [place.at(a, r, 0.02) for a, r in ring], grass)
        for kind in (self._town.tree, "shrub", "shrub"):
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


@dataclass(frozen=True)
class _Lot:
    """A house while it is built; `place` as in `HouseBuilder.add`."""

    house: House
    facade: Facade
    mesh: Mesh
    place: Place
    condition: Condition

    def upright(
        self, left: float, right: float, away: float, bottom: float, top: float
    ) -> list[tuple[float, float, float]]:
        """Corners of an upright rectangle that faces the street."""
        ends = ((left, bottom), (right, bottom), (right, top), (left, top))
        return [self.place.at(away, across, up) for across, up in ends]

    def across(
        self, near: float, far: float, at: float, bottom: float, top: float
    ) -> list[tuple[float, float, float]]:
        """Corners of an upright rectangle at a right angle to the front."""
        ends = ((near, bottom), (far, bottom), (far, top), (near, top))
        return [self.place.at(away, at, up) for away, up in ends]

    def sloping(
        self, left: float, right: float, low: tuple[float, float], high: tuple[float, float]
    ) -> list[tuple[float, float, float]]:
        """Corners of a slope that rises away from the street; ends are (away, up)."""
        at = self.place.at
        return [
            at(low[0], left, low[1]), at(low[0], right, low[1]),
            at(high[0], right, high[1]), at(high[0], left, high[1]),
        ]  # fmt: skip

    def sides(self) -> None:
        wall = np.array(self.facade.colour, np.float32) / 255 * 0.92
        top = self.facade.wall_m
        uv = ((0, 0), (3, 0), (3, top / 3), (0, top / 3))
        surface = f"wall {self.house.architecture.material}"
        # The fronts around a corner lie in the plane of the outermost sides: those stay behind.
        for at, normal in ((0.06, (0, -1, 0)), (self.house.width_m - 0.06, (0, 1, 0))):
            light = self.condition.on(self.place.normal(*normal))
            self.mesh.quad(surface, self.across(0, DEPTH_M, at, 0, top), wall * light, uv)

    def roof(self, random: np.random.Generator) -> None:
        facade, width_m, wall_m = self.facade, self.house.width_m, self.facade.wall_m
        light = self.condition.on(_SKYWARD)
        tiles = np.array(self.house.architecture.roof_colour, np.float32) / 255
        tiles = tiles * light * random.uniform(0.8, 1.1)
        if facade.height_m > wall_m:
            ridge_m = wall_m + 0.98 * (facade.height_m - wall_m)
            at = self.place.at
            for eave, shade in ((0.0, 1.0), (width_m, 0.85)):
                slope = [
                    at(0.1, eave, wall_m), at(DEPTH_M, eave, wall_m),
                    at(DEPTH_M, width_m / 2, ridge_m), at(0.1, width_m / 2, ridge_m),
                ]  # fmt: skip
                self.mesh.quad("tiles", slope, tiles * shade, _repeated(3, 3))
        elif self.house.architecture.roof == "eaves":
            slope = self.sloping(-0.1, width_m + 0.1, (-0.7, wall_m - 0.15), (4.5, wall_m + 1.9))
            self.mesh.quad("tiles", slope, tiles, _repeated(width_m / 2.5, 2))
        else:
            self._flat_roof(random)

    def _flat_roof(self, random: np.random.Generator) -> None:
        wall = np.array(self.facade.colour, np.float32) / 255 * 0.92
        light = wall * self.condition.on(_SKYWARD)
        top = self.facade.wall_m
        flat = self.sloping(0, self.house.width_m, (0, top), (DEPTH_M, top))
        self.mesh.quad("", flat, light * 0.8)
        if random.random() < 0.6:  # a lift house, a water tank
            left = random.uniform(0.5, self.house.width_m - 3)
            up = (top, top + random.uniform(1.2, 2.4))
            self.mesh.box(self.place, (1.0, 3.5), (left, left + 2.2), up, light)

    def balconies(self) -> None:
        light = self.condition.on(_SKYWARD)
        slab = np.array([0.72, 0.71, 0.68], np.float32) * light
        for x0, x1, floor in self.facade.balconies:
            rail = floor + 0.95
            self.mesh.box(self.place, (-0.95, 0), (x0, x1), (floor - 0.18, floor), slab)
            front = self.upright(x0, x1, -0.95, floor, rail)
            self.mesh.quad("railing", front, light, _repeated(3, 1))
            for x in (x0, x1):
                self.mesh.quad("railing", self.across(-0.95, 0, x, floor, rail), light)

    def signs(self, board: str, random: np.random.Generator) -> None:
        """The sign over a shop, one that hangs out over the pavement, the awning."""
        width_m, light = self.house.width_m, self.condition.on(_SKYWARD)
        shine = min(1.0, max(0.75 * self.condition.windows, float(light.mean())))
        colour = np.full(3, shine, np.float32)
        span = min(0.84 * width_m, 5.2)
        left = (width_m - span) / 2
        self.mesh.quad(board, self.upright(left, left + span, -0.12, 3.0, 3.75), colour)
        if random.random() < 0.6:
            at = width_m * random.uniform(0.15, 0.85)
            for shift, near, far in ((0.03, -1.75, -0.25), (-0.03, -0.25, -1.75)):
                self.mesh.quad(board, self.across(near, far, at + shift, 3.9, 4.5), colour)
        if self.facade.awning:
            cloth = np.array(self.facade.paint, np.float32) / 255 * 1.3 * light + 0.12
            slope = self.sloping(0.4, width_m - 0.4, (-1.5, 2.35), (-0.05, 2.95))
            self.mesh.quad("stripes", slope, np.clip(cloth, 0, 1), _repeated(2, 1))


def add_tree(mesh: Mesh, place: Place, name: str, light: Floats, scale: float) -> None:
    """Two crossed pictures of a tree; its name is its kind and a number."""
    width_m, height_m = (size * scale for size in TREE_SIZE_M[name.split(maxsplit=1)[0]])
    ends = ((-width_m / 2, 0), (width_m / 2, 0), (width_m / 2, height_m), (-width_m / 2, height_m))
    for turn in (0, 1):
        crossed = place.moved(0, 0, turn)
        mesh.quad(f"tree {name}", [crossed.at(0, across, up) for across, up in ends], light)


def _repeated(across: float, up: float) -> tuple[tuple[float, float], ...]:
    return ((0.0, 0.0), (across, 0.0), (across, up), (0.0, up))
