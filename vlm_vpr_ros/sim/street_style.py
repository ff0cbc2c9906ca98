"""What tells one street from another: its width, markings, zebra crossings and lamps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from vlm_vpr_ros.sim.looks import StreetLook

LINES = ("none", "dashes", "line", "double")
Line = Literal["none", "dashes", "line", "double"]
LAMP_KINDS = ("arm", "lantern", "double arm", "bowl")
LampKind = Literal["arm", "lantern", "double arm", "bowl"]


@dataclass(frozen=True)
class Markings:
    """Paint on a road; lengths in metres.

    Attributes:
        middle: the line in the middle.
        dash_m, gap_m, phase_m: its dashes, and how far before the street the first one begins.
        width_m: of its strokes.
        bays: what separates the parked cars from the road.
        bay_m: length of a parking bay.
    """

    middle: Line
    dash_m: float
    gap_m: float
    phase_m: float
    width_m: float
    bays: Literal["none", "line", "dashes", "corners"]
    bay_m: float


@dataclass(frozen=True)
class Crosswalk:
    """Where pedestrians cross the end of a street; `stripes` is 0 where there is no zebra."""

    stripes: int
    depth_m: float
    stop_line: bool


@dataclass(frozen=True)
class Lamps:
    """The lamps of a street: where along its left and its right row, from the row's left end."""

    kind: LampKind
    height_m: float
    left_m: tuple[float, ...]
    right_m: tuple[float, ...]


@dataclass(frozen=True)
class StreetStyle:
    """How a street differs from others.

    Attributes:
        name: decides the rest, with the seed of the world.
        road_half_m: from the middle of the street to the kerb.
        setts: whether it is paved with setts.
        tone: brightness of road and pavement.
        kerb: brightness of the kerb.
        markings: paint on the road.
        ends: crosswalks at its beginning and its end.
        lamps: its lamps.
    """

    name: str
    road_half_m: float
    setts: bool
    tone: float
    kerb: float
    markings: Markings
    ends: tuple[Crosswalk, Crosswalk]
    lamps: Lamps


def draw_style(
    name: str, look: StreetLook, random: np.random.Generator, row_m: float
) -> StreetStyle:
    """Draw the style of a street whose rows of houses have that length."""
    setts = bool(random.random() < look.setts)
    middle: Line = "none" if setts else LINES[int(random.choice(4, p=[0.2, 0.5, 0.15, 0.15]))]  # type: ignore[assignment]
    dash_m = float(random.uniform(1.2, 4.5))
    gap_m = float(random.uniform(1.2, 6.0))
    bays = ("none", "line", "dashes", "corners")[int(random.integers(4))]
    markings = Markings(
        middle,
        dash_m,
        gap_m,
        float(random.uniform(0, dash_m + gap_m)),
        float(random.uniform(0.1, 0.2)),
        "none" if setts else bays,  # type: ignore[arg-type]
        float(random.uniform(5.0, 6.6)),
    )
    return StreetStyle(
        name,
        float(random.uniform(4.2, 5.4)),
        setts,
        float(random.uniform(0.82, 1.1)),
        float(random.uniform(0.45, 0.75)),
        markings,
        (_crosswalk(random), _crosswalk(random)),
        _lamps(random, row_m),
    )


def _crosswalk(random: np.random.Generator) -> Crosswalk:
    zebra = random.random() < 0.4
    stripes = int(random.integers(5, 11)) if zebra else 0
    return Crosswalk(stripes, float(random.uniform(2.0, 3.2)), bool(random.random() < 0.45))


def _lamps(random: np.random.Generator, row_m: float) -> Lamps:
    """On both sides, or on one, or on each in turn."""
    kind: LampKind = LAMP_KINDS[int(random.integers(len(LAMP_KINDS)))]  # type: ignore[assignment]
    tall = kind in {"arm", "double arm"}
    spacing = random.uniform(15, 24)
    first = random.uniform(1.5, 0.6 * spacing)
    shifted = (first + random.uniform(0.2, 0.8) * spacing) % spacing + 1
    left, right = (np.arange(begin, row_m - 1, spacing) for begin in (first, shifted))
    sides = random.choice(3, p=[0.5, 0.25, 0.25])
    return Lamps(
        kind,
        float(random.uniform(5.0, 7.5) if tall else random.uniform(3.4, 4.4)),
        tuple(map(float, left)) if sides != 1 else (),
        tuple(map(float, right)) if sides != 2 else (),
    )
