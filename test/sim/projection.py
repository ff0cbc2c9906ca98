"""Where a point of the plan is in the picture: what the renderer must agree with."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.sim.camera import CameraPose, Pinhole

Floats = npt.NDArray[np.float64]


def project(camera: Pinhole, pose: CameraPose, points: Floats) -> Floats:
    """Pixels of points of the plan.

    Args:
        camera: the camera.
        pose: where it is.
        points: (n, 3) metres: first axis, second axis, up.

    Returns:
        (n, 2) column and row; NaN for points behind the camera.
    """
    heading, pitch = np.radians([pose.heading_deg, pose.pitch_deg])
    ahead = np.array(
        [np.cos(heading) * np.cos(pitch), np.sin(heading) * np.cos(pitch), np.sin(pitch)]
    )
    right = np.array([-np.sin(heading), np.cos(heading), 0.0])
    down = np.cross(right, ahead)  # first, second, up is a left-handed frame
    offset = points - np.array([pose.first_m, pose.second_m, pose.up_m])
    in_camera = offset @ np.stack([right, down, ahead]).T
    pixels = in_camera @ camera.matrix.T
    depth = np.where(pixels[:, 2:] > 0, pixels[:, 2:], np.nan)
    return np.asarray(pixels[:, :2] / depth)
