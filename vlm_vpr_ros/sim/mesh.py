"""Textured rectangles in plan coordinates, collected before a renderer takes them over."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

VERTEX = np.dtype([("xyz", "<f4", 3), ("rgba", "u1", 4), ("uv", "<f4", 2)])

_WHOLE = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


@dataclass(frozen=True)
class GroundFrame:
    """A local frame on the ground: `along` it, to the `right` of it, and up.

    Attributes:
        first_m, second_m: its origin in the plan.
        ahead: unit direction of `along` in the plan (first, second).
    """

    first_m: float
    second_m: float
    ahead: tuple[float, float]

    def at(self, along_m: float, right_m: float, up_m: float) -> tuple[float, float, float]:
        """A point as x (second axis), y (first axis), z (up): what the renderer draws."""
        i, j = self.ahead
        first = self.first_m + along_m * i - right_m * j
        second = self.second_m + along_m * j + right_m * i
        return (second, first, up_m)

    def normal(self, along: float, right: float, up: float) -> tuple[float, float, float]:
        """A direction of this frame in renderer coordinates."""
        i, j = self.ahead
        return (along * j + right * i, along * i - right * j, up)

    def moved(self, along_m: float, right_m: float, turn: int = 0) -> GroundFrame:
        """A frame with its origin there, turned clockwise by `turn` right angles."""
        second, first, _ = self.at(along_m, right_m, 0.0)
        i, j = self.ahead
        for _ in range(turn % 4):
            i, j = -j, i
        return GroundFrame(first, second, (i, j))


@dataclass
class Mesh:
    """Rectangles by surface; the name of a surface is a key into the pictures of a scene."""

    surfaces: dict[str, list[npt.NDArray[np.void]]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def quad(
        self,
        surface: str,
        corners: Sequence[tuple[float, float, float]],
        colour: npt.ArrayLike = (1.0, 1.0, 1.0),
        uv: Sequence[tuple[float, float]] = _WHOLE,
    ) -> None:
        """Add a rectangle.

        Args:
            surface: name of its picture; "" for plain colour.
            corners: lower left, lower right, upper right, upper left.
            colour: factors on the picture's colours, (3,) or (4,) with opacity, or one for each
                corner.
            uv: where the corners are in the picture, from its lower left corner.
        """
        vertices = np.empty(4, VERTEX)
        vertices["xyz"] = corners
        vertices["uv"] = uv
        rgba = np.broadcast_to(np.asarray(colour, np.float32), (4, np.shape(colour)[-1]))
        vertices["rgba"][:, :3] = np.clip(rgba[:, :3] * 255, 0, 255)
        vertices["rgba"][:, 3] = np.clip(rgba[:, 3] * 255, 0, 255) if rgba.shape[1] == 4 else 255
        self.surfaces[surface].append(vertices)

    def box(
        self,
        place: GroundFrame,
        along: tuple[float, float],
        right: tuple[float, float],
        up: tuple[float, float],
        colour: npt.NDArray[np.float32],
    ) -> None:
        """Add the four sides and the top of a box, shaded a little by their direction."""
        (a0, a1), (r0, r1), (u0, u1) = along, right, up
        ring = [(a0, r0), (a0, r1), (a1, r1), (a1, r0)]
        for number, ((a, r), (b, s)) in enumerate(zip(ring, ring[1:] + ring[:1], strict=True)):
            corners = [
                place.at(a, r, u0),
                place.at(b, s, u0),
                place.at(b, s, u1),
                place.at(a, r, u1),
            ]
            self.quad("", corners, colour * (0.8, 0.95, 0.85, 1.0)[number])
        self.quad("", [place.at(a, r, u1) for a, r in ring], colour)
