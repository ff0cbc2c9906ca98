"""The way of a robot through a town: lane, curves, speed, stops."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.layout import BLOCK_M, Node

Floats = npt.NDArray[np.float64]

STEP_M = 0.25
CURVE_RADIUS_M = 6.0
CRUISE_M_S, CURVE_M_S = 6.0, 3.0
ACCELERATION_M_S2 = 1.0
STOP_S = 2.0


@dataclass(frozen=True)
class Trajectory:
    """A drive, sampled at moments: arrays of one length.

    Attributes:
        time_s: since its beginning.
        first_m, second_m: position in the plan.
        heading_deg: clockwise from the plan's first axis, without jumps.
    """

    time_s: Floats
    first_m: Floats
    second_m: Floats
    heading_deg: Floats

    def at(self, time_s: npt.ArrayLike) -> Trajectory:
        """The same drive at other moments, interpolated."""
        moments = np.asarray(time_s, np.float64)
        return Trajectory(
            moments,
            np.interp(moments, self.time_s, self.first_m),
            np.interp(moments, self.time_s, self.second_m),
            np.interp(moments, self.time_s, self.heading_deg),
        )


def drive(
    nodes: Sequence[Node], lane_m: float, random: np.random.Generator, stops: int = 0
) -> Trajectory:
    """Drive along crossings.

    Args:
        nodes: neighbouring crossings; the robot turns where they turn.
        lane_m: how far to the right of the middle of the street.
        random: decides where it stops and how it sways in its lane.
        stops: how often it stands still.
    """
    points, headings = _middle(nodes)
    length = STEP_M * np.arange(len(points))
    sway_m = 0.25 * np.sin(2 * np.pi * length / random.uniform(30, 50) + random.uniform(0, 6.28))
    right = np.stack([-np.sin(headings), np.cos(headings)], axis=1)
    points = points + (lane_m + sway_m)[:, None] * right
    steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
    curving = np.abs(np.gradient(headings, STEP_M)) > 0.02
    speed = np.where(curving, CURVE_M_S, CRUISE_M_S * random.uniform(0.9, 1.1))
    standing = random.integers(len(points) // 8, len(points) - 1, stops)
    speed[standing] = 0.3
    speed = _within_acceleration(speed, steps)
    durations = steps / ((speed[1:] + speed[:-1]) / 2)
    durations[standing] += STOP_S
    tilt = np.gradient(sway_m, STEP_M)
    return Trajectory(
        np.concatenate([[0.0], np.cumsum(durations)]),
        points[:, 0],
        points[:, 1],
        np.degrees(np.unwrap(headings + tilt)),
    )


def _middle(nodes: Sequence[Node]) -> tuple[Floats, Floats]:
    """Points every `STEP_M` along the middle of the streets, with headings (rad)."""
    corners = np.array(nodes, np.float64) * BLOCK_M
    ahead = np.diff(corners, axis=0) / BLOCK_M
    headings = np.arctan2(ahead[:, 1], ahead[:, 0])
    points: list[Floats] = []
    angles: list[Floats] = []
    for street in range(len(ahead)):
        turns_in = street > 0 and not np.allclose(ahead[street], ahead[street - 1])
        turns_out = street + 1 < len(ahead) and not np.allclose(ahead[street], ahead[street + 1])
        begin = CURVE_RADIUS_M if turns_in else 0.0
        end = BLOCK_M - (CURVE_RADIUS_M if turns_out else 0.0)
        along = np.arange(begin, end, STEP_M)
        points.append(corners[street] + along[:, None] * ahead[street])
        angles.append(np.full(len(along), headings[street]))
        if turns_out:
            arc, arc_angles = _curve(corners[street + 1], ahead[street], ahead[street + 1])
            points.append(arc)
            angles.append(arc_angles)
    return np.concatenate(points), np.unwrap(np.concatenate(angles))


def _curve(corner: Floats, before: Floats, after: Floats) -> tuple[Floats, Floats]:
    """A quarter of a circle from one street into the next."""
    steps = int(np.pi / 2 * CURVE_RADIUS_M / STEP_M)
    angle = np.linspace(0, np.pi / 2, steps, endpoint=False)[:, None]
    start = corner - CURVE_RADIUS_M * before
    arc = start + CURVE_RADIUS_M * (np.sin(angle) * before + (1 - np.cos(angle)) * after)
    ahead = np.cos(angle) * before + np.sin(angle) * after
    return arc, np.arctan2(ahead[:, 1], ahead[:, 0])


def _within_acceleration(speed: Floats, steps: Floats) -> Floats:
    """The greatest speeds below the given ones that brakes and engine allow."""
    result = speed.copy()
    gain = 2 * ACCELERATION_M_S2 * steps
    for i in range(1, len(result)):
        result[i] = min(result[i], np.sqrt(result[i - 1] ** 2 + gain[i - 1]))
    for i in range(len(result) - 2, -1, -1):
        result[i] = min(result[i], np.sqrt(result[i + 1] ** 2 + gain[i]))
    return result
