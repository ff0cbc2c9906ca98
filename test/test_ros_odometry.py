from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.errors import MessageError
from vlm_vpr_ros.ros_odometry import planar_pose


def message(x: float = 1.0, y: float = 2.0, **turn: float) -> Any:
    """As much of a nav_msgs/Odometry as is read; not turned unless told."""
    position = SimpleNamespace(x=x, y=y)
    orientation = SimpleNamespace(**{"x": 0.0, "y": 0.0, "z": 0.0, "w": 1.0, **turn})
    pose = SimpleNamespace(position=position, orientation=orientation)
    return SimpleNamespace(pose=SimpleNamespace(pose=pose))


@given(st.floats(-3.1, 3.1), st.floats(0.91, 1.09))
def test_the_yaw_does_not_depend_on_the_length_of_the_quaternion(
    yaw_rad: float, length: float
) -> None:
    pose = planar_pose(message(z=length * math.sin(yaw_rad / 2), w=length * math.cos(yaw_rad / 2)))
    assert (pose.x_m, pose.y_m) == (1.0, 2.0)
    assert pose.yaw_rad == pytest.approx(yaw_rad)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"x": math.nan}, "not finite"),
        ({"y": math.inf}, "not finite"),
        ({"w": 0.0}, "no unit quaternion"),
        ({"z": math.nan}, "no unit quaternion"),
    ],
)
def test_a_message_without_a_pose(wrong: dict[str, float], said: str) -> None:
    with pytest.raises(MessageError, match=said):
        planar_pose(message(**wrong))


@given(st.floats(), st.floats(), st.floats(), st.floats())
def test_whatever_the_numbers_a_pose_is_finite(x: float, y: float, z: float, w: float) -> None:
    try:
        pose = planar_pose(message(x, y, z=z, w=w))
    except MessageError:
        return
    assert all(map(math.isfinite, (pose.x_m, pose.y_m, pose.yaw_rad)))
