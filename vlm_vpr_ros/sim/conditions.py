"""Light and weather: what falls on the walls, what the sky looks like, how far one sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.looks import Colour

Light = tuple[float, float, float]
"""Factors on red, green and blue of a surface."""


@dataclass(frozen=True)
class Condition:
    """A time of day and its weather.

    Attributes:
        ambient: light from the sky.
        sun: light of the sun on a surface that faces it.
        zenith, horizon: colours of the sky.
        clouds: share of the sky they cover.
        cloud: their colour.
        windows: how brightly lit rooms shine, 0 to 1.
        lamps: how brightly street lamps shine, 0 to 1.
        visibility_m: distance over which contrast falls to 1/e; infinite in clear air.
        noise: standard deviation of the sensor's noise, of 255.
    """

    name: str
    ambient: Light
    sun: Light
    zenith: Colour
    horizon: Colour
    clouds: float
    cloud: Colour
    windows: float
    lamps: float
    visibility_m: float
    noise: float

    def on(self, normal: npt.ArrayLike) -> npt.NDArray[np.float32]:
        """Light on a surface with that unit normal (right, ahead, up in plan coordinates)."""
        facing = max(0.0, float(np.dot(np.asarray(normal, float), SUN)))
        return np.array(self.ambient, np.float32) + facing * np.array(self.sun, np.float32)


SUN = np.array([-0.56, 0.45, 0.70])
"""Towards the sun, unit length; the same in every plan, so that it gives no town away."""

CONDITIONS: dict[str, Condition] = {
    condition.name: condition
    for condition in (
        Condition(
            "day", (0.68, 0.72, 0.78), (0.42, 0.38, 0.30), (72, 128, 206), (190, 214, 238), 0.35,
            (250, 250, 250), 0.0, 0.0, np.inf, 1.5,
        ),
        Condition(
            "overcast", (0.76, 0.78, 0.81), (0.03, 0.03, 0.03), (172, 178, 186), (208, 210, 212),
            0.9, (196, 200, 204), 0.12, 0.0, np.inf, 2.0,
        ),
        Condition(
            "fog", (0.76, 0.78, 0.80), (0.0, 0.0, 0.0), (206, 208, 210), (206, 208, 210), 0.0,
            (206, 208, 210), 0.3, 0.25, 38.0, 2.5,
        ),
        Condition(
            "dusk", (0.50, 0.44, 0.50), (0.16, 0.07, 0.02), (58, 62, 112), (242, 150, 88), 0.5,
            (214, 120, 104), 0.75, 0.45, np.inf, 4.0,
        ),
        Condition(
            "night", (0.15, 0.17, 0.24), (0.0, 0.0, 0.0), (8, 11, 24), (34, 34, 50), 0.3,
            (24, 26, 38), 1.0, 0.8, np.inf, 7.0,
        ),
    )
}  # fmt: skip
