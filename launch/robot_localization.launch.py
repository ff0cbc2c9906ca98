"""The relocalizer with robot_localization: fixes are fused, and reset it after a kidnapping.

ros2 launch vlm_vpr_ros robot_localization.launch.py region:=my_region datum:="48.137, 11.575"

Two EKFs (odom -> base_link from wheels and IMU; map -> odom with the fixes, too), a
navsat_transform_node with a fixed datum, and `after_kidnapping`; see docs/robot_localization.md.
"""

from pathlib import Path

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchContext, LaunchDescription, LaunchDescriptionEntity

ARGUMENTS = {
    "region": (None, "Folder of the region index (made by `vlm_vpr build`)."),
    "datum": (None, "`latitude, longitude` of the origin of the map frame."),
    "odom": ("odom", "Topic of the wheels' odometry (nav_msgs/Odometry)."),
    "imu": ("imu/data", "Topic of the IMU, whose yaw is 0 towards east (sensor_msgs/Imu)."),
    "namespace": ("", "Of all nodes, and of /tf and /tf_static."),
    "use_sim_time": ("false", "Take the time from /clock."),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and what they lead to."""
    share = Path(get_package_share_directory("vlm_vpr_ros"))
    relocalization = share / "launch" / "relocalization.launch.py"
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in ARGUMENTS.items()
            ),
            DeclareLaunchArgument(
                "params_file",
                default_value=str(share / "config" / "robot_localization.yaml"),
                description="Parameters of all nodes.",
            ),
            # First: an error after a node's start would leave it running without a launch.
            OpaqueFunction(function=_check),
            IncludeLaunchDescription(PythonLaunchDescriptionSource(str(relocalization))),
            OpaqueFunction(function=_nodes),
        ]
    )


def _check(context: LaunchContext) -> None:
    _lat_lon_deg(context.launch_configurations["datum"])
    try:
        get_package_prefix("robot_localization")
    except PackageNotFoundError:
        raise RuntimeError(
            "robot_localization is not installed: "
            "sudo apt install ros-$ROS_DISTRO-robot-localization"
        ) from None


def _lat_lon_deg(datum: str) -> list[float]:
    try:
        lat_deg, lon_deg = (float(number) for number in datum.split(","))
        if abs(lat_deg) <= 90 and abs(lon_deg) <= 180:
            return [lat_deg, lon_deg]
    except ValueError:
        pass
    raise ValueError(
        f"datum:={datum}: must be `latitude, longitude` in degrees. Height and yaw, which "
        "`map.datum` can have, are 0 here: the filters are two-dimensional, with x east."
    )


def _nodes(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    given = context.launch_configurations
    sensors = [("odom", given["odom"]), ("imu/data", given["imu"])]
    return [
        _node("robot_localization", "ekf_node", "ekf_odom", [*sensors, _of_its_own("ekf_odom")]),
        _node(
            "robot_localization",
            "ekf_node",
            "ekf_map",
            [*sensors, _of_its_own("ekf_map"), ("odometry/filtered", "odometry/global")],
        ),
        _node(
            "robot_localization",
            "navsat_transform_node",
            "navsat_transform",
            [("gps/fix", "relocalizer/fix"), ("odometry/filtered", "odometry/global")],
            # Yaw 0: x points east, as in the relocalizer's map frame.
            {"wait_for_datum": True, "datum": [*_lat_lon_deg(given["datum"]), 0.0]},
        ),
        _node(
            "vlm_vpr_ros",
            "after_kidnapping",
            "after_kidnapping",
            [
                ("pose", "relocalizer/pose"),
                ("odometry/filtered", "odometry/global"),
                ("set_pose", "ekf_map/set_pose"),
            ],
        ),
    ]


def _of_its_own(filter_name: str) -> tuple[str, str]:
    """Both filters listen to `set_pose`; only one of them is to be reset."""
    return "set_pose", f"{filter_name}/set_pose"


def _node(
    package: str,
    executable: str,
    name: str,
    remappings: list[tuple[str, str]],
    parameters: dict[str, object] | None = None,
) -> Node:
    return Node(
        package=package,
        executable=executable,
        name=name,
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            LaunchConfiguration("params_file"),
            {"use_sim_time": LaunchConfiguration("use_sim_time")},
            parameters or {},
        ],
        # Relative, so that every robot's transforms are in its own namespace.
        remappings=[*remappings, ("/tf", "tf"), ("/tf_static", "tf_static")],
        output="screen",
    )
