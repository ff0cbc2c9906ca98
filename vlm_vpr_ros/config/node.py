"""Parameters of the ROS 2 node."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from vlm_vpr_ros.config.localizer import LocalizerConfig
from vlm_vpr_ros.config.positions import datum_of
from vlm_vpr_ros.config.section import Section


class MapConfig(Section):
    """The local frame of ~/pose and ~/markers."""

    frame: str = Field("map", min_length=1, description="Name of the frame.")
    datum: str = Field(
        "",
        description="Where the frame's origin is: `latitude, longitude`, or `latitude, longitude, "
        "height, yaw`, in degrees, metres above the ellipsoid, and degrees from east "
        "counter-clockwise to the x axis (default 0). Empty: there is no ~/pose, and ~/markers are "
        "in the frame `enu` around the first place found.",
    )

    @field_validator("datum")
    @classmethod
    def _is_a_datum(cls, text: str) -> str:
        if text:
            datum_of(text)
        return text


class NodeConfig(LocalizerConfig):
    """The parameters of the ROS 2 node `relocalizer`."""

    map: MapConfig = Field(default_factory=MapConfig)
    region: str = Field("", description="Folder of the region index (made by `vlm_vpr build`).")
    autostart: bool = Field(
        True, description="Configure and activate at start, without a lifecycle manager."
    )
    image_transport: Literal["compressed", "raw"] = Field(
        "compressed",
        description="Type of the topic `image`: `compressed` (sensor_msgs/CompressedImage) or "
        "`raw` (sensor_msgs/Image).",
    )
    continuous: bool = Field(
        False, description="Publish fixes at `rate` from the start (see ~/set_continuous)."
    )
    rate: float = Field(
        1.0, gt=0.0, le=100.0, description="Frames per second localized in continuous mode."
    )
    max_image_age_s: float = Field(
        2.0,
        gt=0.0,
        le=3600.0,
        description="~/relocalize refuses an image that arrived longer ago than this, in seconds "
        "(steady clock: a bag's old stamps do not matter).",
    )
    relocalize_timeout_s: float = Field(
        10.0,
        gt=0.0,
        le=3600.0,
        description="How long ~/relocalize waits for its first image, in seconds.",
    )
    frame_id: str = Field(
        "base_link",
        min_length=1,
        description="frame_id of the fix: the frame on the robot whose position it is.",
    )
    publish_refused: bool = Field(
        False,
        description="Also publish refused frames on ~/fix, as STATUS_NO_FIX with NaN position.",
    )
