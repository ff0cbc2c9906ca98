"""Start the node `relocalizer`.

ros2 launch vlm_vpr_ros relocalization.launch.py region:=my_region image:=/camera/compressed
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue

from launch import LaunchContext, LaunchDescription

# Parameters of the node; one that is not given leaves the parameter file its say.
PARAMETERS = {
    "region": "Folder of the region index (made by `vlm_vpr build`).",
    "image_transport": "Type of the image topic: `compressed` or `raw`.",
    "continuous": "true: publish fixes at `rate` from the start; else on ~/relocalize only.",
    "autostart": "Configure and activate at start; false leaves it to a lifecycle manager.",
    "use_sim_time": "Take the time from /clock.",
}
SWITCHES = ("continuous", "autostart", "use_sim_time")

# Topics that the node reads: argument -> (the node's own name of it, default, description).
TOPICS = {
    "image": ("image", "/camera/image_raw/compressed", "Topic of the camera."),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and the node."""
    defaults = Path(get_package_share_directory("vlm_vpr_ros")) / "config" / "relocalizer.yaml"
    arguments = {
        "params_file": (str(defaults), "Parameter file; the arguments below go before it."),
        **{name: ("", description) for name, description in PARAMETERS.items()},
        **{name: (default, description) for name, (_, default, description) in TOPICS.items()},
        "namespace": ("", "Of the node."),
        "log_level": ("info", "Least severe message shown: debug, info, warn or error."),
    }
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in arguments.items()
            ),
            OpaqueFunction(function=_node),
        ]
    )


def _node(context: LaunchContext) -> list[LifecycleNode]:
    params_file = Path(LaunchConfiguration("params_file").perform(context)).expanduser()
    if not params_file.is_file():
        raise FileNotFoundError(f"params_file:={params_file}: there is no such file")
    given = {
        # Typed here: a region named 2024 would be read as a number.
        name: ParameterValue(
            LaunchConfiguration(name), value_type=bool if name in SWITCHES else str
        )
        for name in PARAMETERS
        if LaunchConfiguration(name).perform(context)
    }
    node = LifecycleNode(
        package="vlm_vpr_ros",
        executable="relocalizer",
        name="relocalizer",
        namespace=LaunchConfiguration("namespace"),
        parameters=[str(params_file), given],
        remappings=[(own, LaunchConfiguration(name)) for name, (own, *_) in TOPICS.items()],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
    )
    return [node]
