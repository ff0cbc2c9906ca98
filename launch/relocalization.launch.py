"""Start the node `relocalizer`.

ros2 launch vlm_vpr_ros relocalization.launch.py region:=my_region image:=/camera/compressed
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription

# An argument that is not given leaves the parameter file its say.
_PARAMETERS = {
    "region": (str, "Folder of the region index."),
    "image_transport": (str, "Type of the image topic: `compressed` or `raw`."),
    "autostart": (bool, "Configure and activate at start; false leaves it to a manager."),
    "use_sim_time": (bool, "Take the time from /clock."),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and the node."""
    defaults = Path(get_package_share_directory("vlm_vpr_ros")) / "config" / "relocalizer.yaml"
    return LaunchDescription(
        [
            DeclareLaunchArgument(
                "params_file",
                default_value=str(defaults),
                description="Parameter file; the arguments below go before it.",
            ),
            *(
                DeclareLaunchArgument(name, default_value="", description=description)
                for name, (_, description) in _PARAMETERS.items()
            ),
            DeclareLaunchArgument(
                "image",
                default_value="/camera/image_raw/compressed",
                description="Topic of the camera.",
            ),
            DeclareLaunchArgument("namespace", default_value="", description="Of the node."),
            DeclareLaunchArgument(
                "log_level", default_value="info", description="Least severe message shown."
            ),
            OpaqueFunction(function=_node),
        ]
    )


def _node(context: LaunchContext) -> list[Node]:
    given = {
        # Typed here: a region named 2024 would be read as a number.
        name: ParameterValue(LaunchConfiguration(name), value_type=kind)
        for name, (kind, _) in _PARAMETERS.items()
        if LaunchConfiguration(name).perform(context)
    }
    node = Node(
        package="vlm_vpr_ros",
        executable="relocalizer",
        name="relocalizer",
        namespace=LaunchConfiguration("namespace"),
        parameters=[LaunchConfiguration("params_file"), given],
        remappings=[("image", LaunchConfiguration("image"))],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
    )
    return [node]
