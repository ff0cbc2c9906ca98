"""The launch files, run by ROS 2's own launch on the installed package; skipped without them.

Not by launch_pytest: its releases up to Kilted cannot be loaded by pytest 8.4 and later.
"""

from __future__ import annotations

import os
import re
import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bags
import cv2
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")
pytest.importorskip("launch_ros", reason="ROS 2's launch is not installed")

from ament_index_python.packages import get_package_prefix, get_package_share_directory
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch_ros.actions import Node
from lifecycle_msgs.msg import Transition
from node_process import Launch, until
from rcl_interfaces.srv import GetParameters
from robot import Client, Robot
from support.streets import view

from launch import LaunchContext
from vlm_vpr_ros.cli import main as vlm_vpr
from vlm_vpr_ros.cli.arguments import config_of
from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.networks import Networks

try:
    SHARE = Path(get_package_share_directory("vlm_vpr_ros"))
except LookupError as error:
    pytest.skip(f"the package is not in a sourced workspace: {error}", allow_module_level=True)

IMAGES = "/camera/image_raw/compressed"
FIRST_NS = 1_700_000_000 * 10**9
PLAYER = """#!/bin/sh
# ros2 bag play BAG --clock --rate R
exec {vlm_vpr} replay "$3" --clock --rate "$6" --topics {topic} --wait-for-subscribers
"""


@pytest.fixture
def client(domain: int) -> Iterator[Client]:
    assert domain, "the client takes it from the environment"
    made = Client()
    yield made
    made.close()


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bag of 8 places, 20 m and a second apart."""
    records: list[bags.Record] = []
    for place in range(8):
        stamp_ns = FIRST_NS + place * 10**9
        jpeg = cv2.imencode(".jpg", view(place, size=(480, 640))[..., ::-1])[1].tobytes()
        records.append((IMAGES, bags.compressed(stamp_ns, jpeg), stamp_ns))
        records.append(("/fix", bags.fix(stamp_ns, 45.0 + place * 1.8e-4, 11.0), stamp_ns))
    return bags.write_rosbag2(tmp_path_factory.mktemp("recorded") / "drive", records)


@pytest.fixture(scope="module")
def mapped(drive: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("mapped") / "region"
    networks = Networks.load(LocalizerConfig(), features=True)
    build_region([open_source(drive)], out, networks)
    return out


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """This package without others, but for those in the same prefix."""
    prefix = get_package_prefix("vlm_vpr_ros")
    for package in ("rviz2", "robot_localization"):
        if (
            Path(prefix) / "share" / "ament_index" / "resource_index" / "packages" / package
        ).exists():
            pytest.skip(f"{package} is in the same prefix")
    monkeypatch.setenv("AMENT_PREFIX_PATH", prefix)


@pytest.fixture
def with_robot_localization(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """robot_localization is found, if only by its name."""
    marker = tmp_path / "share" / "ament_index" / "resource_index" / "packages"
    marker.mkdir(parents=True)
    (marker / "robot_localization").touch()
    found = f"{os.environ['AMENT_PREFIX_PATH']}{os.pathsep}{tmp_path}"
    monkeypatch.setenv("AMENT_PREFIX_PATH", found)


@pytest.fixture
def player(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`ros2 bag play`; where it is not installed, our own player under its name."""
    if shutil.which("ros2") is None:
        vlm_vpr = Path(get_package_prefix("vlm_vpr_ros")) / "lib/vlm_vpr_ros/vlm_vpr"
        script = tmp_path / "bin" / "ros2"
        script.parent.mkdir()
        script.write_text(PLAYER.format(vlm_vpr=vlm_vpr, topic=IMAGES))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{script.parent}{os.pathsep}{os.environ['PATH']}")


