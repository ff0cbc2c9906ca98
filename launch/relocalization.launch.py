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

# Arguments that set a parameter: argument -> (parameter, description). One that is not given leaves
# the parameter file its say.
PARAMETERS = {
    "region": ("region", "Folder of the region index (made by `vlm_vpr build`)."),
    "vlm_model": ("vlm.model", "Vision-language model (.gguf), if there is one."),
    "vlm_mmproj": ("vlm.mmproj", "Its vision tower (mmproj .gguf)."),
    "datum": ("map.datum", "`latitude, longitude` of the origin of the map frame of ~/pose."),
    "image_transport": ("image_transport", "Type of the image topic: `compressed` or `raw`."),
    "continuous": (
        "continuous",
        "true: fixes at `rate`; false: on ~/relocalize only.",
    ),
    "autostart": ("autostart", "Configure and activate; false leaves it to a lifecycle manager."),
    "use_sim_time": ("use_sim_time", "Take the time from /clock."),
}
SWITCHES = ("continuous", "autostart", "use_sim_time")
PATHS = ("params_file", "region", "vlm_model", "vlm_mmproj")

# Topics that the node reads: argument -> (the node's own name of it, default, description).
TOPICS = {
    "image": ("image", "camera/image_raw/compressed", "Topic of the camera."),
    "odom": ("odom", "odom", "Topic of the odometry (nav_msgs/Odometry), if there is one."),
    "prior_fix": ("~/prior_fix", "~/prior_fix", "Topic of a coarse NavSatFix, if there is one."),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and the node."""
    defaults = Path(get_package_share_directory("vlm_vpr_ros")) / "config" / "relocalizer.yaml"
    arguments = {
        "params_file": (str(defaults), "Parameter file; the arguments below go before it."),
        **{name: ("", description) for name, (_, description) in PARAMETERS.items()},
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
    configured = context.launch_configurations
    for name in filter(configured.get, PATHS):
        # Set anew, as a launch file that includes this one hands the same path to other processes.
        configured[name] = str(Path(configured[name]).expanduser())
    if not Path(configured["params_file"]).is_file():
        raise FileNotFoundError(f"params_file:={configured['params_file']}: there is no such file")
    given = {
        # Typed here: a region named 2024 would be read as a number.
        parameter: ParameterValue(
            LaunchConfiguration(name), value_type=bool if name in SWITCHES else str
        )
        for name, (parameter, _) in PARAMETERS.items()
        if configured[name]
    }
    node = LifecycleNode(
        package="vlm_vpr_ros",
        executable="relocalizer",
        name="relocalizer",
        namespace=LaunchConfiguration("namespace"),
        parameters=[configured["params_file"], given],
        remappings=[(own, LaunchConfiguration(name)) for name, (own, *_) in TOPICS.items()],
        arguments=["--ros-args", "--log-level", LaunchConfiguration("log_level")],
        output="screen",
    )
    return [node]
