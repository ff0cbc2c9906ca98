import importlib.util
from pathlib import Path

import pytest

pytest.importorskip("launch_ros", reason="ROS 2's launch is not installed")
packages = pytest.importorskip("ament_index_python.packages")

FILE = Path(__file__).parents[2] / "launch" / "relocalization.launch.py"


@pytest.mark.parametrize("autostart", ["", "false"])
def test_the_launch_file_starts_one_node(autostart):
    try:
        packages.get_package_share_directory("vlm_vpr_ros")
    except LookupError as error:
        pytest.skip(f"the package is not installed in a ROS 2 workspace: {error}")
    from launch_ros.actions import Node  # noqa: PLC0415

    from launch import LaunchContext  # noqa: PLC0415

    spec = importlib.util.spec_from_file_location("relocalization_launch", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    context = LaunchContext()
    context.launch_configurations["region"] = "2024"
    context.launch_configurations["autostart"] = autostart
    pending = list(module.generate_launch_description().entities)
    nodes = []
    while pending:
        entity = pending.pop(0)
        if isinstance(entity, Node):
            nodes.append(entity)
        else:
            pending += entity.visit(context) or []
    assert len(nodes) == 1