def test_arguments_reach_the_node(
    launch: Launch, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("/**:\n  ros__parameters:\n    rate: 3.0\n    region: of the file\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    launch(
        "relocalization.launch.py",
        params_file="~/mine.yaml",
        vlm_model="~/eyes.gguf",
        region="2024",
        namespace="robot1",
        autostart="false",
        continuous="true",
    )
    names = ["region", "vlm.model", "rate", "autostart", "continuous", "use_sim_time"]
    answer = client.call("/robot1/relocalizer/get_parameters", GetParameters, names=names)
    region, model, rate, *switches = answer.values
    assert region.string_value == "2024", "an argument goes before the file"
    assert model.string_value == str(tmp_path / "eyes.gguf")
    assert rate.double_value == 3.0
    assert [switch.bool_value for switch in switches] == [False, True, False]


def test_topics_are_remapped(launch: Launch, client: Client, mapped: Path) -> None:
    launch("relocalization.launch.py", region=mapped, namespace="r1", image="/front/compressed")
    until(lambda: client.node.count_subscribers("/front/compressed") == 1)
    assert client.node.count_publishers("/r1/relocalizer/fix") == 1


def test_the_default_topic_of_the_camera_is_in_the_namespace(
    launch: Launch, client: Client, mapped: Path
) -> None:
    launch("relocalization.launch.py", region=mapped, namespace="r1")
    until(lambda: client.node.count_subscribers("/r1" + IMAGES) == 1)


REPLAY = {"bag": "drive", "region": "region"}
COMPOSITION = {"datum": "48.137, 11.575", "region": "region"}


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("file", "arguments", "sentence"),
    [
        (
            "relocalization",
            {"params_file": "/no/such.yaml"},
            "params_file:=/no/such.yaml: there is no such file",
        ),
        (
            "replay",
            {**REPLAY, "params_file": "/no/such.yaml"},
            "params_file:=/no/such.yaml: there is no such file",
        ),
        ("replay", {**REPLAY, "rviz": "true"}, "rviz2 is not installed: sudo apt install"),
        (
            "robot_localization",
            COMPOSITION,
            "robot_localization is not installed: sudo apt install",
        ),
        (
            "robot_localization",
            {**COMPOSITION, "datum": "48.1, 11.5, 500, 90"},
            "datum:=48.1, 11.5, 500, 90: must be `latitude, longitude` in degrees",
        ),
        (
            "robot_localization",
            {**COMPOSITION, "datum": "11.5, 480.1"},
            "datum:=11.5, 480.1: must be `latitude, longitude` in degrees",
        ),
    ],
)
def test_what_cannot_be_started_leaves_no_process(
    launch: Launch, file: str, arguments: dict[str, str], sentence: str
) -> None:
    process = launch(f"{file}.launch.py", **arguments)
    assert process.wait() != 0
    assert sentence in process.output
    assert "process started" not in process.output


@pytest.mark.usefixtures("with_robot_localization")
def test_a_composition_without_its_parameter_file(launch: Launch) -> None:
    process = launch("robot_localization.launch.py", **COMPOSITION, params_file="/no/such.yaml")
    assert process.wait() != 0
    assert "params_file:=/no/such.yaml: there is no such file" in process.output
    assert "process started" not in process.output


