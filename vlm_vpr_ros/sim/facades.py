"""House fronts: walls, windows, doors, gables, and which windows are lit at night."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from vlm_vpr_ros.sim import materials
from vlm_vpr_ros.sim.ornaments import ornament
from vlm_vpr_ros.sim.towns import MODERN, Architecture, Colour
from vlm_vpr_ros.types import RgbImage

WIDTH_PX = 256
GROUND_FLOOR_M = 3.5


@dataclass(frozen=True)
class Facade:
    """The front of a house.

    Attributes:
        wall: (height, 256, 4) uint8, red, green, blue and opacity; the first row is the top.
        light: (height, 256, 3) uint8, the light that lamps inside give at night.
        wall_m: height of the eaves.
        height_m: height of the image: the eaves, or the gable's top.
        shop: whether the ground floor is a shop.
        awning: whether an awning hangs over the shop.
        balconies: where each begins and ends along the front and the height of its floor, metres.
        colour: of the plain side walls.
        paint: of doors, awning and shop front.
    """

    wall: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    light: RgbImage
    wall_m: float
    height_m: float
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
    # The one thing that towns paint in their own colours on a copied house.
    paint = paints[int(random.integers(2**16)) % len(paints)]
    floors = int(random.integers(architecture.floors[0], architecture.floors[1] + 1))
    wall_m = GROUND_FLOOR_M + (floors - 1) * architecture.floor_m + random.uniform(0.3, 0.9)
    gable_m = width_m * random.uniform(0.5, 0.7) if architecture.roof in _GABLES else 0.0
    height_m = wall_m + gable_m
    front = _Front(architecture, random, width_m, height_m, wall_m)
    front.windows(floors)
    shop = bool(random.random() < (0.65 if architecture is not MODERN else 0.75))
    front.ground_floor(shop, paint)
    front.trim()
    ornament(front.image, random)
    if gable_m:
        front.gable(gable_m)
    balconies: tuple[tuple[float, float, float], ...] = ()
    if random.random() < architecture.balconies:
        balconies = front.balconies(floors)
    return Facade(
        wall=front.finished(),
        light=front.light,
        wall_m=wall_m,
        height_m=height_m,
        shop=shop,
        awning=shop and bool(random.random() < architecture.awnings),
        balconies=balconies,
        colour=front.colour,
        paint=paint,
    )


_GABLES = ("stepped", "gable")


class _Front:
    """A front while it is drawn; x and z in metres from its lower left corner."""

    def __init__(
        self,
        architecture: Architecture,
        random: np.random.Generator,
        width_m: float,
        height_m: float,
        wall_m: float,
    ) -> None:
        self.architecture = architecture
        self.random = random
        self.width_m, self.height_m, self.wall_m = width_m, height_m, wall_m
        self.rows = 256 if height_m < 13 else 512
        walls = architecture.walls
        base = np.array(walls[int(random.integers(len(walls)))], np.float32)
        base = np.clip(base * random.uniform(0.88, 1.08) + random.normal(0, 5, 3), 12, 250)
        self.colour: Colour = (int(base[0]), int(base[1]), int(base[2]))
        self.image = self._wall()
        self.light = np.zeros_like(self.image)
        self.opacity = np.full(self.image.shape[:2], 255, np.uint8)
        columns = max(2, round((width_m - 0.6) / architecture.bay_m))
        self.axes = (np.arange(columns) + 0.5) * width_m / columns
        self.frame = _varied(architecture.frame, random, 8)
        self.shutter = _chosen(architecture.shutters, random)
        self.curtains = bool(random.random() < 0.7)
        self.panes = (int(random.integers(1, 4)), int(random.integers(1, 5)))
        self.bar = int(random.integers(1, 4))
        self.flowers = bool(random.random() < 0.3)

    def _wall(self) -> RgbImage:
        height, width, random = self.rows, WIDTH_PX, self.random
        match self.architecture.material:
            case "brick":
                course = max(3.0, 0.16 * height / self.height_m)
                return materials.brick(random, height, width, self.colour, course)
            case "boards":
                board = max(3.5, 0.2 * height / self.height_m)
                return materials.boards(random, height, width, self.colour, board)
            case "panels":
                rows = max(2, round(self.height_m / self.architecture.floor_m))
                columns = max(2, round(self.width_m / self.architecture.bay_m))
                return materials.panels(random, (height, width), self.colour, rows, columns)
            case _:
                return materials.plaster(random, height, width, self.colour)

    def _box(self, x0: float, x1: float, z0: float, z1: float) -> tuple[int, int, int, int]:
        """Pixel corners (left, top, right, bottom) of a rectangle given in metres."""
        sx, sz = WIDTH_PX / self.width_m, self.rows / self.height_m
        return (
            round(x0 * sx),
            round(self.rows - z1 * sz),
            round(x1 * sx) - 1,
            round(self.rows - z0 * sz) - 1,
        )

    def fill(self, x0: float, x1: float, z0: float, z1: float, colour: Colour) -> None:
        left, top, right, bottom = self._box(x0, x1, z0, z1)
        cv2.rectangle(self.image, (left, top), (right, bottom), colour, -1)

    def windows(self, floors: int) -> None:
        width_m, height_m = self.architecture.window_m
        height_m *= self.random.uniform(0.92, 1.08)
        width_m = min(width_m * self.random.uniform(0.9, 1.1), 0.8 * self.width_m / len(self.axes))
        blind = self.random.random(len(self.axes)) < 0.06
        shrunk = np.where(self.random.random(len(self.axes)) < 0.2, 0.55, 1.0)
        for floor in range(1, floors):
            z0 = GROUND_FLOOR_M + (floor - 1) * self.architecture.floor_m + 0.8
            for axis, closed, narrow in zip(self.axes, blind, shrunk, strict=True):
                if not closed:
                    half = width_m / 2 * narrow
                    self.window(axis - half, axis + half, z0, z0 + height_m)

    def window(self, x0: float, x1: float, z0: float, z1: float) -> None:
        random, frame = self.random, self.frame
        if self.shutter is not None:
            self._shutters(x0, x1, z0, z1)
        if self.architecture.arched:
            self.fill(x0 - 0.12, x1 + 0.12, z1, z1 + 0.22, _darker(self.colour, 0.72))
        self.fill(x0 - 0.1, x1 + 0.1, z0 - 0.1, z1 + 0.1, frame)
        self.fill(x0 - 0.18, x1 + 0.18, z0 - 0.22, z0 - 0.1, _darker(frame, 0.78))
        left, top, right, bottom = self._box(x0, x1, z0, z1)
        if right - left < 2 or bottom - top < 2:
            return
        sky = random.uniform(0.3, 0.8)
        column = np.linspace(60 + 110 * sky, 34, bottom - top + 1)
        glass = column[:, None, None] * np.array([0.86, 0.96, 1.06]) * random.uniform(0.7, 1.15)
        pane = self.image[top : bottom + 1, left : right + 1]
        pane[:] = np.clip(glass, 0, 235)
        if self.curtains and random.random() < 0.5:
            side = max(1, (right - left) // 4)
            cloth = _darker((206, 198, 184), random.uniform(0.7, 1.1))
            pane[:, :side] = pane[:, -side:] = cloth
        if random.random() < 0.42:
            warm = np.array([255, 206, 128]) * random.uniform(0.5, 1.0)
            glow = self.light[top : bottom + 1, left : right + 1]
            glow[:] = np.clip(warm * np.linspace(0.75, 1, bottom - top + 1)[:, None, None], 0, 255)
            if self.curtains:
                glow[:, :2] = glow[:, :2] // 2
        self._bars(left, top, right, bottom)

    def _bars(self, left: int, top: int, right: int, bottom: int) -> None:
        """The bars between the panes; every house has its own windows."""
        across, down = self.panes
        for image, colour in ((self.image, self.frame), (self.light, (20, 14, 8))):
            for part in range(1, across):
                x = left + (right - left) * part // across
                cv2.line(image, (x, top), (x, bottom), colour, self.bar)
            for part in range(1, down):
                y = top + (bottom - top) * part // down
                cv2.line(image, (left, y), (right, y), colour, self.bar)
        if self.flowers:
            for x in range(left, right, 3):
                colour = ((52, 96, 44), (196, 52, 60), (226, 190, 70))[int(self.random.integers(3))]
                cv2.circle(self.image, (x, bottom + 2), 2, colour, -1)

    def _shutters(self, x0: float, x1: float, z0: float, z1: float) -> None:
        if self.shutter is None:
            return
        leaf = 0.46 * (x1 - x0)
        colour = _varied(self.shutter, self.random, 6)
        for a, b in ((x0 - leaf - 0.1, x0 - 0.1), (x1 + 0.1, x1 + leaf + 0.1)):
            self.fill(a, b, z0 - 0.05, z1 + 0.05, colour)
            left, top, right, bottom = self._box(a, b, z0, z1)
            for y in range(top + 2, bottom, 4):
                cv2.line(self.image, (left + 1, y), (right - 1, y), _darker(colour, 0.75), 1)

    def ground_floor(self, shop: bool, paint: Colour) -> None:
        random = self.random
        door = int(random.integers(len(self.axes)))
        half = min(0.62, 0.42 * self.width_m / len(self.axes))
        if shop:
            self.fill(0.25, self.width_m - 0.25, 0, 3.05, paint)
            self._shop_windows(door, paint)
        else:
            for number, axis in enumerate(self.axes):
                if number != door:
                    self.window(axis - half, axis + half, 1.0, 2.6)
        axis = self.axes[door]
        self.fill(axis - half - 0.14, axis + half + 0.14, 0, 2.72, self.frame)
        self.fill(axis - half, axis + half, 0, 2.55, _darker(paint, 0.9))
        for z0, z1 in ((0.25, 1.05), (1.25, 2.3)):
            self.fill(axis - half * 0.7, axis - 0.05, z0, z1, _darker(paint, 0.65))
            self.fill(axis + 0.05, axis + half * 0.7, z0, z1, _darker(paint, 0.65))
        self.fill(axis - half, axis + half, 2.3, 2.55, (70, 80, 88))
        self.fill(axis - half - 0.3, axis + half + 0.3, 0, 0.14, (138, 136, 132))

    def _shop_windows(self, door: int, paint: Colour) -> None:
        random = self.random
        half = 0.44 * self.width_m / len(self.axes)
        for number, axis in enumerate(self.axes):
            if number == door:
                continue
            left, top, right, bottom = self._box(axis - half, axis + half, 0.55, 2.75)
            height, width = bottom - top + 1, right - left + 1
            goods = random.integers(40, 190, (4, max(2, width // 7), 1))
            tinted = goods * random.uniform(0.75, 1.2, (*goods.shape[:2], 3))
            goods = np.asarray(
                cv2.resize(tinted, (width, height), interpolation=cv2.INTER_NEAREST), np.float32
            )
            depth = np.linspace(0.35, 0.85, height)[:, None, None]
            self.image[top : bottom + 1, left : right + 1] = np.clip(goods * depth, 0, 255)
            lit = np.clip(goods * 0.6 + np.array([130, 112, 80]), 0, 255) * depth**0.5
            self.light[top : bottom + 1, left : right + 1] = lit
            cv2.rectangle(self.image, (left, top), (right, bottom), _darker(paint, 0.6), 2)

    def trim(self) -> None:
        """Cornice, plinth and the bands between floors."""
        stone = self.frame if self.architecture.material != "panels" else _darker(self.colour, 0.8)
        self.fill(0, self.width_m, self.wall_m - 0.35, self.wall_m, stone)
        self.fill(0, self.width_m, self.wall_m - 0.45, self.wall_m - 0.35, _darker(stone, 0.6))
        self.fill(0, self.width_m, 3.2, 3.4, _darker(stone, 0.92))
        self.fill(0, self.width_m, 3.12, 3.2, _darker(stone, 0.55))
        edge = _darker(self.colour, 0.7)
        for x in (0.0, self.width_m - 0.1):
            self.fill(x, x + 0.1, 0, self.height_m, edge)

    def gable(self, gable_m: float) -> None:
        """Cut the outline of the gable and put windows into it."""
        middle = self.width_m / 2
        for floor in range(int((gable_m - 1.2) // 2.4) or 1):
            z0 = self.wall_m + 0.5 + 2.4 * floor
            half = 0.45 * middle * (1 - (z0 + 1.4 - self.wall_m) / gable_m)
            for axis in (middle - half, middle + half) if half > 0.9 else (middle,):
                self.window(axis - 0.4, axis + 0.4, z0, z0 + 1.2)
        steps = 5
        sx = WIDTH_PX / self.width_m
        for row in range(self.rows):
            z = self.height_m * (1 - (row + 0.5) / self.rows) - self.wall_m
            if z <= 0:
                break
            share = z / gable_m
            if self.architecture.roof == "stepped":
                share = np.floor(share * steps) / steps
            inset = round(share * middle * 0.96 * sx)
            self.opacity[row, :inset] = 0
            self.opacity[row, WIDTH_PX - inset :] = 0
            rim = slice(inset, inset + 4), slice(WIDTH_PX - inset - 4, WIDTH_PX - inset)
            for part in rim:
                self.image[row, part] = _darker(self.frame, 0.85)

    def balconies(self, floors: int) -> tuple[tuple[float, float, float], ...]:
        """Where balconies hang: x0, x1 and the height of their floor, metres."""
        half = 0.45 * self.width_m / len(self.axes)
        chosen = self.random.random(len(self.axes)) < 0.6
        return tuple(
            (float(axis - half), float(axis + half), GROUND_FLOOR_M + 0.4 + floor_m)
            for floor_m in self.architecture.floor_m * np.arange(floors - 1)
            for axis, there in zip(self.axes, chosen, strict=True)
            if there
        )

    def finished(self) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        """The drawn front with its opacity."""
        image = materials.weathered(self.random, self.image)
        return np.asarray(cv2.merge([*cv2.split(image), self.opacity]), np.uint8)


def _darker(colour: Colour, factor: float) -> Colour:
    return (int(colour[0] * factor), int(colour[1] * factor), int(colour[2] * factor))


def _varied(colour: Colour, random: np.random.Generator, sigma: float) -> Colour:
    shift = random.normal(0, sigma, 3).tolist()
    red, green, blue = (min(max(int(c + s), 0), 255) for c, s in zip(colour, shift, strict=True))
    return (red, green, blue)


def _chosen(colours: tuple[Colour, ...], random: np.random.Generator) -> Colour | None:
    return colours[int(random.integers(len(colours)))] if colours else None
