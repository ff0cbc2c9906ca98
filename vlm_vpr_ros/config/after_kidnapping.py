"""Parameters of the ROS 2 node `after_kidnapping`."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import Field

from vlm_vpr_ros.config.section import Section


class AfterKidnappingConfig(Section):
    """When the robot's localization is reset, see `pose_reset`."""

    resets: Literal["ekf", "amcl"] = Field(
        "ekf", description="What is reset: an EKF of robot_localization, or AMCL."
    )
    agreeing_fixes: int = Field(
        5,
        ge=1,
        le=100,
        description="How many fixes in a row must contradict the filter in the same way.",
    )
    within_s: float = Field(
        10.0,
        ge=0.01,
        le=60.0,
        description="Seconds within which two successive ones of them were taken.",
    )
    gate: float = Field(
        4.0,
        ge=1.0,
        le=100.0,
        description="Mahalanobis distance up to which two positions agree.",
    )
    yaw_sigma_rad: float = Field(
        0.2,
        ge=0.0,
        le=math.pi,
        description="Standard deviation of the EKF's yaw after the robot was carried, in radians.",
    )
