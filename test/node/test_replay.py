from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from robot import Client
from rosbags.rosbag1 import Writer as Writer1
from rosbags.rosbag2 import StoragePlugin
from rosbags.rosbag2 import Writer as Writer2
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import NavSatFix

from vlm_vpr_ros.cli import replay as command
from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.node.replay import replay

FIRST_NS = 1_500_000_000 * 10**9
STEP_NS = 10**8
ROS1 = get_typestore(Stores.ROS1_NOETIC)
ROS2 = get_typestore(Stores.ROS2_HUMBLE)
OTHER = "somebody/msg/Thing"


def fix_of(store, number, **header):
    types = store.types
    stamp = types["builtin_interfaces/msg/Time"](1500000000, number)
    return types["sensor_msgs/msg/NavSatFix"](
        types["std_msgs/msg/Header"](stamp=stamp, frame_id="gps", **header),
        types["sensor_msgs/msg/NavSatStatus"](0, 1),
        48.0 + number,
        11.0,
        500.0,
        np.arange(9.0),
        2,
    )


def write_ros2(path, count=5, storage=StoragePlugin.SQLITE3):
    store = get_typestore(Stores.ROS2_HUMBLE)
    store.register(get_types_from_msg("int32 value", OTHER))
    with Writer2(path, version=9, storage_plugin=storage) as writer:
        fixes = writer.add_connection("/fix", "sensor_msgs/msg/NavSatFix", typestore=store)
        things = writer.add_connection("/thing", OTHER, typestore=store)
        for number in range(count):
            at_ns = FIRST_NS + number * STEP_NS
            message = fix_of(store, number)
            writer.write(fixes, at_ns, store.serialize_cdr(message, fixes.msgtype))
            thing = store.types[OTHER](number)
            writer.write(things, at_ns, store.serialize_cdr(thing, OTHER))
    return path


def write_ros1(path, count=5):
    with Writer1(path) as writer:
        fixes = writer.add_connection("/fix", "sensor_msgs/msg/NavSatFix", typestore=ROS1)
        for number in range(count):
            message = fix_of(ROS1, number, seq=number)
            data = ROS1.serialize_ros1(message, fixes.msgtype)
            writer.write(fixes, FIRST_NS + number * STEP_NS, data)
    return path


@pytest.fixture
def listener(domain):
    assert domain, "the client takes it from the environment"
    made = Client("listener")
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["sqlite3", "mcap", "ros1"])
def test_messages_arrive_as_they_were_recorded(listener, tmp_path, kind):
    if kind == "ros1":
        bag = write_ros1(tmp_path / "a.bag")
    else:
        bag = write_ros2(tmp_path / "bag", storage=StoragePlugin[kind.upper()])
    fixes = listener.listen("/elsewhere", NavSatFix)
    clocks = listener.listen("/clock", Clock)
    said = []
    begun = time.monotonic()
    count = replay(
        bag,
        rate=0.5,
        clock=True,
        remaps={"/fix": "/elsewhere"},
        wait_for_subscribers=True,
        say=said.append,
    )
    assert count == 5
    assert 0.8 <= time.monotonic() - begun < 5.0
    listener.wait_for(lambda: len(fixes) == 5)
    assert [fix.latitude for fix in fixes] == [48.0, 49.0, 50.0, 51.0, 52.0]
    assert [fix.header.stamp.nanosec for fix in fixes] == [0, 1, 2, 3, 4]
    assert fixes[0].header.frame_id == "gps"
    assert list(fixes[0].position_covariance) == list(range(9))
    times = [c.clock.sec * 10**9 + c.clock.nanosec for c in clocks]
    assert times == sorted(times)
    assert times[-1] == FIRST_NS + 4 * STEP_NS
    assert len(times) > 10
    if kind != "ros1":
        assert any("/thing is left out" in line and OTHER in line for line in said)


def test_only_some_topics(domain, tmp_path):
    assert domain
    bag = write_ros2(tmp_path / "bag")
    assert replay(bag, rate=1000, topics=["/fix"], say=lambda _: None) == 5
    with pytest.raises(SourceError, match=r"no topic /nix; it has /fix, /thing"):
        replay(bag, topics=["/nix"])
    with pytest.raises(SourceError, match="no topic that can be played"):
        replay(bag, topics=["/thing"], say=lambda _: None)


@pytest.mark.parametrize("harm", ["missing", "empty folder", "damaged"])
def test_a_bag_that_cannot_be_read(domain, tmp_path, harm):
    assert domain
    bag = tmp_path / "bag"
    if harm == "empty folder":
        bag.mkdir()
    if harm == "damaged":
        write_ros2(bag, storage=StoragePlugin.MCAP)
        file = next(bag.glob("*.mcap"))
        file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(SourceError, match="bag"):
        replay(bag, rate=1000, say=lambda _: None)


def test_loop_until_interrupted(listener, tmp_path):
    bag = write_ros2(tmp_path / "bag", count=2)
    fixes = listener.listen("/fix", NavSatFix)
    program = f"""
import argparse, sys
from vlm_vpr_ros.cli import replay
parser = argparse.ArgumentParser()
replay.add_parser(parser.add_subparsers())
args = parser.parse_args(["replay", {str(bag)!r}, "--loop", "--rate", "10"])
sys.exit(args.run(args))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        listener.wait_for(lambda: len(fixes) >= 6)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0, output
    assert "Traceback" not in output


def parse(*words):
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser.parse_args(["replay", *words])


def test_command_line():
    args = parse(
        "b", "--remap", "/a:=/b", "--remap", "/c:=~/d/e_2", "--rate", "2", "--topics", "/a"
    )
    assert args.bag == Path("b")
    assert dict(args.remap) == {"/a": "/b", "/c": "~/d/e_2"}
    assert (args.rate, args.loop, args.clock, args.topics) == (2.0, False, False, ["/a"])


@pytest.mark.parametrize(
    "words",
    [["--rate", "0"], ["--rate", "nan"], ["--remap", "/a:/b"], ["--remap", "/a:=bad name!"], []],
)
def test_wrong_command_lines(words):
    with pytest.raises(SystemExit):
        parse(*(["b", *words] if words else []))


def test_without_ros(monkeypatch):
    monkeypatch.setitem(sys.modules, "rclpy", None)
    monkeypatch.delitem(sys.modules, "vlm_vpr_ros.node.replay", raising=False)
    with pytest.raises(command.VlmVprError, match="needs ROS 2"):
        command.run(parse("b"))
