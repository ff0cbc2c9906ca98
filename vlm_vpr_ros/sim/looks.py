"""How houses and streets of a town are built, and how those are that every town has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

Colour = tuple[int, int, int]
"""Red, green, blue, of 255."""


@dataclass(frozen=True)
class Architecture:
    """How the houses of a town are built; lengths in metres."""

    material: Literal["brick", "plaster", "boards", "panels"]
    walls: tuple[Colour, ...]
    roof: Literal["stepped", "gable", "eaves", "flat"]
    roof_colour: Colour
    floors: tuple[int, int]
    floor_m: float
    bay_m: float
    """Distance between the axes of neighbouring windows."""
    window_m: tuple[float, float]
    frame: Colour
    shutters: tuple[Colour, ...] = ()
    balconies: float = 0.0
    """Share of houses that have them."""
    awnings: float = 0.25
    lot_m: tuple[float, float] = (6.5, 11.0)
    arched: bool = False


def some_other(architecture: Architecture, random: np.random.Generator) -> Architecture:
    """Of a house that differs from its neighbours in roof or wall, as some in every town do."""
    if architecture is MODERN:
        return architecture
    roof, material = architecture.roof, architecture.material
    if roof != "flat" and random.random() < 0.3:
        roof = "gable" if roof == "eaves" else "eaves"
    if material != "panels" and random.random() < 0.15:
        material = "plaster" if material != "plaster" else "brick"
    return replace(architecture, roof=roof, material=material)


@dataclass(frozen=True)
class StreetLook:
    """What the streets of a town are made of."""

    paints: tuple[Colour, ...]
    """Doors, shop fronts and awnings."""
    paving: Colour
    slab_m: float
    asphalt: Colour
    setts: float
    """Share of streets that are paved with setts."""
    marking: Colour
    """The line in the middle of the road."""
    lamp: Colour
    """Light of the street lamps."""


MODERN = Architecture(
    material="panels",
    walls=((188, 186, 180), (205, 196, 178), (164, 170, 176), (150, 128, 112), (214, 212, 206)),
    roof="flat",
    roof_colour=(90, 90, 92),
    floors=(4, 6),
    floor_m=3.1,
    bay_m=2.9,
    window_m=(1.9, 1.7),
    frame=(70, 72, 76),
    balconies=0.4,
    awnings=0.35,
    lot_m=(9.0, 13.0),
)
"""How the houses of the copied streets are built, alike in every town."""

MODERN_STREET = StreetLook(
    paints=((92, 34, 36), (38, 58, 78), (70, 74, 60), (196, 168, 96), (46, 46, 50)),
    paving=(168, 166, 160),
    slab_m=0.5,
    asphalt=(96, 96, 98),
    setts=0.0,
    marking=(232, 232, 228),
    lamp=(255, 206, 142),
)
"""What the copied streets are made of."""
