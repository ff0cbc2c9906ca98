"""Replay a bag to the node: `ros2 bag play`, and RViz and an evaluation of the bag if asked for.

ros2 launch vlm_vpr_ros replay.launch.py region:=my_region bag:=my_drive image:=/camera/compressed

The bag begins to play when the node is active, and the launch ends with it (with RViz: when RViz is
closed), or with the node. The node takes its time from the bag.
"""

import json
import posixpath
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from ament_index_python.packages import (
    PackageNotFoundError,
    get_package_prefix,
    get_package_share_directory,
)
from launch.actions import (
    DeclareLaunchArgument,
    EmitEvent,
    ExecuteProcess,
    IncludeLaunchDescription,
    OpaqueFunction,
    RegisterEventHandler,
)
from launch.event_handlers import OnProcessExit
from launch.events import Shutdown
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import LifecycleNode, Node
from launch_ros.event_handlers import OnStateTransition
from launch_ros.events.lifecycle import ChangeState, StateTransition
from launch_ros.substitutions import ExecutableInPackage
from lifecycle_msgs.msg import Transition

from launch import Action, Event, LaunchContext, LaunchDescription, LaunchDescriptionEntity

ARGUMENTS = {
    "bag": (None, "Folder of the rosbag2, or its .mcap or .db3 file."),
    "region": (None, "Folder of the region index (made by `vlm_vpr build`)."),
    "play_rate": ("1.0", "Speed of the replay."),
    "rviz": ("false", "true: show fixes, hypotheses and matches in RViz."),
    "evaluate": (
        "",
        "Path without suffix, such as /tmp/drive: after the replay every image of the bag is "
        "localized and compared with its NavSatFix; /tmp/drive.json and /tmp/drive.html tell. "
        "Empty: not done.",
    ),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and what they lead to."""
    relocalization = _share() / "launch" / "relocalization.launch.py"
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in ARGUMENTS.items()
            ),
            DeclareLaunchArgument("continuous", default_value="true"),
            # First: an error after the node's start would leave it running without a launch.
            OpaqueFunction(function=_check),
            IncludeLaunchDescription(
                PythonLaunchDescriptionSource(str(relocalization)),
                launch_arguments={"autostart": "false", "use_sim_time": "true"}.items(),
            ),
            OpaqueFunction(function=_play),
        ]
    )


def _check(context: LaunchContext) -> None:
    given = context.launch_configurations
    for name in filter(given.get, ("bag", "evaluate")):
        given[name] = str(Path(given[name]).expanduser())
    if given["rviz"].lower() == "true":
        try:
            get_package_prefix("rviz2")
        except PackageNotFoundError:
            raise RuntimeError(
                "rviz:=true: rviz2 is not installed: sudo apt install ros-$ROS_DISTRO-rviz2"
            ) from None


def _play(context: LaunchContext) -> list[LaunchDescriptionEntity]:
    given = context.launch_configurations
    bag = given["bag"]
    play = ExecuteProcess(
        cmd=["ros2", "bag", "play", bag, "--clock", "--rate", given["play_rate"]], output="screen"
    )
    steps: list[LaunchDescriptionEntity] = [play]
    if given["evaluate"]:
        vlm_vpr = ExecutableInPackage(package="vlm_vpr_ros", executable="vlm_vpr")
        files = ["--json", given["evaluate"] + ".json", "--map", given["evaluate"] + ".html"]
        command = [vlm_vpr, "evaluate", given["region"], bag, *_as_the_node(given), *files]
        steps.append(ExecuteProcess(cmd=command, output="screen"))
    if given["rviz"].lower() == "true":
        rviz = Node(
            package="rviz2",
            executable="rviz2",
            # Without a datum, the markers are in a frame of their own.
            arguments=["-d", str(_share() / "config" / "relocalizer.rviz")]
            + ([] if given["datum"] else ["-f", "enu"]),
            parameters=[{"use_sim_time": True}],
        )
        last = [rviz, _after(rviz, _end("RViz was closed"))]
    else:
        last = [_after(steps[-1], _end("the replay has ended"))]
    refused = _end("the node cannot use the region: its message is above")
    return [
        *last,
        _after(_is_the_node, _end("the node has ended: its message is above")),
        *(_after(first, then) for first, then in pairwise(steps)),
        _on_transition("configuring", "inactive", _change(Transition.TRANSITION_ACTIVATE)),
        _on_transition("configuring", "unconfigured", refused),
        _on_transition("activating", "active", play),
        _change(Transition.TRANSITION_CONFIGURE),
    ]


def _as_the_node(given: dict[str, str]) -> list[str]:
    """What the node was given, for `vlm_vpr evaluate`."""
    options = ["--params", given["params_file"], "--image-topic", _topic(given, "image")]
    for name in ("vlm_model", "vlm_mmproj"):
        if given[name]:
            # Quoted, as the value is YAML: a file named 2024 would be read as a number.
            options += ["--set", f"{name.replace('_', '.')}={json.dumps(given[name])}"]
    if given["odom"] != "odom":  # the node's own name: a bag need not have it
        options += ["--odom-topic", _topic(given, "odom")]
    return options


def _topic(given: dict[str, str], argument: str) -> str:
    """The full name of a topic: as the node resolves it, and as a bag has it."""
    return posixpath.join("/", given["namespace"], given[argument])


def _share() -> Path:
    return Path(get_package_share_directory("vlm_vpr_ros"))


def _change(transition: int) -> EmitEvent:
    """Ask the node to change its state."""
    return EmitEvent(
        event=ChangeState(lifecycle_node_matcher=_is_the_node, transition_id=transition)
    )


def _on_transition(start: str, goal: str, entity: LaunchDescriptionEntity) -> RegisterEventHandler:
    """When the node first makes this transition: later ones are another's wish."""

    def matches(event: Event) -> bool:
        return (
            isinstance(event, StateTransition)
            and _is_the_node(event.action)
            and (event.start_state, event.goal_state) == (start, goal)
        )

    handler = OnStateTransition(matcher=matches, entities=[entity], handle_once=True)
    return RegisterEventHandler(handler)


def _is_the_node(action: Action) -> bool:
    # By its name, as the action is made in the included launch file.
    return (
        isinstance(action, LifecycleNode) and action.node_name.rpartition("/")[2] == "relocalizer"
    )


def _after(
    action: ExecuteProcess | Callable[[Action], bool], entity: LaunchDescriptionEntity
) -> RegisterEventHandler:
    def then(_: Event, context: LaunchContext) -> LaunchDescriptionEntity | None:
        # A launch that is ending already cannot be ended once more: launch_ros raises.
        return None if context.is_shutdown else entity

    return RegisterEventHandler(OnProcessExit(target_action=action, on_exit=then))


def _end(reason: str) -> EmitEvent:
    return EmitEvent(event=Shutdown(reason=reason))
