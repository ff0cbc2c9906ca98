"""What changes from one day to the next: parked cars and clouds."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from vlm_vpr_ros.sim import props, skies
from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.layout import HALF_STREET_M, ROW_M, Plan
from vlm_vpr_ros.sim.looks import Colour
from vlm_vpr_ros.sim.mesh import GroundFrame, Mesh
from vlm_vpr_ros.sim.renderer import Day
from vlm_vpr_ros.sim.rows import row_corners
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.trees import add_shadow

_COLOURS: tuple[Colour, ...] = (
    (214, 214, 216), (40, 42, 46), (120, 124, 130), (146, 30, 32), (38, 66, 122), (232, 230, 222),
    (72, 88, 76), (168, 150, 120),
)  # fmt: skip
_KINDS = tuple(props.CAR_PROFILES)
_FROM_KERB_M = 1.1
"""Middle of a parked car."""
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
            bays, kerb_m = street.style.markings, HALF_STREET_M - street.style.road_half_m
            first_m = 3.0 + bays.phase_m % bays.bay_m
            for along in np.arange(first_m, ROW_M - 2.5, bays.bay_m):
                if random.random() > _TAKEN:
                    continue
                kind = _KINDS[int(random.integers(len(_KINDS)))]
                colour = _COLOURS[int(random.integers(len(_COLOURS)))]
                if random.random() < _TAXIS:
                    kind, colour = "saloon", plan.town.taxi
                beside_m = kerb_m + _FROM_KERB_M + random.uniform(-0.15, 0.15)
                place = corner.moved(-beside_m, float(along + random.uniform(-0.4, 0.4)))
                turn = 3 if random.random() < 0.85 else 1  # some face the other way
                tall, tone = random.uniform(0.94, 1.07), random.uniform(0.8, 1.15)
                _car(mesh, place.moved(0, 0, turn), _Car(kind, colour, tall, tone), condition)
                add_shadow(shadows, place, 1.25, 2.5)
        if mesh.surfaces:
            streets.append(mesh)
    return Day(streets, shadows, skies.panorama(plan.town, condition, plan.seed, seed))


@dataclass(frozen=True)
class _Car:
    """A car; `tall` and `tone` are factors on its height and its colour."""

    kind: str
    colour: Colour
    tall: float
    tone: float


def _car(mesh: Mesh, place: GroundFrame, car: _Car, condition: Condition) -> None:
    """A car that drives along `place`, its middle at the origin."""
    half_m = props.CAR_HALF_WIDTH_M.get(car.kind, 0.88)
    light = condition.on((0, 0, 1))
    paint = np.clip(np.array(car.colour, np.float32) / 255 * light * car.tone, 0, 1)
    glass = np.array([0.16, 0.19, 0.22], np.float32) * light
    for side in (-half_m, half_m):
        ends = ((-2.5, 0), (2.5, 0), (2.5, props.CAR_PICTURE_M), (-2.5, props.CAR_PICTURE_M))
        mesh.quad(f"car {car.kind}", [place.at(x, side, z * car.tall) for x, z in ends], paint)
    profile = [(x, z * car.tall) for x, z in props.CAR_PROFILES[car.kind]]
    for (x0, z0), (x1, z1) in pairwise(profile):
        ring = ((x0, -half_m, z0), (x1, -half_m, z1), (x1, half_m, z1), (x0, half_m, z0))
        steep = abs(z1 - z0) > 0.35 * abs(x1 - x0)
        shade = 0.85 if abs(z1 - z0) > abs(x1 - x0) else 1.05
        window = steep and min(z0, z1) > 0.8
        mesh.quad("", [place.at(*end) for end in ring], glass if window else paint * shade)
    rear, front = (0.62, 0.08, 0.06), (0.95, 0.94, 0.86)
    for x, lamp in ((profile[0][0] - 0.02, rear), (profile[-1][0] + 0.02, front)):
        shine = np.array(lamp, np.float32) * np.maximum(light, condition.lamps)
        for y in (0.05 - half_m, half_m - 0.4):
            lit = ((x, y, 0.6), (x, y + 0.35, 0.6), (x, y + 0.35, 0.75), (x, y, 0.75))
            mesh.quad("", [place.at(*end) for end in lit], shine)
