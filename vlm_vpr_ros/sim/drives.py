"""Which drives are made: where, under which light, and what happens on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vlm_vpr_ros.sim.conditions import CONDITIONS
from vlm_vpr_ros.sim.layout import Node, Plan
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.towns import TOWNS, Town, town_of

FRAME_RATE_HZ = 2.0
KIDNAPPED_S = 20.0
"""From the last image in one town to the first in the next."""
RIGHT_LANE_M, LEFT_LANE_M = 1.2, -1.3


@dataclass(frozen=True)
class Leg:
    """Part of a drive, in one town; from one leg to the next the robot is carried.

    Attributes:
        town: key of the town.
        nodes: the crossings it drives along.
        condition: name of the light.
        lane_m: to the right of the middle of the street.
        first_frame, frames: which of its images are taken; None for all.
        covered: images, counted within the leg, under a covered lens.
        stops: how often it stands still.
    """

    town: str
    nodes: tuple[Node, ...]
    condition: str
    lane_m: float
    first_frame: int = 0
    frames: int | None = None
    covered: range = range(0)
    stops: int = 0


@dataclass(frozen=True)
class Drive:
    """A drive that is recorded as one bag.

    Attributes:
        name: of the bag.
        role: "map", "calibration", "query".
        traffic: seed of cars, camera and noise.
        satellites: whether the bag holds the robot's own satellite fixes.
    """

    name: str
    role: str
    legs: tuple[Leg, ...]
    traffic: int
    satellites: bool


def mapping_drives(seed: int) -> list[Drive]:
    """One around the loop of each town, by day, in the right lane."""
    return [
        Drive(
            f"map_{town.key}",
            "map",
            (Leg(town.key, Plan(town, seed).loop, "day", RIGHT_LANE_M, stops=1),),
            traffic=number,
            satellites=True,
        )
        for number, town in enumerate(TOWNS)
    ]


def demo_query(seed: int) -> Drive:
    """Four towns with three kidnappings, a stretch outside the map, a covered lens."""
    luebeck, bergen, siena, chicago = (
        Plan(town_of(key), seed) for key in ("luebeck", "bergen", "siena", "chicago")
    )
    leaving = (*bergen.loop[-5:], *bergen.outskirts[1:-1])
    return Drive(
        "query",
        "query",
        (
            Leg("luebeck", luebeck.loop, "overcast", LEFT_LANE_M, first_frame=106, frames=70),
            Leg("bergen", leaving, "dusk", RIGHT_LANE_M),
            Leg("siena", siena.loop, "night", LEFT_LANE_M, first_frame=196, frames=60),
            Leg("chicago", chicago.loop, "dusk", LEFT_LANE_M, 140, 80, covered=range(50, 64)),
        ),
        traffic=1000,
        satellites=False,
    )


def calibration_drives(seed: int) -> list[Drive]:
    """Two short ones a town to calibrate the demo's region on, in all lights and both lanes.

    Each drives along a part of the loop and is then carried to the road out of it: what is said
    there is part of what a gate has to know.
    """
    drives = []
    for number in range(2 * len(TOWNS)):
        town, condition, lane_m = _where(number)
        plan = Plan(town, seed)
        start = int(generator(seed, "calibration", number).integers(len(plan.loop) - 3))
        on_loop = Leg(town.key, plan.loop[start : start + 4], condition, lane_m, frames=35)
        off_map = Leg(town.key, plan.outskirts[1:4], condition, lane_m, frames=14)
        legs = (on_loop, off_map)
        drives.append(Drive(f"calibration_{number:02d}", "calibration", legs, 2000 + number, False))
    return drives


def statistics_drives(seed: int, count: int) -> list[Drive]:
    """Drives to calibrate on and drives to score, `count` of each, over all towns and lights.

    They start anywhere on the loop. Each town, light and lane has as many drives to calibrate on as
    to score; they follow each other, so that a town is built once.
    """
    drives = []
    for pair in range(count):
        town, condition, middle_m = _where(pair)
        loop = Plan(town, seed).loop[:-1]
        for number, role in enumerate(("calibration", "query")):
            random = generator(seed, "statistics", role, pair)
            start = int(random.integers(len(loop)))
            nodes = (*loop[start:], *loop[:start], loop[start])
            lane_m = float(middle_m + random.normal(0, 0.2))
            leg = Leg(town.key, nodes, condition, lane_m, frames=200, stops=1)
            traffic = 3000 + 2 * pair + number
            drives.append(Drive(f"{role}_{pair:02d}", role, (leg,), traffic, False))
    return sorted(drives, key=lambda drive: (drive.legs[0].town, drive.legs[0].condition))


def _where(number: int) -> tuple[Town, str, float]:
    """Town, light and lane of one of a series of drives."""
    turn, place = divmod(number, len(TOWNS))
    condition = tuple(CONDITIONS)[(turn + number) % len(CONDITIONS)]
    return TOWNS[place], condition, (RIGHT_LANE_M, LEFT_LANE_M)[(turn + place) % 2]


def total_frames(drives: Sequence[Drive]) -> int:
    """About how many images they have."""
    return sum(leg.frames or 280 for drive in drives for leg in drive.legs)
