"""A town under one light: streets, houses, what stands on the pavements, the sky."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim import ground, lettering, materials, props
from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.furniture import KERB_M, LAMPS, ROW_M, Furniture
from vlm_vpr_ros.sim.houses import HouseBuilder, Picture
from vlm_vpr_ros.sim.layout import BLOCK_M, HALF_STREET_M, ROAD_HALF_M, House, Node, Plan, Street
from vlm_vpr_ros.sim.mesh import Mesh, Place
from vlm_vpr_ros.sim.renderer import Model
from vlm_vpr_ros.sim.seeds import generator

Floats = npt.NDArray[np.float32]


def town_model(plan: Plan, condition: Condition) -> Model:
    """A town without its cars."""
    return _Scene(plan, condition).model()


class _Scene:
    def __init__(self, plan: Plan, condition: Condition) -> None:
        self.plan, self.town, self.condition = plan, plan.town, condition
        self.pictures: dict[str, Picture] = {}
        self.houses = HouseBuilder(plan.town, condition, plan.seed, self.pictures)
        self.up = condition.on((0, 0, 1))
        self.furniture = Furniture(plan.town, condition)
        self._draw_pictures()

    def model(self) -> Model:
        model = Model(self.pictures)
        shadows = Mesh()
        for street in self.plan.streets:
            model.parts += self._street(street, shadows)
        flat = Mesh()
        for node in sorted(self.plan.nodes):
            self._crossing(node, flat)
        model.parts.append(flat)
        model.blended.append(shadows)
        return model

    def _draw_pictures(self) -> None:
        town, pictures = self.town, self.pictures
        random = generator(self.plan.seed, "pictures", town.key)
        pictures["pavement"] = ground.pavement(town, random)
        pictures["tiles"] = materials.roof_tiles(random, 128, (225, 225, 225))
        grey = (228, 228, 228)
        pictures["wall brick"] = materials.brick(random, 256, 256, grey, 8.0)
        pictures["wall boards"] = materials.boards(random, 256, 256, grey, 17.0)
        pictures["wall plaster"] = materials.plaster(random, 128, 128, grey)
        pictures["wall panels"] = materials.panels(random, (128, 128), grey, 1, 1)
        pictures["railing"] = props.railing()
        pictures["stripes"] = props.stripes()
        pictures["no entry"] = props.disc((190, 24, 28), (190, 24, 28), True)
        pictures["limit"] = props.disc((244, 244, 240), (190, 24, 28), False)
        for kind in (town.tree, "shrub"):
            for variant in range(props.TREES):
                pictures[f"tree {kind} {variant}"] = props.tree(kind, random)
        for kind in props.CAR_PROFILES:
            pictures[f"car {kind}"] = props.car_side(kind)
        ground_colour, letters = town.sign
        pictures["town"] = lettering.board(town.name, ground_colour, letters, (256, 64))
        for number, name in enumerate(town.streets):
            pictures[f"street {number}"] = lettering.board(name, ground_colour, letters, (256, 32))

    def _street(self, street: Street, shadows: Mesh) -> list[Mesh]:
        """The meshes of a street: ground and furniture, left row, right row."""
        place = street_place(street)
        low, left, right = Mesh(), Mesh(), Mesh()
        random = generator(self.plan.seed, "furniture", street.copy or self.town.key + street.name)
        self._ground(low, place, self._road(street))
        rows = zip((left, right), (street.left, street.right), row_corners(street), strict=True)
        for mesh, houses, corner in rows:
            self._row(mesh, houses, corner)
            self.furniture.along_row(low, shadows, corner, random)
            if street.mapped and street.start == self.plan.loop[0]:
                self.furniture.town_sign(low, corner)
        return [low, left, right]

    def _row(self, mesh: Mesh, houses: tuple[House, ...], corner: Place) -> None:
        for house in houses:
            self.houses.add(house, mesh, corner.moved(0, house.along_m), LAMPS[0] - house.along_m)

    def _road(self, street: Street) -> str:
        """The name of a picture; each street that is driven has its own, copies have the same."""
        name = f"road {street.copy or street.name}" if street.driven else "road"
        if name not in self.pictures:
            random = generator(self.plan.seed, name, "" if street.copy else self.town.key)
            self.pictures[name] = ground.road(self.town, random)
        return name

    def _ground(self, mesh: Mesh, place: Place, road: str) -> None:
        begin, length = HALF_STREET_M, ROW_M
        steps = 12
        for step in range(steps):
            a, b = begin + length * step / steps, begin + length * (step + 1) / steps
            near = [self._lamplight(a), self._lamplight(b)]
            corners = [
                place.at(a, -ROAD_HALF_M, 0), place.at(a, ROAD_HALF_M, 0),
                place.at(b, ROAD_HALF_M, 0), place.at(b, -ROAD_HALF_M, 0),
            ]  # fmt: skip
            colours = [near[0], near[0], near[1], near[1]]
            v0, v1 = step / steps, (step + 1) / steps
            mesh.quad(road, corners, np.array(colours), ((0, v0), (1, v0), (1, v1), (0, v1)))
            for inner, outer in ((-ROAD_HALF_M, -HALF_STREET_M), (ROAD_HALF_M, HALF_STREET_M)):
                corners = [
                    place.at(a, outer, KERB_M), place.at(a, inner, KERB_M),
                    place.at(b, inner, KERB_M), place.at(b, outer, KERB_M),
                ]  # fmt: skip
                width = (HALF_STREET_M - ROAD_HALF_M) / 4
                uv = ((0, a / 4), (width, a / 4), (width, b / 4), (0, b / 4))
                mesh.quad("pavement", corners, np.array(colours), uv)
                kerb = [
                    place.at(a, inner, 0), place.at(b, inner, 0), place.at(b, inner, KERB_M),
                    place.at(a, inner, KERB_M),
                ]  # fmt: skip
                mesh.quad("", kerb, np.array([0.62, 0.61, 0.6]) * near[0])

    def _lamplight(self, along_m: float) -> Floats:
        """Light on the ground of a street."""
        from_row = along_m - HALF_STREET_M
        nearest = min(abs(from_row - lamp) for lamp in LAMPS)
        lamp = np.array(self.town.lamp, np.float32) / 255
        glow = self.condition.lamps * 0.85 * float(np.exp(-((nearest / 7.0) ** 2)))
        return np.clip(self.up + glow * lamp, 0, 1)

    def _junction(self, node: Node) -> str:
        """The name of a picture; crossings in the middle of copied streets are copies as well."""
        ends = [s.copy for s in self.plan.streets if s.mapped and s.end == node]
        begins = [s.copy for s in self.plan.streets if s.mapped and s.start == node]
        copy = ends[0] if ends and begins and ends[0][:1] == begins[0][:1] else ""
        driven = any(s.driven and node in {s.start, s.end} for s in self.plan.streets)
        name = f"crossing {copy or node}" if driven else "crossing"
        if name not in self.pictures:
            random = generator(self.plan.seed, name, "" if copy else self.town.key)
            self.pictures[name] = ground.crossing(self.town, random)
        return name

    def _crossing(self, node: Node, mesh: Mesh) -> None:
        place = Place(node[0] * BLOCK_M, node[1] * BLOCK_M, (1.0, 0.0))
        half = HALF_STREET_M
        ring = [(-half, -half), (-half, half), (half, half), (half, -half)]
        light = np.clip(self.up + 0.35 * self.condition.lamps, 0, 1)
        mesh.quad(self._junction(node), [place.at(a, r, 0.0) for a, r in ring], light)
        for a, r in ring:
            corner = [(a, r), (a, r * 0.575), (a * 0.575, r * 0.575), (a * 0.575, r)]
            points = [place.at(x, y, KERB_M) for x, y in corner]
            width = 3.4 / 4
            mesh.quad("pavement", points, light, ((0, 0), (width, 0), (width, width), (0, width)))


def street_place(street: Street) -> Place:
    """The frame of a street: it begins in the middle of its first crossing."""
    (i, j), (k, m) = street.start, street.end
    return Place(i * BLOCK_M, j * BLOCK_M, (float(k - i), float(m - j)))


def row_corners(street: Street) -> tuple[Place, Place]:
    """The frames of its left and right row of houses.

    A row begins at its left end, seen from the street, and `along` leads away from the street.
    """
    place = street_place(street)
    return (
        place.moved(HALF_STREET_M, -HALF_STREET_M, 3),
        place.moved(BLOCK_M - HALF_STREET_M, HALF_STREET_M, 1),
    )
