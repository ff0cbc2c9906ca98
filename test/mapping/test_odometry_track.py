from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from bags import T, compressed, header, write_rosbag2

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping.odometry_track import OdometryTrack
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.types import Odometry

START_NS = 1_700_000_000_000_000_000


def message(stamp_ns: int, x: float, y: float, yaw_rad: float) -> Any:
    twist = T["geometry_msgs/msg/Vector3"](x=0.0, y=0.0, z=0.0)
    return T["nav_msgs/msg/Odometry"](
        header=header(stamp_ns),
        child_frame_id="base_link",
        pose=T["geometry_msgs/msg/PoseWithCovariance"](
            pose=T["geometry_msgs/msg/Pose"](
                position=T["geometry_msgs/msg/Point"](x=x, y=y, z=0.0),
                orientation=T["geometry_msgs/msg/Quaternion"](
                    x=0.0, y=0.0, z=math.sin(yaw_rad / 2), w=math.cos(yaw_rad / 2)
                ),
            ),
            covariance=np.zeros(36),
        ),
        twist=T["geometry_msgs/msg/TwistWithCovariance"](
            twist=T["geometry_msgs/msg/Twist"](linear=twist, angular=twist),
            covariance=np.zeros(36),
        ),
    )


def test_poses_are_interpolated_the_short_way_around() -> None:
    poses = [(START_NS + 10**8, Odometry(2.0, 4.0, -3.1)), (START_NS, Odometry(0.0, 0.0, 3.1))]
    pose = OdometryTrack(poses).at(START_NS + 5 * 10**7)
    assert pose is not None
    assert (pose.x_m, pose.y_m) == pytest.approx((1.0, 2.0))
    assert abs(pose.yaw_rad) == pytest.approx(math.pi)


def test_a_moment_without_a_pose_near_it_has_none() -> None:
    track = OdometryTrack([(START_NS, Odometry(1.0, 2.0, 0.0))])
    assert track.at(START_NS + 150_000_000) == Odometry(1.0, 2.0, 0.0)
    assert track.at(START_NS + 201_000_000) is None
    assert OdometryTrack([]).at(START_NS) is None


@pytest.fixture(name="bag")
def _bag(tmp_path: Path) -> Path:
    data = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    records: list[tuple[str, Any, int]] = []
    for i in range(4):
        at_ns = START_NS + i * 10**9
        records.append(("/image", compressed(at_ns, data), at_ns))
        if i < 3:
            records.append(("/odom", message(at_ns, float(i), 0.0, 0.5), at_ns))
    return write_rosbag2(tmp_path / "bag", records)


def test_images_of_a_bag_carry_the_odometry_asked_for(bag: Path) -> None:
    read = [o.odometry for o in open_source(bag, odom_topic="/odom").observations()]
    assert [pose and pose.x_m for pose in read] == [0.0, 1.0, 2.0, None]
    assert read[0] is not None and read[0].yaw_rad == pytest.approx(0.5)
    assert all(o.odometry is None for o in open_source(bag).observations())


def test_messages_without_a_pose_are_counted(tmp_path: Path) -> None:
    lost = message(START_NS, math.nan, 0.0, 0.5)
    data = cv2.imencode(".jpg", np.zeros((8, 8, 3), np.uint8))[1].tobytes()
    records = [("/image", compressed(START_NS, data), START_NS), ("/odom", lost, START_NS)]
    source = open_source(write_rosbag2(tmp_path / "bag", records), odom_topic="/odom")
    assert [o.odometry for o in source.observations()] == [None]
    assert source.report.left_out == {"odometry message: the position is not finite": 1}


def test_a_topic_that_is_not_there_is_said(bag: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"no odom topic /wheels; there is /odom"):
        open_source(bag, odom_topic="/wheels")
    (tmp_path / "table.csv").write_text("path,lat,lon\na.jpg,0,0\n", encoding="utf-8")
    with pytest.raises(SourceError, match="is not a bag: leave out --odom-topic"):
        open_source(tmp_path / "table.csv", odom_topic="/odom")
