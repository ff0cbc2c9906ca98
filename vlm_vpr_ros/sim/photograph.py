"""From the drawn image to the camera's: fog, headlights, exposure, lens, noise, dirt."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.camera import CameraPose, Pinhole
from vlm_vpr_ros.sim.conditions import Condition
from vlm_vpr_ros.sim.layout import BLOCK_M, HALF_STREET_M
from vlm_vpr_ros.types import RgbImage

Floats = npt.NDArray[np.float32]

_COLUMNS = 80
_REACH_M = 200.0


@dataclass(frozen=True)
class Exposure:
    """How a camera is set on one drive.

    Attributes:
        gain: brightness of the image, 1 as drawn.
        contrast: exponent of its tone curve; above 1 dark parts get darker.
        red, blue: white balance, relative to green.
    """

    gain: float = 1.0
    contrast: float = 1.0
    red: float = 1.0
    blue: float = 1.0

    @classmethod
    def of_drive(cls, random: np.random.Generator) -> Exposure:
        """Another camera setting on each drive."""
        return cls(
            float(random.uniform(0.85, 1.18)),
            float(random.uniform(0.88, 1.15)),
            float(random.uniform(0.94, 1.06)),
            float(random.uniform(0.94, 1.06)),
        )


class Photographer:
    """Turns drawn images of one drive into the camera's."""

    def __init__(
        self,
        camera: Pinhole,
        condition: Condition,
        exposure: Exposure,
        random: np.random.Generator,
    ) -> None:
        self._camera, self._condition, self._random = camera, condition, random
        levels = np.arange(256, dtype=np.float64) / 255
        curve = 255 * exposure.gain * levels**exposure.contrast
        balanced = [curve * exposure.red, curve, curve * exposure.blue]
        self._curve = np.stack(balanced, axis=-1).clip(0, 255).astype(np.uint8)[None]
        self._rays = _rays(camera)
        self._gain = self._lens_gain()
        shape = (camera.height + 64, camera.width + 64, 3)
        grain = random.normal(0, condition.noise, shape)
        self._grain = grain.astype(np.int16)

    def photograph(self, drawn: RgbImage, pose: CameraPose) -> RgbImage:
        """The camera's image of what was drawn."""
        image = drawn
        if np.isfinite(self._condition.visibility_m):
            image = self._through_fog(image, pose)
        exposed = cv2.LUT(cv2.multiply(image, self._gain, dtype=cv2.CV_8U), self._curve)
        top, left = self._random.integers(0, 64, 2)
        grain = self._grain[top : top + image.shape[0], left : left + image.shape[1]]
        return np.asarray(cv2.add(exposed, grain, dtype=cv2.CV_8U), np.uint8)

    def covered(self, drawn: RgbImage) -> RgbImage:
        """What is left of it under a hand on the lens."""
        glow = cv2.resize(
            cv2.resize(drawn, (4, 3), interpolation=cv2.INTER_AREA), drawn.shape[1::-1]
        )
        skin = np.array([34, 20, 16], np.float32)
        image = np.clip(glow * np.float32(0.06) + skin * 0.35, 0, 255).astype(np.uint8)
        grain = self._grain[: image.shape[0], : image.shape[1]]
        return np.asarray(cv2.add(image, grain // 2, dtype=cv2.CV_8U), np.uint8)

    def _lens_gain(self) -> Floats:
        """Vignetting, and the cone of the headlights when lamps are on."""
        rows, columns = self._camera.height, self._camera.width
        y = np.linspace(-1, 1, rows, dtype=np.float32)[:, None]
        x = np.linspace(-1, 1, columns, dtype=np.float32)[None, :]
        gain = 1 - 0.16 * (x**2 + 0.6 * y**2)
        if self._condition.lamps > 0.3:
            cone = np.exp(-((x / (0.25 + 0.5 * np.clip(y, 0, 1))) ** 2)) * np.clip(y * 3, 0, 1)
            gain = gain + 1.3 * self._condition.lamps * cone
        return np.repeat(gain[..., None], 3, axis=2).astype(np.float32)

    def _through_fog(self, image: RgbImage, pose: CameraPose) -> RgbImage:
        """Mix in the colour of the air, by the distance of the ground and the house fronts."""
        azimuth, ground = self._rays
        walls = _free_sight(pose, azimuth)
        columns = np.linspace(0, image.shape[1] - 1, _COLUMNS)
        walls = np.interp(np.arange(image.shape[1]), columns, walls)[None, :]
        pitch = np.tan(np.radians(pose.pitch_deg))
        distance = np.minimum(pose.up_m / np.maximum(ground - pitch, 1e-3), walls)
        through = np.exp(-distance / self._condition.visibility_m).astype(np.float32)[..., None]
        air = np.array(self._condition.horizon, np.float32)
        return (image * through + air * (1 - through)).astype(np.uint8)  # type: ignore[no-any-return]


def _rays(camera: Pinhole) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Azimuths (rad) of some columns, and by how much each row looks down (tangent; (rows, 1))."""
    columns = np.linspace(0, camera.width - 1, _COLUMNS) - camera.matrix[0, 2]
    rows = np.arange(camera.height) - camera.matrix[1, 2]
    return np.arctan(columns / camera.focal), rows[:, None] / camera.focal


def _free_sight(pose: CameraPose, azimuth: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Distance to the first house front in each direction (m), along the optical axis."""
    angle = np.radians(pose.heading_deg) + azimuth
    reach = np.arange(1.0, _REACH_M, 1.0)[:, None]
    first = pose.first_m + reach * np.cos(angle)
    second = pose.second_m + reach * np.sin(angle)
    inside = np.minimum(np.abs(_from_street(first)), np.abs(_from_street(second))) > HALF_STREET_M
    hit = np.where(inside.any(axis=0), inside.argmax(axis=0) + 1.0, _REACH_M)
    return np.asarray(hit * np.cos(azimuth))


def _from_street(along: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Distance from the nearest street that runs across this axis."""
    return np.asarray((along + BLOCK_M / 2) % BLOCK_M - BLOCK_M / 2)
