"""Renders drives and records them: bags, and a description of what is true about them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.files import write_atomic
from vlm_vpr_ros.sim import recording
from vlm_vpr_ros.sim.camera import CameraPose, Pinhole
from vlm_vpr_ros.sim.conditions import CONDITIONS
from vlm_vpr_ros.sim.day import day
from vlm_vpr_ros.sim.drives import FRAME_RATE_HZ, KIDNAPPED_S, Drive, Leg
from vlm_vpr_ros.sim.layout import BLOCK_M, Plan
from vlm_vpr_ros.sim.path import Trajectory, drive
from vlm_vpr_ros.sim.photograph import Exposure, Photographer
from vlm_vpr_ros.sim.renderer import Renderer
from vlm_vpr_ros.sim.scene import town_model
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.sensors import Odometry, odometry, satellite_errors
from vlm_vpr_ros.sim.towns import TOWNS, town_of
from vlm_vpr_ros.types import GeoPoint, RgbImage

CAMERA = Pinhole()
CAMERA_HEIGHT_M = 1.6
PITCH_DEG = 4.0
UNMAPPED_M = 50.0
"""Farther than this from every mapped street, nothing can be recognised."""
_ODOMETRY_RATE_HZ = 10.0
_SATELLITE_RATE_HZ = 2.0
_FIRST_STAMP_NS = 1_700_000_000 * 10**9
WORLD_FILE = "world.json"


@dataclass(frozen=True)
class PlannedView:
    """An image of a leg, not yet drawn.

    Attributes:
        time_s: since the beginning of the leg.
        pose: of the camera.
        kind: "unique" or "copied" (on a mapped street that stands once, or in every town), "edge"
            (near the map), "unmapped", "covered".
        copy: name of the copied street.
    """

    time_s: float
    pose: CameraPose
    kind: str
    copy: str


class World:
    """Draws views; what was built for the last town and light is kept for the next drive."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._renderer = Renderer(CAMERA)
        self._shown: tuple[str, str] | None = None

    def plan(self, town: str) -> Plan:
        """The streets of a town."""
        return Plan(town_of(town), self._seed)

    def enter(self, leg: Leg, traffic: int) -> None:
        """Build the town of a leg under its light, with the cars of that drive."""
        plan, condition = self.plan(leg.town), CONDITIONS[leg.condition]
        if self._shown != (leg.town, leg.condition):
            self._renderer.show(town_model(plan, condition))
            self._shown = leg.town, leg.condition
        self._renderer.show_day(day(plan, condition, traffic))

    def images(self, leg: Leg, views: Sequence[PlannedView], traffic: int) -> Iterator[RgbImage]:
        """Draw and photograph the views of a leg."""
        self.enter(leg, traffic)
        random = generator(self._seed, "camera", traffic, leg.town)
        condition, exposure = CONDITIONS[leg.condition], Exposure.of_drive(random)
        photographer = Photographer(CAMERA, condition, exposure, random)
        for view in views:
            drawn = self._renderer.draw(view.pose)
            if view.kind == "covered":
                yield photographer.covered(drawn)
            else:
                yield photographer.photograph(drawn, view.pose)


def way_of(leg: Leg, traffic: int, seed: int) -> Trajectory:
    """How a leg is driven, from its first image to its last."""
    random = generator(seed, "way", traffic, leg.town)
    whole = drive(leg.nodes, leg.lane_m, random, leg.stops)
    last_s = float(whole.time_s[-1])
    begin_s = min(leg.first_frame / FRAME_RATE_HZ, last_s)
    end_s = last_s if leg.frames is None else begin_s + (leg.frames - 1) / FRAME_RATE_HZ
    moments = np.arange(0.0, min(end_s, last_s) - begin_s + 1e-9, 1 / _ODOMETRY_RATE_HZ)
    part = whole.at(begin_s + moments)
    return Trajectory(moments, part.first_m, part.second_m, part.heading_deg)


def views_of(
    leg: Leg, way: Trajectory, plan: Plan, random: np.random.Generator
) -> list[PlannedView]:
    """The images of a leg, with what is true about them."""
    every = round(_ODOMETRY_RATE_HZ / FRAME_RATE_HZ)
    views = []
    for number, moment in enumerate(range(0, len(way.time_s), every)):
        first, second = float(way.first_m[moment]), float(way.second_m[moment])
        street = plan.street_at(first, second)
        kind, copy = "unmapped", ""
        if street is not None:
            kind, copy = ("copied" if street.copy else "unique"), street.copy
        elif _from_loop_m(plan, first, second) < UNMAPPED_M:
            kind = "edge"
        if number in leg.covered:
            kind = "covered"
        pose = CameraPose(
            first,
            second,
            CAMERA_HEIGHT_M + 0.02 * random.standard_normal(),
            float(way.heading_deg[moment]),
            PITCH_DEG + 0.3 * random.standard_normal(),
        )
        views.append(PlannedView(float(way.time_s[moment]), pose, kind, copy))
    return views


