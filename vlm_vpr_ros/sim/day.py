"""What changes from one day to the next: parked cars and clouds."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from vlm_vpr_ros.sim import props, skies
from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.furniture import add_shadow
from vlm_vpr_ros.sim.layout import BLOCK_M, HALF_STREET_M, Plan
from vlm_vpr_ros.sim.mesh import Mesh, Place
from vlm_vpr_ros.sim.renderer import Day
from vlm_vpr_ros.sim.scene import row_corners
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.towns import Colour

_COLOURS: tuple[Colour, ...] = (
    (214, 214, 216), (40, 42, 46), (120, 124, 130), (146, 30, 32), (38, 66, 122), (232, 230, 222),
    (72, 88, 76), (168, 150, 120),
)  # fmt: skip
_KINDS = ("saloon", "hatchback", "hatchback", "van")
_FROM_FRONTS_M = HALF_STREET_M - 3.6
_TAKEN, _TAXIS = 0.42, 0.12
"""Shares: of parking lots that are taken, of cars that are taxis."""


def day(plan: Plan, condition: Condition, seed: int) -> Day:
    """The cars of every street, their shadows, and the sky."""
    shadows = Mesh()
    streets = []
    for street in plan.streets:
        mesh = Mesh()
        for side, corner in enumerate(row_corners(street)):
            random = generator(seed, "parked", plan.town.key, street.name, side)
            for along in np.arange(4.0, BLOCK_M - 2 * HALF_STREET_M - 3, 6.3):
                if random.random() > _TAKEN:
                    continue
                kind = _KINDS[int(random.integers(len(_KINDS)))]
                colour = _COLOURS[int(random.integers(len(_COLOURS)))]
                if random.random() < _TAXIS:
                    kind, colour = "saloon", plan.town.taxi
                place = corner.moved(-_FROM_FRONTS_M, float(along + random.uniform(-0.5, 0.5)))
                _car(mesh, place.moved(0, 0, 3), kind, colour, condition)
                add_shadow(shadows, place, 1.25, 2.5)
        if mesh.surfaces:
            streets.append(mesh)
    return Day(streets, shadows, skies.panorama(plan.town, condition, plan.seed, seed))


def _car(mesh: Mesh, place: Place, kind: str, colour: Colour, condition: Condition) -> None:
    """A car that drives along `place`, its middle at the origin."""
    half_m = 0.98 if kind == "van" else 0.88
    light = condition.on((0, 0, 1))
    paint = np.array(colour, np.float32) / 255 * light
    glass = np.array([0.16, 0.19, 0.22], np.float32) * light
    for side in (-half_m, half_m):
        corners = [place.at(x, side, z) for x, z in ((-2.5, 0), (2.5, 0), (2.5, 2.2), (-2.5, 2.2))]
        mesh.quad(f"car {kind}", corners, np.clip(paint, 0, 1))
    profile = props.CAR_PROFILES[kind]
    for (x0, z0), (x1, z1) in pairwise(profile):
        ends = ((x0, -half_m, z0), (x1, -half_m, z1), (x1, half_m, z1), (x0, half_m, z0))
        steep = abs(z1 - z0) > 0.35 * abs(x1 - x0)
        shade = 0.85 if abs(z1 - z0) > abs(x1 - x0) else 1.05
        window = steep and min(z0, z1) > 0.8
        mesh.quad("", [place.at(*end) for end in ends], glass if window else paint * shade)
    rear, front = (0.62, 0.08, 0.06), (0.95, 0.94, 0.86)
    for x, lamp in ((profile[0][0] - 0.02, rear), (profile[-1][0] + 0.02, front)):
        shine = np.array(lamp, np.float32) * np.maximum(light, condition.lamps)
        for y in (0.05 - half_m, half_m - 0.4):
            ends = ((x, y, 0.6), (x, y + 0.35, 0.6), (x, y + 0.35, 0.75), (x, y, 0.75))
            mesh.quad("", [place.at(*end) for end in ends], shine)
