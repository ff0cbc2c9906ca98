"""The real localizer: a region built from one drive's bag, asked about the bag of another drive."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import sys

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from lifecycle_msgs.msg import Transition
from robot import NODE
from rosbags.highlevel import AnyReader
from std_srvs.srv import Trigger

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.networks import Networks

TOPIC = "/camera/image_raw/compressed"
REPLAY = """
import argparse, sys
from vlm_vpr_ros.cli import replay
parser = argparse.ArgumentParser()
replay.add_parser(parser.add_subparsers())
args = parser.parse_args(sys.argv[1:])
sys.exit(args.run(args))
"""


@pytest.fixture(scope="module")
def mapped(shared_data, tmp_path_factory):
    try:
        networks = Networks.load(LocalizerConfig(), features=True)
    except ModelError as error:
        pytest.skip(f"a default model is absent: {error}")
    out = tmp_path_factory.mktemp("mapped") / "region"
    build_region([open_source(shared_data / "gardens_point" / "rosbag2_map_drive")], out, networks)
    return out


@pytest.fixture
def query(shared_data):
    return shared_data / "gardens_point" / "rosbag2_query_drive"


def truth_of(bag):
    """Stamp of every image -> latitude, longitude of the fix recorded with it."""
    with AnyReader([bag]) as reader:
        fixes = {}
        for connection, _, data in reader.messages():
            message = reader.deserialize(data, connection.msgtype)
            stamp_ns = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
            if connection.msgtype.endswith("NavSatFix"):
                fixes[stamp_ns] = (message.latitude, message.longitude)
    return fixes


def distance_m(one, other):
    north_m, east_m = 111_320 * np.subtract(one, other) * (1, np.cos(np.radians(one[0])))
    return float(np.hypot(north_m, east_m))


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_a_replayed_drive_is_localized(start, robot, mapped, query):
    process = start(
        "-r",
        f"image:={TOPIC}",
        program=("-m", "vlm_vpr_ros.node.main"),
        region=mapped,
        rate=20,
        relocalize_timeout_s=20,
    )
    robot.state("IDLE")
    truth = truth_of(query)
    player = subprocess.Popen(
        [
            *(sys.executable, "-c", REPLAY, "replay", str(query)),
            *("--rate", "10", "--topics", TOPIC, "--wait-for-subscribers"),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    answers = []
    try:
        assert robot.set("continuous", True).successful
        while player.poll() is None:
            answers.append(robot.relocalize())
            with contextlib.suppress(subprocess.TimeoutExpired):
                player.wait(0.5)
        assert player.returncode == 0
    finally:
        player.kill()
        player.wait()
    assert all(a["stamp_ns"] in truth for a in answers), answers
    robot.wait_for(lambda: robot.fixes)
    print(f"{len(robot.fixes)} fixes; service {[a['latency_ms']['service'] for a in answers]} ms")
    assert {stamp_of(fix) for fix in robot.fixes} <= truth.keys()
    for fix in robot.fixes:
        covariance = np.reshape(fix.position_covariance, (3, 3))
        assert (np.linalg.eigvalsh(covariance) > 0).all()
    errors_m = [distance_m(truth[stamp_of(f)], (f.latitude, f.longitude)) for f in robot.fixes]
    assert len(errors_m) >= 20, "by night most frames of this drive are recognised"
    assert statistics.median(errors_m) < 12, errors_m
    assert process.interrupt() == 0


def test_a_damaged_region_is_named_and_mended(start, robot, mapped, tmp_path):
    region = shutil.copytree(mapped, tmp_path / "copy")
    manifest = (region / "manifest.json").read_bytes()
    (region / "manifest.json").write_bytes(manifest[: len(manifest) // 2])
    start(program=("-m", "vlm_vpr_ros.node.main"), region=region)
    robot.state("ERROR")
    answer = robot.relocalize()
    assert answer["reason"] == "region_unavailable"
    assert "manifest.json" in answer["detail"]
    assert answer["detail"].count("\n") < 5
    (region / "manifest.json").write_bytes(manifest)
    assert robot.transition(Transition.TRANSITION_CONFIGURE)
    robot.state("INACTIVE")
    assert robot.call(f"{NODE}/reset", Trigger).message.startswith("inactive")
