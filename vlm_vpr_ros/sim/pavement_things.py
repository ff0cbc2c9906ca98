"""Small things on the pavements: benches, bins, boxes, planters, bollards, columns for bills."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.mesh import GroundFrame, Mesh

Floats = npt.NDArray[np.float32]

_WOOD, _GREEN, _GREY = (
    np.array(colour, np.float32)
    for colour in ((0.46, 0.32, 0.2), (0.16, 0.3, 0.2), (0.45, 0.45, 0.44))
)


def put_something(
    mesh: Mesh, foot: GroundFrame, light: Floats, random: np.random.Generator
) -> None:
    """Add one of them; `along` of its foot leads away from the street."""
    put = _THINGS[int(random.integers(len(_THINGS)))]
    put(mesh, foot, light * np.float32(random.uniform(0.6, 1.3)), random)


def _bench(mesh: Mesh, foot: GroundFrame, light: Floats, random: np.random.Generator) -> None:
    wide = random.uniform(0.6, 1.0)
    mesh.box(foot, (-0.25, 0.25), (-wide, wide), (0.42, 0.5), _WOOD * light)
    mesh.box(foot, (0.2, 0.26), (-wide, wide), (0.5, 0.95), _WOOD * light)


def _bin(mesh: Mesh, foot: GroundFrame, light: Floats, random: np.random.Generator) -> None:
    mesh.box(foot, (-0.3, 0.3), (-0.3, 0.3), (0, random.uniform(0.9, 1.3)), _GREEN * light)


def _utility_box(mesh: Mesh, foot: GroundFrame, light: Floats, random: np.random.Generator) -> None:
    wide, top = random.uniform(0.35, 0.9), random.uniform(0.9, 1.7)
    mesh.box(foot, (-0.2, 0.2), (-wide, wide), (0, top), _GREY * light)


def _planter(mesh: Mesh, foot: GroundFrame, light: Floats, random: np.random.Generator) -> None:
    wide, top = random.uniform(0.4, 1.1), random.uniform(0.8, 1.2)
    mesh.box(foot, (-0.35, 0.35), (-wide, wide), (0, 0.6), _WOOD * light)
    mesh.box(foot, (-0.3, 0.3), (-wide, wide), (0.6, top), _GREEN * light)


def _bollards(mesh: Mesh, foot: GroundFrame, light: Floats, random: np.random.Generator) -> None:
    for number in range(int(random.integers(2, 6))):
        post = foot.moved(-0.3, 1.3 * number)
        mesh.box(post, (-0.07, 0.07), (-0.07, 0.07), (0, 0.95), _GREY * light)


def _column(mesh: Mesh, foot: GroundFrame, light: Floats, random: np.random.Generator) -> None:
    mesh.box(foot, (-0.5, 0.5), (-0.5, 0.5), (0, 2.7), _GREY * light)
    bills = random.uniform(0.25, 0.85, (4, 1)) + random.uniform(-0.12, 0.12, (4, 3))
    for number, bill in enumerate(bills):
        side = foot.moved(0, 0, number)
        ends = ((-0.45, 0.8), (0.45, 0.8), (0.45, 2.3), (-0.45, 2.3))
        mesh.quad("", [side.at(-0.52, across, up) for across, up in ends], bill * light)


_THINGS = (_bench, _bin, _utility_box, _planter, _bollards, _column)
