"""House fronts: walls, floors, doors, shops, gables, and which rooms are lit at night."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim import materials
from vlm_vpr_ros.sim.canvas import WIDTH_PX, Canvas, darker
from vlm_vpr_ros.sim.looks import MODERN, Architecture, Colour, some_other
from vlm_vpr_ros.sim.ornaments import ornament
from vlm_vpr_ros.sim.proportions import Proportions, draw_proportions
from vlm_vpr_ros.sim.windows import draw_window, draw_window_style
from vlm_vpr_ros.types import RgbImage

_ORIELS = 0.3
"""Share of the houses without balconies that have one."""


@dataclass(frozen=True)
class Facade:
    """The front of a house.

    Attributes:
        wall: (height, 256, 4) uint8, red, green, blue and opacity; the first row is the top.
        light: (height, 256, 3) uint8, the light that lamps inside give at night.
        wall_m: height of the eaves.
        height_m: height of the image: the eaves, or the gable's top.
        ground_m: height of the ground floor.
        roof: its kind.
        material: of the walls.
        oriel: where a bay juts out over the pavement: x0, x1, z0, z1, depth; None without.
        shop: whether the ground floor is a shop.
        awning: whether an awning hangs over the shop.
        balconies: where each begins and ends along the front and the height of its floor, metres.
        colour: of the plain side walls.
        paint: of doors, awning and shop front.
    """

    wall: npt.NDArray[np.uint8]
    light: RgbImage
    wall_m: float
    height_m: float
    ground_m: float
    roof: str
    material: str
    oriel: tuple[float, float, float, float, float] | None
    shop: bool
    awning: bool
    balconies: tuple[tuple[float, float, float], ...]
    colour: Colour
    paint: Colour


def draw_facade(
    architecture: Architecture,
    paints: tuple[Colour, ...],
    random: np.random.Generator,
    width_m: float,
) -> Facade:
    """Draw one; the generator decides colours, floors, shop and windows."""
    modern = architecture is MODERN
    architecture = some_other(architecture, random)
    paint = paints[int(random.integers(len(paints)))]
    sizes = draw_proportions(architecture, random, width_m)
    front = _Front(architecture, random, width_m, sizes)
    front.windows()
    shop = bool(random.random() < (0.75 if modern else 0.65))
    front.ground_floor(shop, paint)
    front.trim()
    ornament(front.canvas.image, random)
    front.gable()
    balconies: tuple[tuple[float, float, float], ...] = ()
    if random.random() < architecture.balconies:
        balconies = front.balconies()
    oriel = None
    if not balconies and random.random() < _ORIELS:
        oriel = _oriel(sizes, random, width_m)
    return Facade(
        wall=front.finished(),
        light=front.canvas.light,
        wall_m=sizes.wall_m,
        height_m=sizes.wall_m + sizes.gable_m,
        ground_m=sizes.ground_m,
        roof=architecture.roof,
        material=architecture.material,
        oriel=oriel,
        shop=shop,
        awning=shop and bool(random.random() < architecture.awnings),
        balconies=balconies,
        colour=front.colour,
        paint=paint,
    )


def _oriel(
    sizes: Proportions, random: np.random.Generator, width_m: float
) -> tuple[float, float, float, float, float]:
    """A bay around some windows, from the first floor to any below the eaves."""
    pitch = width_m / len(sizes.axes_m)
    first = int(random.integers(len(sizes.axes_m)))
    last = min(first + int(random.integers(0, 2)), len(sizes.axes_m) - 1)
    x0 = max(sizes.axes_m[first] - pitch / 2, 0.1)
    x1 = min(sizes.axes_m[last] + pitch / 2, width_m - 0.1)
    top = sizes.floor_up_m(int(random.integers(2, sizes.floors + 1)))
    depth_m = float(random.uniform(0.4, 1.0))
    return float(x0), float(x1), sizes.floor_up_m(1) + 0.3, min(top, sizes.wall_m), depth_m


class _Front:
    """A front while it is drawn."""

    def __init__(
        self,
        architecture: Architecture,
        random: np.random.Generator,
        width_m: float,
        sizes: Proportions,
    ) -> None:
        self.architecture, self.random, self.sizes = architecture, random, sizes
        self.width_m = width_m
        height_m = sizes.wall_m + sizes.gable_m
        self.rows = 256 if height_m < 13 else 512  # a finer grid for high houses
        walls = architecture.walls
        base = np.array(walls[int(random.integers(len(walls)))], np.float32)
        base = np.clip(base * random.uniform(0.82, 1.1) + random.normal(0, 7, 3), 12, 250)
        self.colour: Colour = (int(base[0]), int(base[1]), int(base[2]))
        self.canvas = Canvas(self._wall(height_m), width_m, height_m)
        self.opacity = np.full((self.rows, WIDTH_PX), 255, np.uint8)
        self.style = draw_window_style(architecture, self.colour, random)

    def _wall(self, height_m: float) -> RgbImage:
        height, width, random = self.rows, WIDTH_PX, self.random
        match self.architecture.material:
            case "brick":
                course = max(3.0, 0.16 * height / height_m)
                return materials.brick(random, height, width, self.colour, course)
            case "boards":
                board = max(3.5, random.uniform(0.15, 0.28) * height / height_m)
                return materials.boards(random, height, width, self.colour, board)
            case "panels":
                rows = max(2, round(height_m / self.sizes.floor_m))
                columns = len(self.sizes.axes_m) + 1
                return materials.panels(random, (height, width), self.colour, rows, columns)
            case _:
                return materials.plaster(random, height, width, self.colour)

    def windows(self) -> None:
        """All above the ground floor and below the eaves."""
        sizes, random = self.sizes, self.random
        width_m, height_m = sizes.window_m
        closed = random.random(len(sizes.axes_m)) < 0.06
        narrow = np.where(random.random(len(sizes.axes_m)) < 0.2, 0.55, 1.0)
        shrinking = float(random.choice([0.0, random.uniform(0.0, 0.14)]))  # upwards
        for floor in range(1, sizes.floors):
            z0 = sizes.floor_up_m(floor) + sizes.sill_m
            high = height_m * max(0.6, 1 - shrinking * (floor - 1))
            for axis, blind, share in zip(sizes.axes_m, closed, narrow, strict=True):
                if not blind:
                    half = width_m / 2 * share
                    self.window(axis - half, axis + half, z0, z0 + high)

    def window(self, x0: float, x1: float, z0: float, z1: float) -> None:
        """A window of this house."""
        draw_window(self.canvas, self.style, self.random, (float(x0), float(x1)), (z0, z1))

    def ground_floor(self, shop: bool, paint: Colour) -> None:
        """Door and windows, or a shop."""
        random, sizes, fill = self.random, self.sizes, self.canvas.fill
        door = int(random.integers(len(sizes.axes_m)))
        half = min(float(random.uniform(0.5, 0.75)), 0.42 * self.width_m / len(sizes.axes_m))
        top = sizes.ground_m - float(random.uniform(0.75, 1.1))
        if random.random() < 0.35:  # in another stone
            fill(0, self.width_m, 0, sizes.ground_m - 0.3, darker(self.colour, 0.8))
        if shop:
            fill(0.25, self.width_m - 0.25, 0, sizes.ground_m - 0.4, paint)
            self._shop_windows(door, paint, top)
        else:
            sill = float(random.uniform(0.8, 1.2))
            for number, axis in enumerate(sizes.axes_m):
                if number != door:
                    self.window(axis - half, axis + half, sill, top)
        axis = float(sizes.axes_m[door])
        fill(axis - half - 0.14, axis + half + 0.14, 0, top + 0.17, self.style.frame)
        fill(axis - half, axis + half, 0, top, darker(paint, 0.9))
        for z0, z1 in ((0.25, 1.05), (1.25, top - 0.25)):
            fill(axis - half * 0.7, axis - 0.05, z0, z1, darker(paint, 0.65))
            fill(axis + 0.05, axis + half * 0.7, z0, z1, darker(paint, 0.65))
        fill(axis - half, axis + half, top - 0.25, top, (70, 80, 88))
        fill(axis - half - 0.3, axis + half + 0.3, 0, 0.14, (138, 136, 132))

    def _shop_windows(self, door: int, paint: Colour, top_m: float) -> None:
        random, axes = self.random, self.sizes.axes_m
        half = float(random.uniform(0.34, 0.46)) * self.width_m / len(axes)
        sill = float(random.uniform(0.3, 0.8))
        for number, axis in enumerate(axes):
            if number == door:
                continue
            left, top, right, bottom = self.canvas.box(axis - half, axis + half, sill, top_m)
            left, right = max(left, 0), min(right, WIDTH_PX - 1)
            height, width = bottom - top + 1, right - left + 1
            shelves = int(random.integers(2, 6))
            goods = random.integers(40, 190, (shelves, max(2, width // 7), 1))
            tinted = goods * random.uniform(0.75, 1.2, (*goods.shape[:2], 3))
            goods = np.asarray(
                cv2.resize(tinted, (width, height), interpolation=cv2.INTER_NEAREST), np.float32
            )
            depth = np.linspace(0.35, 0.85, height)[:, None, None]
            self.canvas.image[top : bottom + 1, left : right + 1] = np.clip(goods * depth, 0, 255)
            lit = np.clip(goods * 0.6 + np.array([130, 112, 80]), 0, 255) * depth**0.5
            self.canvas.light[top : bottom + 1, left : right + 1] = lit
            frame = darker(paint, 0.6)
            cv2.rectangle(self.canvas.image, (left, top), (right, bottom), frame, 2)

    def trim(self) -> None:
        """Cornice, plinth, corner stones and the bands between floors."""
        random, sizes, fill = self.random, self.sizes, self.canvas.fill
        modern = self.architecture.material == "panels"
        stone = self.style.stone if not modern else darker(self.colour, 0.8)
        deep = float(random.uniform(0.15, 0.5))
        fill(0, self.width_m, sizes.wall_m - deep, sizes.wall_m, stone)
        fill(0, self.width_m, sizes.wall_m - deep - 0.1, sizes.wall_m - deep, darker(stone, 0.6))
        bands = [1] if random.random() < 0.6 else [*range(1, sizes.floors)]
        for floor in bands if random.random() < 0.75 else []:
            up = sizes.floor_up_m(floor)
            fill(0, self.width_m, up - 0.3, up - 0.1, darker(stone, 0.92))
            fill(0, self.width_m, up - 0.38, up - 0.3, darker(stone, 0.55))
        edge_m = float(random.choice([0.1, random.uniform(0.25, 0.5)]))
        edge = darker(self.colour, 0.7) if edge_m < 0.2 else stone
        for x in (0.0, self.width_m - edge_m):
            fill(x, x + edge_m, 0, self.canvas.height_m, edge)

    def gable(self) -> None:
        """Cut the outline of the gable and put windows into it."""
        gable_m, wall_m, random = self.sizes.gable_m, self.sizes.wall_m, self.random
        if not gable_m:
            return
        middle = self.width_m / 2
        between = float(random.uniform(2.1, 2.7))
        for floor in range(int((gable_m - 1.2) // between) or 1):
            z0 = wall_m + 0.5 + between * floor
            half = 0.45 * middle * (1 - (z0 + 1.4 - wall_m) / gable_m)
            for axis in (middle - half, middle + half) if half > 0.9 else (middle,):
                self.window(axis - 0.4, axis + 0.4, z0, z0 + 1.1)
        steps = int(random.integers(3, 8))
        rows = np.arange(self.rows)
        share = (self.canvas.height_m * (1 - (rows + 0.5) / self.rows) - wall_m) / gable_m
        if self.architecture.roof == "stepped":
            share = np.floor(share * steps) / steps
        insets = np.round(np.clip(share, 0, 1) * middle * 0.96 * WIDTH_PX / self.width_m)
        for row in np.flatnonzero(rows < self.rows * gable_m / self.canvas.height_m):
            inset = int(insets[row])
            self.opacity[row, :inset] = self.opacity[row, WIDTH_PX - inset :] = 0
            for part in (slice(inset, inset + 4), slice(WIDTH_PX - inset - 4, WIDTH_PX - inset)):
                self.canvas.image[row, part] = darker(self.style.frame, 0.85)

    def balconies(self) -> tuple[tuple[float, float, float], ...]:
        """Where balconies hang: x0, x1 and the height of their floor, metres."""
        sizes = self.sizes
        half = float(self.random.uniform(0.36, 0.48)) * self.width_m / len(sizes.axes_m)
        chosen = self.random.random(len(sizes.axes_m)) < 0.6
        return tuple(
            (float(axis - half), float(axis + half), sizes.floor_up_m(floor) + 0.3)
            for floor in range(1, sizes.floors)
            for axis, there in zip(sizes.axes_m, chosen, strict=True)
            if there
        )

    def finished(self) -> npt.NDArray[np.uint8]:
        """The drawn front with its opacity."""
        image = materials.weathered(self.random, self.canvas.image)
        return np.asarray(cv2.merge([*cv2.split(image), self.opacity]), np.uint8)
