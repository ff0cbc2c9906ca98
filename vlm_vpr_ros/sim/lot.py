"""A house as a mesh, apart from its front: sides, roof, balconies, awning and signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.facades import Facade
from vlm_vpr_ros.sim.layout import DEPTH_M, House
from vlm_vpr_ros.sim.mesh import GroundFrame, Mesh

_SKYWARD = (0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Lot:
    """A house while it is built; `place` as in `HouseBuilder.add`."""

    house: House
    facade: Facade
    mesh: Mesh
    place: GroundFrame
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
        """The walls towards the neighbours."""
        wall = np.array(self.facade.colour, np.float32) / 255 * 0.92
        top = self.facade.wall_m
        uv = ((0, 0), (3, 0), (3, top / 3), (0, top / 3))
        surface = f"wall {self.facade.material}"
        # The fronts around a corner lie in the plane of the outermost sides: those stay behind.
        for at, normal in ((0.06, (0, -1, 0)), (self.house.width_m - 0.06, (0, 1, 0))):
            light = self.condition.on(self.place.normal(*normal))
            self.mesh.quad(surface, self.across(0, DEPTH_M, at, 0, top), wall * light, uv)

    def roof(self, random: np.random.Generator) -> None:
        """The roof and what stands on it."""
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
        elif self.facade.roof == "eaves":
            slope = self.sloping(-0.1, width_m + 0.1, (-0.7, wall_m - 0.15), (4.5, wall_m + 1.9))
            self.mesh.quad("tiles", slope, tiles, _repeated(width_m / 2.5, 2))
        else:
            self._flat_roof(random)
            return
        self._chimneys(random)

    def _chimneys(self, random: np.random.Generator) -> None:
        brick = np.array([0.5, 0.32, 0.26], np.float32) * self.condition.on(_SKYWARD)
        for _ in range(int(random.integers(0, 3))):
            away, across = random.uniform(1.0, 4.0), random.uniform(0.1, 0.9) * self.house.width_m
            wide, top = random.uniform(0.5, 1.1), max(self.facade.height_m, self.facade.wall_m + 2)
            up = (self.facade.wall_m, top + random.uniform(-0.2, 1.2))
            self.mesh.box(self.place, (away, away + 0.6), (across, across + wide), up, brick)

    def _flat_roof(self, random: np.random.Generator) -> None:
        wall = np.array(self.facade.colour, np.float32) / 255 * 0.92
        light = wall * self.condition.on(_SKYWARD)
        top = self.facade.wall_m
        flat = self.sloping(0, self.house.width_m, (0, top), (DEPTH_M, top))
        self.mesh.quad("", flat, light * 0.8)
        for _ in range(int(random.integers(0, 4))):  # lift houses, water tanks, parapets
            wide = random.uniform(0.8, 3.0)
            left = random.uniform(0.3, self.house.width_m - wide - 0.3)
            away, up = random.uniform(0.0, 3.0), (top, top + random.uniform(0.5, 2.6))
            depth = (away, away + random.uniform(0.5, 2.5))
            tone = light * random.uniform(0.6, 1.1)
            self.mesh.box(self.place, depth, (left, left + wide), up, tone)

    def oriel(self, picture: str) -> None:
        """A bay that shows the part of the front which it hides."""
        if self.facade.oriel is None:
            return
        x0, x1, z0, z1, depth = self.facade.oriel
        across, up = self.house.width_m, self.facade.height_m
        u0, u1, v0, v1 = x0 / across, x1 / across, z0 / up, z1 / up
        uv = ((u0, v0), (u1, v0), (u1, v1), (u0, v1))
        self.mesh.quad(picture, self.upright(x0, x1, -depth, z0, z1), uv=uv)
        wall = np.array(self.facade.colour, np.float32) / 255
        for x, normal in ((x0, (0, -1, 0)), (x1, (0, 1, 0))):
            light = self.condition.on(self.place.normal(*normal))
            self.mesh.quad("", self.across(-depth, 0, x, z0, z1), wall * light)
        slab = self.sloping(x0 - 0.1, x1 + 0.1, (-depth - 0.1, z1), (0, z1 + 0.3))
        self.mesh.quad("", slab, 0.5 * wall * self.condition.on(_SKYWARD))
        under = self.sloping(x0, x1, (-depth, z0), (0, z0))
        self.mesh.quad("", under, 0.5 * wall * self.condition.on((0, 0, -1)))

    def balconies(self) -> None:
        """Slabs with railings."""
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
        span = min(random.uniform(0.5, 0.86) * width_m, random.uniform(3.5, 5.6))
        left = (width_m - span) * random.uniform(0.3, 0.7)
        foot = self.facade.ground_m - 0.6
        top = foot + span / random.uniform(5.5, 8.0)
        self.mesh.quad(board, self.upright(left, left + span, -0.12, foot, top), colour)
        if random.random() < 0.6:
            at, out = width_m * random.uniform(0.15, 0.85), random.uniform(1.1, 1.75)
            up = self.facade.ground_m + random.uniform(-0.1, 1.0)
            for shift, near, far in ((0.03, -out, -0.25), (-0.03, -0.25, -out)):
                face = self.across(near, far, at + shift, up, up + 0.4 * (out - 0.25))
                self.mesh.quad(board, face, colour)
        if self.facade.awning:
            cloth = np.array(self.facade.paint, np.float32) / 255 * 1.3 * light + 0.12
            hem = (-random.uniform(1.0, 1.7), random.uniform(2.2, 2.5))
            slope = self.sloping(0.4, width_m - 0.4, hem, (-0.05, foot - 0.05))
            self.mesh.quad("stripes", slope, np.clip(cloth, 0, 1), _repeated(2, 1))


def _repeated(across: float, up: float) -> tuple[tuple[float, float], ...]:
    return ((0.0, 0.0), (across, 0.0), (across, up), (0.0, up))
