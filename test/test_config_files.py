"""The files of config/ fit the node: its parameters, and the topics it really has."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from vlm_vpr_ros.config import NodeConfig, leaves, node_config, read_parameters

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "config"


def _own_topics() -> set[str]:
    """Every private name that the node's sources mention."""
    sources = (
        path.read_text(encoding="utf-8") for path in (ROOT / "vlm_vpr_ros/node").glob("*.py")
    )
    return {name for source in sources for name in re.findall(r'"~/(\w+)"', source)}


def _ours(text: str) -> set[str]:
    return set(re.findall(r"/relocalizer/(\w+)", text))


def _leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
    else:
        yield from _leaves(tree["first"])
        yield from _leaves(tree["second"])


def test_the_foxglove_layout_is_whole() -> None:
    text = (CONFIG / "foxglove.json").read_text(encoding="utf-8")
    layout = json.loads(text)
    shown = list(_leaves(layout["layout"]))
    assert sorted(shown) == sorted(layout["configById"]), "every panel is shown once"
    assert _ours(text) <= _own_topics()


def test_rviz_shows_topics_of_the_node() -> None:
    text = (CONFIG / "relocalizer.rviz").read_text(encoding="utf-8")
    displays = yaml.safe_load(text)["Visualization Manager"]["Displays"]
    assert all(display["Class"].startswith("rviz_default_plugins/") for display in displays)
    assert _ours(text) == {"markers", "pose", "debug_image"} <= _own_topics()


def test_the_example_with_robot_localization() -> None:
    path = CONFIG / "robot_localization.yaml"
    config = node_config(read_parameters(path))
    assert config.fix.altitude_mode == "fixed", "navsat_transform_node drops a NaN"
    blocks = {k.rpartition("/")[2]: v for k, v in yaml.safe_load(path.read_text()).items()}
    ekf = blocks["ekf_map"]["ros__parameters"]
    assert ekf["smooth_lagged_data"]
    assert ekf["history_length"] > config.prior.wait_s
    assert ekf["map_frame"] == ekf["world_frame"] == config.map.frame
    gate = blocks["after_kidnapping"]["ros__parameters"]["gate"]
    assert gate == ekf["odom1_pose_rejection_threshold"]
    for name in ("ekf_odom", "ekf_map"):
        used = {k: v for k, v in blocks[name]["ros__parameters"].items() if k.endswith("_config")}
        assert all(len(v) == 15 for v in used.values()), used


def test_launch_arguments_are_parameters_of_the_node() -> None:
    tree = ast.parse((ROOT / "launch" / "relocalization.launch.py").read_text(encoding="utf-8"))
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    fields = dict(leaves(NodeConfig))
    for name, (parameter, _) in values["PARAMETERS"].items():
        if parameter != "use_sim_time":  # rclpy's own
            assert (fields[parameter].annotation is bool) == (name in values["SWITCHES"])
