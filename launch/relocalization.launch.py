"""Start the node `relocalizer`.

ros2 launch vlm_vpr_ros relocalization.launch.py region:=my_region image:=/camera/compressed
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchDescription

_DEFAULTS = Path(get_package_share_directory("vlm_vpr_ros")) / "config" / "relocalizer.yaml"


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and the node."""
    arguments = [
        DeclareLaunchArgument("region", description="Folder of the region index."),
        DeclareLaunchArgument(
            "image",
            default_value="/camera/image_raw/compressed",
            description="Topic of the camera; see image_transport.",
        ),
        DeclareLaunchArgument(
            "image_transport",
            default_value="compressed",
            choices=["compressed", "raw"],
            description="Type of that topic: sensor_msgs/CompressedImage or sensor_msgs/Image.",
        ),
        DeclareLaunchArgument(
            "params_file",
            default_value=str(_DEFAULTS),
            description="Parameter file; the arguments here go before it.",
        ),
        DeclareLaunchArgument("namespace", default_value="", description="Namespace of the node."),
        DeclareLaunchArgument(
            "use_sim_time", default_value="false", description="Take the time from /clock."
        ),
        DeclareLaunchArgument(
            "autostart",
            default_value="true",
            description="Configure and activate at start; false leaves it to a lifecycle manager.",
        ),
        DeclareLaunchArgument("log_level", default_value="info", description="Least severe shown."),
    ]
    node = Node(
        package="vlm_vpr_ros",
        executable="relocalizer",
        name="relocalizer",
        namespace=LaunchConfiguration("namespace"),
        parameters=[
            LaunchConfiguration("params_file"),
            {
                # A text even where it looks like a number.
                "region": ParameterValue(LaunchConfiguration("region"), value_type=str),
                "image_transport": LaunchConfiguration("image_transport"),
                "use_sim_time": ParameterValue(
                    LaunchConfiguration("use_sim_time"), value_type=bool
                ),
                "autostart": ParameterValue(LaunchConfiguration("autostart"), value_type=bool),
            },
        ],
        remappings=[("image", LaunchConfiguration("image"))],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
    )
    return LaunchDescription([*arguments, node])
