"""The plan of a town: its grid of streets, the loop that is mapped, and the houses along it.

Plan coordinates are metres: the first axis points along `Town.bearing_deg`, the second to the right
of it. Everything is decided by the seed; nothing here is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise

import numpy as np

from vlm_vpr_ros.geodesy import displaced
from vlm_vpr_ros.sim.looks import MODERN, MODERN_STREET, Architecture, StreetLook
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.street_style import StreetStyle, draw_style
from vlm_vpr_ros.sim.towns import COPIED_RUNS, Town

BLOCK_M = 60.0
"""From one crossing to the next."""
HALF_STREET_M = 8.0
"""From the middle of a street to the house fronts."""
ROW_M = BLOCK_M - 2 * HALF_STREET_M
"""Length of a row of houses."""
DEPTH_M = 9.0
"""Of a house."""
OUTSKIRTS = 6
"""Streets of the road that leaves the mapped loop."""

_GARDENS = 0.1
"""Share of the lots without a house."""
_SETBACKS_M = 1.5
"""Houses stand up to so far behind the line of the street."""
_POOL, _POOL_STYLES = 28, 8
"""Different houses, and styles, of each kind of street that nobody drives."""

Node = tuple[int, int]
"""A crossing: steps along the first and the second axis."""

_TURN = {"L": lambda d: (d[1], -d[0]), "R": lambda d: (-d[1], d[0])}


@dataclass(frozen=True)
class House:
    """A house of a row.

    Attributes:
        along_m: where it begins, from the beginning of the row.
        width_m: of its front.
        architecture: how it is built.
        name: decides its looks, with the seed of the world; copies of a house share it.
        garden: a lot without a house.
        setback_m: how far it stands behind the line of the street.
    """

    along_m: float
    width_m: float
    architecture: Architecture
    name: str
    garden: bool = False
    setback_m: float = 0.0


@dataclass(frozen=True)
class Street:
    """A street from one crossing to the next, as the loop drives it.

    Attributes:
        start, end: its crossings.
        copy: name shared by all copies of a copied street; "" for a street that stands once.
        mapped: whether the loop drives it.
        driven: whether the loop or the road out of it drives it.
        look: what it is made of.
        style: its width, markings, crosswalks and lamps.
        left, right: the houses, from start to end.
    """

    start: Node
    end: Node
    copy: str
    mapped: bool
    driven: bool
    look: StreetLook
    style: StreetStyle
    left: tuple[House, ...]
    right: tuple[House, ...]

    @property
    def name(self) -> str:
        """Unique within the town."""
        return f"{self.start[0]},{self.start[1]}-{self.end[0]},{self.end[1]}"


@dataclass(frozen=True)
class Plan:
    """The streets of a town."""

    town: Town
    seed: int

    @cached_property
    def loop(self) -> tuple[Node, ...]:
        """The crossings of the mapped loop; the last is the first."""
        return walk(self.town.loop)

    @cached_property
    def outskirts(self) -> tuple[Node, ...]:
        """Crossings of the road that leaves the loop where it begins; the first is on the loop."""
        return tuple((-step, 0) for step in range(OUTSKIRTS + 1))

    @cached_property
    def streets(self) -> tuple[Street, ...]:
        """The mapped ones first, in the order of the loop."""
        return tuple(self._streets())

    @property
    def nodes(self) -> set[Node]:
        """All crossings."""
        return {node for street in self.streets for node in (street.start, street.end)}

    def copied_share(self) -> float:
        """Which part of the mapped streets stands in other towns as well."""
        mapped = [street for street in self.streets if street.mapped]
        return sum(bool(street.copy) for street in mapped) / len(mapped)

    def street_at(self, north_m: float, east_m: float) -> Street | None:
        """The mapped street nearest to a point of the plan, if the point lies on one."""
        point = np.array([north_m, east_m])
        for street in self.streets:
            start, end = np.array(street.start) * BLOCK_M, np.array(street.end) * BLOCK_M
            axis = (end - start) / BLOCK_M
            along = float((point - start) @ axis)
            beside = float(np.linalg.norm(point - start - along * axis))
            if street.mapped and 0 <= along <= BLOCK_M and beside < HALF_STREET_M:
                return street
        return None

    def position(self, first_m: float, second_m: float) -> tuple[float, float]:
        """Latitude and longitude (degrees) of a point of the plan."""
        bearing = np.radians(self.town.bearing_deg)
        north = first_m * np.cos(bearing) - second_m * np.sin(bearing)
        east = first_m * np.sin(bearing) + second_m * np.cos(bearing)
        return displaced(self.town.lat_deg, self.town.lon_deg, float(east), float(north))

    def _streets(self) -> Iterator[Street]:
        copies: dict[tuple[Node, Node], str] = {}
        for run, first in self.town.copied:
            for step in range(COPIED_RUNS[run]):
                start, end = self.loop[first + step], self.loop[first + step + 1]
                copies[start, end] = f"{run}{step}"
                if step:  # the streets that cross the middle of a run are copied with it
                    ahead = (end[0] - start[0], end[1] - start[1])
                    for side, (i, j) in (("l", _TURN["L"](ahead)), ("r", _TURN["R"](ahead))):
                        copies[start, (start[0] + i, start[1] + j)] = f"{run}{step}{side}"
        mapped, out = list(pairwise(self.loop)), list(pairwise(self.outskirts))
        seen = set()
        for way in [*mapped, *out, *copies, *self._side_streets()]:
            if frozenset(way) not in seen:
                seen.add(frozenset(way))
                yield self._street(way, copies.get(way, ""), way in mapped, way in out)

    def _street(self, way: tuple[Node, Node], copy: str, mapped: bool, out: bool) -> Street:
        """A street: one that is driven has its own houses and style, another those of a pool."""
        start, end = way
        name = f"copy {copy}" if copy else f"{self.town.key} {start} {end}"
        beside = start in self.loop or end in self.loop
        pool = f"{'copy' if copy else self.town.key} {'beside' if beside else 'far'}"
        if mapped or out:
            pool, style = "", name
        else:
            number = generator(self.seed, "pool style", name).integers(_POOL_STYLES)
            style = f"{pool} {number}"
        look = MODERN_STREET if copy else self.town.street
        architecture = MODERN if copy else self.town.architecture
        left, right = (self._row(f"{name} {side}", architecture, pool) for side in _SIDES)
        drawn = draw_style(style, look, generator(self.seed, "style", style), ROW_M)
        return Street(start, end, copy, mapped, mapped or out, look, drawn, left, right)

    def _side_streets(self) -> list[tuple[Node, Node]]:
        """The streets that can be looked into from the loop."""
        steps = ((1, 0), (-1, 0), (0, 1), (0, -1))
        crossings = [*dict.fromkeys(self.loop + self.outskirts[:-1])]
        return [(node, (node[0] + i, node[1] + j)) for node in crossings for i, j in steps]

    def _row(self, name: str, architecture: Architecture, pool: str) -> tuple[House, ...]:
        """The houses of a row: its own, or some from a pool that other rows share."""
        random = generator(self.seed, "row", name)
        narrow, wide = architecture.lot_m
        if pool:
            return self._pooled(random, architecture, pool)
        count = round(ROW_M / random.uniform(narrow + 0.5, wide - 0.5))
        widths = random.uniform(narrow, wide, count)
        widths *= ROW_M / widths.sum()
        begins = np.concatenate([[0.0], np.cumsum(widths)[:-1]])
        gardens = random.random(count) < _GARDENS
        gardens[[0, -1]] = False  # at a crossing stands a house
        return tuple(
            House(begin, width, architecture, f"{name} {number}", garden,
                  _setback_m(begin, width, random))
            for number, (begin, width, garden) in enumerate(
                zip(begins.tolist(), widths.tolist(), gardens.tolist(), strict=True)
            )
        )  # fmt: skip

    def _pooled(
        self, random: np.random.Generator, architecture: Architecture, pool: str
    ) -> tuple[House, ...]:
        """Houses of a pool one beside another, and a garden where none of them fits."""
        houses: list[House] = []
        left_m, narrow = ROW_M, architecture.lot_m[0]
        for number in random.permutation(_POOL):
            name = f"{pool} {number}"
            width = float(generator(self.seed, "width", name).uniform(*architecture.lot_m))
            if width > left_m:
                continue
            begin = ROW_M - left_m
            setback_m = _setback_m(begin, width, random)
            houses.append(House(begin, width, architecture, name, False, setback_m))
            left_m -= width
            if left_m < narrow:
                break
        if left_m > 0:  # before the last house, which stands at a crossing
            last = houses.pop()
            garden = House(last.along_m, left_m, architecture, f"{last.name} garden", True)
            houses += [garden, replace(last, along_m=last.along_m + left_m, setback_m=0.0)]
        return tuple(houses)


_SIDES = ("left", "right")


def _setback_m(begin_m: float, width_m: float, random: np.random.Generator) -> float:
    """None near a crossing: there it would stand behind the side of a house around the corner."""
    free = begin_m > DEPTH_M and begin_m + width_m < ROW_M - DEPTH_M
    setback_m = float(random.uniform(0, _SETBACKS_M))
    return setback_m if free and random.random() < 0.6 else 0.0


def walk(way: str) -> tuple[Node, ...]:
    """The crossings of a way: F goes on to the next crossing, L and R turn."""
    node, ahead = (0, 0), (1, 0)
    nodes = [node]
    for step in way:
        if step == "F":
            node = (node[0] + ahead[0], node[1] + ahead[1])
            nodes.append(node)
        else:
            ahead = _TURN[step](ahead)
    return tuple(nodes)