@pytest.mark.usefixtures("with_robot_localization")
def test_the_composition_with_robot_localization(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("/**:\n  ros__parameters:\n    rate: 3.0\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    context = LaunchContext()
    source = PythonLaunchDescriptionSource(str(SHARE / "launch" / "robot_localization.launch.py"))
    given = {**COMPOSITION, "odom": "/wheels", "namespace": "robot1", "params_file": "~/mine.yaml"}
    pending: list[Any] = [IncludeLaunchDescription(source, launch_arguments=given.items())]
    nodes = {}
    while pending:
        entity = pending.pop(0)
        if isinstance(entity, Node):
            entity._perform_substitutions(context)
            remaps = dict(entity.expanded_remapping_rules or ())
            namespace, _, name = entity.node_name.rpartition("/")
            assert namespace == "/robot1"
            assert (str(file), True) in entity._Node__expanded_parameter_arguments, name
            nodes[name] = remaps
        else:
            pending = [*(entity.visit(context) or ()), *pending]
    assert set(nodes) == {
        "relocalizer", "ekf_odom", "ekf_map", "navsat_transform", "after_kidnapping"
    }  # fmt: skip
    assert {remaps["odom"] for remaps in nodes.values() if "odom" in remaps} == {"/wheels"}
    assert nodes["navsat_transform"]["gps/fix"] == "relocalizer/fix"
    reset = nodes["after_kidnapping"]["set_pose"]
    assert reset == nodes["ekf_map"]["set_pose"] != nodes["ekf_odom"]["set_pose"]
    filtered = {nodes[n]["odometry/filtered"] for n in ("ekf_map", "navsat_transform")}
    assert filtered == {nodes["after_kidnapping"]["odometry/filtered"]}
    assert "odometry/filtered" not in nodes["ekf_odom"]
    for name in set(nodes) - {"relocalizer"}:
        transforms = (nodes[name]["/tf"], nodes[name]["/tf_static"])
        assert transforms == ("tf", "tf_static"), "in the namespace"


def test_the_evaluation_gets_what_the_node_gets() -> None:
    file = runpy.run_path(str(SHARE / "launch" / "replay.launch.py"))
    given = {
        "params_file": str(SHARE / "config" / "relocalizer.yaml"),
        "namespace": "robot1",
        "image": "front/compressed",
        "odom": "/wheels",
        "vlm_model": "2024",
        "vlm_mmproj": "my eyes.gguf",
    }
    command = ["evaluate", "region", "bag", *file["_as_the_node"](given)]
    arguments = vlm_vpr.parser().parse_args(command)
    assert (arguments.image_topic, arguments.odom_topic) == (
        "/robot1/front/compressed",
        "/wheels",
    )
    vlm = config_of(arguments).vlm
    assert (str(vlm.model), str(vlm.mmproj)) == ("2024", "my eyes.gguf")
    by_default = {**given, "odom": "odom", "vlm_model": "", "vlm_mmproj": ""}
    arguments = vlm_vpr.parser().parse_args([*command[:3], *file["_as_the_node"](by_default)])
    assert arguments.odom_topic is None, "a bag need not have it"
    assert arguments.set == []


@pytest.mark.usefixtures("player")
def test_a_replay_is_localized_and_evaluated(
    launch: Launch, domain: int, mapped: Path, drive: Path, tmp_path: Path
) -> None:
    assert domain
    robot = Robot()
    try:
        process = launch(
            "replay.launch.py", bag=drive, region=mapped, evaluate=tmp_path / "out", play_rate=2.0
        )
        robot.wait_for(lambda: robot.fixes)
        assert robot.fixes[0].latitude == pytest.approx(45.0, abs=0.01)
        robot.transition(Transition.TRANSITION_DEACTIVATE)
        robot.transition(Transition.TRANSITION_ACTIVATE)
        assert process.wait() == 0
    finally:
        robot.close()
    started = re.findall(r"\[(\w+)-\d+\]: process started", process.output)
    assert started == ["relocalizer", "ros2", "vlm_vpr"], "the bag is played once"
    assert (tmp_path / "out.json").is_file()
    assert (tmp_path / "out.html").is_file()


@pytest.mark.usefixtures("player")
def test_a_replay_without_its_region_ends(launch: Launch, drive: Path) -> None:
    process = launch("replay.launch.py", bag=drive, region="/no/such/region")
    process.wait()  # by itself, as a replay that nobody answers would be in vain
    assert "/no/such/region: there is no such region" in process.output


@pytest.mark.usefixtures("player")
def test_a_replay_ends_with_its_node(launch: Launch, drive: Path, mapped: Path) -> None:
    process = launch("replay.launch.py", bag=drive, region=mapped, image_transport="smoke")
    process.wait()
    assert "`image_transport` = 'smoke'" in process.output
