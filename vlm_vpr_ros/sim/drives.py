"""Which drives are made: where, under which light, and what happens on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vlm_vpr_ros.sim.conditions import CONDITIONS
from vlm_vpr_ros.sim.layout import Node, Plan
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.towns import TOWNS, town_of

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
            Leg("luebeck", luebeck.loop, "overcast", LEFT_LANE_M, first_frame=40, frames=70),
            Leg("bergen", leaving, "dusk", RIGHT_LANE_M),
            Leg("siena", siena.loop, "night", LEFT_LANE_M, first_frame=120, frames=60),
            Leg("chicago", chicago.loop, "dusk", LEFT_LANE_M, 20, 80, covered=range(50, 64)),
        ),
        traffic=1000,
        satellites=False,
    )


def statistics_drives(seed: int, count: int, frames: int = 200) -> list[Drive]:
    """Drives to calibrate on and drives to score, `count` of each, over all towns and lights.

    They start anywhere on the loop, in either lane. Each town and light has as many drives to
    calibrate on as to score; they follow each other, so that it is built once.
    """
    drives = []
    for pair in range(count):
        town = TOWNS[pair % len(TOWNS)]
        condition = tuple(CONDITIONS)[(pair // len(TOWNS) + pair) % len(CONDITIONS)]
        loop = Plan(town, seed).loop[:-1]
        for number, role in enumerate(("calibration", "query")):
            random = generator(seed, "statistics", role, pair)
            start = int(random.integers(len(loop)))
            nodes = (*loop[start:], *loop[:start], loop[start])
            lane_m = (RIGHT_LANE_M, LEFT_LANE_M)[int(random.integers(2))] + random.normal(0, 0.2)
            leg = Leg(town.key, nodes, condition, float(lane_m), frames=frames, stops=1)
            traffic = 2000 + 2 * pair + number
            drives.append(Drive(f"{role}_{pair:02d}", role, (leg,), traffic, False))
    return sorted(drives, key=lambda drive: (drive.legs[0].town, drive.legs[0].condition))


def total_frames(drives: Sequence[Drive]) -> int:
    """About how many images they have."""
    return sum(leg.frames or 280 for drive in drives for leg in drive.legs)
