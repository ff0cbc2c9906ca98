"""A town under one light: streets, houses, what stands on the pavements, the sky."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim import ground, lettering, materials, props
from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.furniture import Furniture
from vlm_vpr_ros.sim.houses import LAMP_REACH_M, HouseBuilder, Picture
from vlm_vpr_ros.sim.layout import BLOCK_M, HALF_STREET_M, ROW_M, Node, Plan, Street
from vlm_vpr_ros.sim.looks import MODERN_STREET, StreetLook
from vlm_vpr_ros.sim.mesh import GroundFrame, Mesh
from vlm_vpr_ros.sim.renderer import Model
from vlm_vpr_ros.sim.rows import row_corners, street_place
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.trees import KERB_M

Floats = npt.NDArray[np.float32]

_FRONTS_M = HALF_STREET_M + 1.6
"""Pavements reach to the houses that stand farthest back."""


def town_model(plan: Plan, condition: Condition) -> Model:
    """A town without its cars."""
    return Scene(plan, condition).model()


class Scene:
    """The meshes of a town, and the pictures on them."""

    def __init__(self, plan: Plan, condition: Condition) -> None:
        self.plan, self.town, self.condition = plan, plan.town, condition
        self.pictures: dict[str, Picture] = {}
        self.houses = HouseBuilder(plan.town, condition, plan.seed, self.pictures)
        self.up = condition.on((0, 0, 1))
        self.furniture = Furniture(plan.town, condition)
        self._draw_pictures()

    def model(self) -> Model:
        """All of it."""
        model = Model(self.pictures)
        shadows = Mesh()
        for street in self.plan.streets:
            model.parts += self.street(street, shadows)
        flat = Mesh()
        for node in sorted(self.plan.nodes):
            self.crossing(node, flat)
        model.parts.append(flat)
        model.blended.append(shadows)
        return model

    def _draw_pictures(self) -> None:
        town, pictures = self.town, self.pictures
        random = generator(self.plan.seed, "pictures")
        pictures["pavement copy"] = ground.pavement(MODERN_STREET, random)
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
        for kind in props.CAR_PROFILES:
            pictures[f"car {kind}"] = props.car_side(kind)
        random = generator(self.plan.seed, "pictures", town.key)
        pictures["pavement"] = ground.pavement(town.street, random)
        for kind in (town.tree, "shrub"):
            for variant in range(props.TREES):
                pictures[f"tree {kind} {variant}"] = props.tree(kind, random)
        ground_colour, letters = town.sign
        pictures["town"] = lettering.board(town.name, ground_colour, letters, (256, 64))
        for number, name in enumerate(town.streets):
            pictures[f"street {number}"] = lettering.board(name, ground_colour, letters, (256, 32))

    def street(self, street: Street, shadows: Mesh) -> list[Mesh]:
        """The meshes of a street: ground and furniture, left row, right row."""
        low, left, right = Mesh(), Mesh(), Mesh()
        random = generator(self.plan.seed, "furniture", street.copy or self.town.key + street.name)
        self._ground(low, street)
        lamps = street.style.lamps
        for mesh, houses, lamps_m, corner in zip(
            (left, right), (street.left, street.right), (lamps.left_m, lamps.right_m),
            row_corners(street), strict=True,
        ):  # fmt: skip
            for house in houses:
                from_house_m = [at - house.along_m for at in lamps_m]
                if not street.driven:  # houses of a pool stand in several streets
                    from_house_m = [house.width_m / 2]
                place = corner.moved(0, house.along_m)
                self.houses.add(house, mesh, place, street.look, from_house_m)
            self.furniture.along_row(low, shadows, street, corner, random)
            if street.mapped and street.start == self.plan.loop[0]:
                self.furniture.town_sign(low, corner)
        return [low, left, right]

    def _road(self, street: Street) -> str:
        """The name of a picture; streets of one style, such as copies, have the same."""
        name = f"road {street.style.name}"
        if name not in self.pictures:
            random = generator(self.plan.seed, name)
            self.pictures[name] = ground.road(street.look, street.style, random, ROW_M)
        return name

    def _ground(self, mesh: Mesh, street: Street) -> None:
        place, road, style = street_place(street), self._road(street), street.style
        pavement, half = _pavement(street.look), style.road_half_m
        steps = 12
        for step in range(steps):
            a, b = (HALF_STREET_M + ROW_M * s / steps for s in (step, step + 1))
            near = [self._lamplight(street, a), self._lamplight(street, b)]
            colours = np.array([near[0], near[0], near[1], near[1]])
            v0, v1 = step / steps, (step + 1) / steps
            corners = [place.at(*end, 0) for end in ((a, -half), (a, half), (b, half), (b, -half))]
            mesh.quad(road, corners, colours, ((0, v0), (1, v0), (1, v1), (0, v1)))
            for inner, outer in ((-half, -_FRONTS_M), (half, _FRONTS_M)):
                ring = ((a, outer), (a, inner), (b, inner), (b, outer))
                width = (_FRONTS_M - half) / 4
                uv = ((0, a / 4), (width, a / 4), (width, b / 4), (0, b / 4))
                tiled = [place.at(*end, KERB_M) for end in ring]
                mesh.quad(pavement, tiled, colours * style.tone, uv)
                kerb = [
                    place.at(x, inner, up) for x, up in ((a, 0), (b, 0), (b, KERB_M), (a, KERB_M))
                ]
                mesh.quad("", kerb, style.kerb * near[0])

    def _lamplight(self, street: Street, along_m: float) -> Floats:
        """Light on the ground of a street."""
        lamps, from_start = street.style.lamps, along_m - HALF_STREET_M
        distances = [abs(from_start - (ROW_M - at)) for at in lamps.left_m]
        distances += [abs(from_start - at) for at in lamps.right_m]
        lamp = np.array(street.look.lamp, np.float32) / 255
        glow = 0.85 * float(np.exp(-((min(distances, default=np.inf) / LAMP_REACH_M) ** 2)))
        return np.clip(self.up + self.condition.lamps * glow * lamp, 0, 1)

    def _arms(self, node: Node) -> list[Street | None]:
        """The streets at a crossing: ahead along the first axis, then clockwise."""
        i, j = node
        by_ends = {frozenset((street.start, street.end)): street for street in self.plan.streets}
        around = ((i + 1, j), (i, j + 1), (i - 1, j), (i, j - 1))
        return [by_ends.get(frozenset((node, other))) for other in around]

    def _junction(self, node: Node, arms: list[Street | None]) -> tuple[str, StreetLook]:
        """The name of a picture; crossings in the middle of copied streets are copies as well."""
        there = [street for street in arms if street is not None]
        look = self.town.street
        name = f"{self.town.key} {node}"
        if len(there) == len(arms) and all(street.copy for street in there):
            name, look = " ".join(["copy", *(street.copy for street in there)]), MODERN_STREET
        name = f"crossing {name}"
        if name not in self.pictures:
            meeting = [
                None
                if street is None
                else ground.Arm(street.style.road_half_m, street.style.ends[street.start != node])
                for street in arms
            ]
            setts = sum(street.style.setts for street in there) > len(there) / 2
            random = generator(self.plan.seed, name)
            self.pictures[name] = ground.crossing(look, setts, meeting, random)
        return name, look

    def crossing(self, node: Node, mesh: Mesh) -> None:
        """Add a crossing, with the corners of its pavements."""
        place = GroundFrame(node[0] * BLOCK_M, node[1] * BLOCK_M, (1.0, 0.0))
        half, arms = HALF_STREET_M, self._arms(node)
        name, look = self._junction(node, arms)
        ring = [(-half, -half), (-half, half), (half, half), (half, -half)]
        light = np.clip(self.up + 0.35 * self.condition.lamps, 0, 1)
        mesh.quad(name, [place.at(a, r, 0.0) for a, r in ring], light)
        widths = [street.style.road_half_m if street else half for street in arms]
        for a, r in ring:  # the pavement lies between the roads of two arms
            inner_r = np.copysign(widths[0 if a > 0 else 2], r)
            inner_a = np.copysign(widths[1 if r > 0 else 3], a)
            corner = [(a, r), (a, inner_r), (inner_a, inner_r), (inner_a, r)]
            points = [place.at(x, y, KERB_M) for x, y in corner]
            uv = [(abs(r - y) / 4, abs(a - x) / 4) for x, y in corner]
            mesh.quad(_pavement(look), points, light, uv)


def _pavement(look: StreetLook) -> str:
    return "pavement copy" if look is MODERN_STREET else "pavement"