def simulate(
    drives: Sequence[Drive], out: Path, seed: int, progress: Callable[[int], None]
) -> Path:
    """Record drives below `out`, one bag each, and describe them in `world.json`.

    Args:
        drives: the drives.
        out: a new or empty folder.
        seed: of the world.
        progress: called with the number of images made since its last call.

    Returns:
        The path of `world.json`.

    Raises:
        ConfigError: the folder is not empty, or Panda3D is missing.
    """
    if out.exists() and any(out.iterdir()):
        raise ConfigError(f"{out}: is not empty; name a new folder")
    world = World(seed)
    out.mkdir(parents=True, exist_ok=True)
    described = [_record(world, one, out / one.name, seed, progress) for one in drives]
    path = out / WORLD_FILE
    content = {"seed": seed, "towns": [_town(Plan(t, seed)) for t in TOWNS], "drives": described}
    write_atomic(path, (json.dumps(content, ensure_ascii=False) + "\n").encode())
    return path


def _record(
    world: World, one: Drive, bag: Path, seed: int, progress: Callable[[int], None]
) -> dict[str, Any]:
    random = generator(seed, "sensors", one.traffic)
    frames: list[dict[str, Any]] = []
    kidnappings: list[int] = []
    begin_ns = _FIRST_STAMP_NS + one.traffic * 10**13
    reached = Odometry(np.zeros(1), np.zeros(1), np.zeros(1), np.zeros(1))
    with recording.record(bag) as record:
        for number, leg in enumerate(one.legs):
            plan = world.plan(leg.town)
            way = way_of(leg, one.traffic, seed)
            views = views_of(leg, way, plan, random)
            stamps_ns = begin_ns + np.round(np.array([v.time_s for v in views]) * 1e9).astype(int)
            if number:
                kidnappings.append(int(stamps_ns[0]))
            reached = _record_odometry(record, begin_ns, way, reached, random)
            if one.satellites:
                _record_fixes(record, begin_ns, way, plan, random)
            images = world.images(leg, views, one.traffic)
            for stamp_ns, view, image in zip(stamps_ns, views, images, strict=True):
                record.image(int(stamp_ns), image, CAMERA)
                record.truth(int(stamp_ns), _position(plan, view.pose.first_m, view.pose.second_m))
                frames.append({"stamp_ns": int(stamp_ns), "town": leg.town, "kind": view.kind,
                               "copy": view.copy, "condition": leg.condition})  # fmt: skip
                progress(1)
            begin_ns += round((float(way.time_s[-1]) + KIDNAPPED_S) * 1e9)
    return {"bag": bag.name, "role": one.role, "kidnapped_ns": kidnappings, "frames": frames}


def _record_odometry(
    record: recording.Recording, begin_ns: int, way: Trajectory, reached: Odometry,
    random: np.random.Generator,
) -> Odometry:  # fmt: skip
    """Odometry of a leg, going on from where that of the last leg ended."""
    driven = odometry(way, random)
    yaw0 = float(reached.yaw_rad[-1])
    turn = np.array([[np.cos(yaw0), -np.sin(yaw0)], [np.sin(yaw0), np.cos(yaw0)]])
    x, y = turn @ np.stack([driven.x_m, driven.y_m])
    moved = Odometry(driven.time_s, x + reached.x_m[-1], y + reached.y_m[-1], driven.yaw_rad + yaw0)
    for time_s, *pose in zip(moved.time_s, moved.x_m, moved.y_m, moved.yaw_rad, strict=True):
        record.odometry(begin_ns + round(float(time_s) * 1e9), *map(float, pose))
    return moved


def _record_fixes(
    record: recording.Recording, begin_ns: int, way: Trajectory, plan: Plan,
    random: np.random.Generator,
) -> None:  # fmt: skip
    moments = np.arange(0.0, float(way.time_s[-1]), 1 / _SATELLITE_RATE_HZ)
    there, errors = way.at(moments), satellite_errors(moments, random)
    bearing = np.radians(plan.town.bearing_deg)
    for i, time_s in enumerate(moments):
        north, east = errors.north_m[i], errors.east_m[i]
        first = there.first_m[i] + north * np.cos(bearing) + east * np.sin(bearing)
        second = there.second_m[i] - north * np.sin(bearing) + east * np.cos(bearing)
        point = _position(plan, float(first), float(second), float(errors.up_m[i]))
        sigma_m = None if errors.lost[i] else float(errors.sigma_m[i])
        record.fix(begin_ns + round(float(time_s) * 1e9), point, sigma_m)


def _position(plan: Plan, first_m: float, second_m: float, up_m: float = 0.0) -> GeoPoint:
    lat_deg, lon_deg = plan.position(first_m, second_m)
    return GeoPoint(lat_deg, lon_deg, plan.town.alt_m + up_m)


def _from_loop_m(plan: Plan, first_m: float, second_m: float) -> float:
    """Distance from the middle of the mapped streets."""
    point = np.array([first_m, second_m])
    nodes: npt.NDArray[np.float64] = np.array(plan.loop, np.float64) * BLOCK_M
    begin, along = nodes[:-1], np.diff(nodes, axis=0)
    share = np.clip(((point - begin) * along).sum(axis=1) / BLOCK_M**2, 0, 1)
    return float(np.linalg.norm(begin + share[:, None] * along - point, axis=1).min())


def _town(plan: Plan) -> dict[str, Any]:
    town = plan.town
    return {
        "key": town.key,
        "name": town.name,
        "city": town.city,
        "country": town.country,
        "lat_deg": town.lat_deg,
        "lon_deg": town.lon_deg,
        "copied_share": round(plan.copied_share(), 4),
        "loop": [list(_lat_lon(plan, node)) for node in plan.loop],
    }


def _lat_lon(plan: Plan, node: tuple[int, int]) -> tuple[float, float]:
    return plan.position(node[0] * BLOCK_M, node[1] * BLOCK_M)
