"""Replays a drive to the node with the GPS hidden, and prints its answers beside the truth.

    python -m vlm_vpr_ros.node.demo REGION BAG

The node and the player are processes of their own; this one is the client, as a robot's other
software would be: it lets the node localize continuously, and calls `~/relocalize` when the node
says LOST. It compares each answer with the fixes in the bag, which the node never sees.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rclpy

from vlm_vpr_ros.errors import VlmVprError
from vlm_vpr_ros.mapping.bag_file import Topic, open_bag
from vlm_vpr_ros.mapping.topics import choose_image_topic
from vlm_vpr_ros.node.demo.journal import HEADER, Journal, summary
from vlm_vpr_ros.node.demo.robot import Robot
from vlm_vpr_ros.node.demo.truth import truth_of

_ODOMETRY = "nav_msgs/msg/Odometry"
_LISTEN_S = 0.1
_SILENCE_S = 3.0
"""The node has answered everything when it is silent so long after the replay's end."""


def main() -> int:
    """Run the demonstration; returns the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("region", type=Path)
    parser.add_argument("bag", type=Path, help="another drive through the region, with fixes")
    parser.add_argument("--rate", type=float, default=8.0, help="speed of the replay")
    parser.add_argument("--params", type=Path, help="parameter file of the node")
    parser.add_argument("--world", type=Path, help="world.json of a simulated drive")
    arguments = parser.parse_args()
    try:
        return _demonstrate(arguments)
    except VlmVprError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


def _demonstrate(arguments: argparse.Namespace) -> int:
    bag: Path = arguments.bag
    truth = truth_of(bag, arguments.world)
    journal = Journal(truth)
    with open_bag(bag) as opened:
        image = choose_image_topic(opened.topics, bag.name, None)
        odometry = next((t for t in opened.topics if t.type == _ODOMETRY), None)
    print(f"node: region {arguments.region}; replaying {bag.name} at {arguments.rate:g} x; no GPS")
    print(HEADER)
    calls = 0

    def on_outcome(answer: dict[str, Any], state: str) -> None:
        nonlocal calls
        row = journal.note(answer, state)
        if row:
            print(row, flush=True)
        if journal.entries and not answer["accepted"] and _was_right(journal):
            robot.call()
            calls += 1

    def on_call(answer: dict[str, Any]) -> None:
        after = f"{answer['frames']} frames, {answer['latency_ms']['service']:.0f} ms"
        print(f"{'':>7} ~/relocalize: {answer['reason']} after {after}", flush=True)

    rclpy.init()
    try:
        with _process(*_relocalizer(arguments, image, odometry)) as node:
            robot = Robot(on_outcome, on_call)
            robot.start(alive=lambda: node.poll() is None)
            topics = [t.name for t in (image, odometry) if t]
            player = ("vlm_vpr_ros.cli.main", "replay", str(bag), "--topics", *topics)
            options = ("--rate", str(arguments.rate), "--wait-for-subscribers")
            with _process(*player, *options, quiet=True) as playing:
                while playing.poll() is None or robot.silence_s < _SILENCE_S:
                    robot.listen(_LISTEN_S)
    finally:
        rclpy.try_shutdown()
    print(f"\n{summary(journal, truth)}")
    return 0 if journal.entries else 1


def _was_right(journal: Journal) -> bool:
    """Whether the answer before the last one was a fix: the robot has just lost its way."""
    return len(journal.entries) > 1 and journal.entries[-2].error_m is not None


def _relocalizer(
    arguments: argparse.Namespace, image: Topic, odometry: Topic | None
) -> tuple[str, ...]:
    transport = "compressed" if image.type.endswith("CompressedImage") else "raw"
    settings = ["-p", f"region:={arguments.region}", "-p", f"image_transport:={transport}"]
    settings += ["-p", "rate:=50.0", "-r", f"image:={image.name}"]
    if odometry:
        settings += ["-r", f"odom:={odometry.name}"]
    if arguments.params:
        settings += ["--params-file", str(arguments.params)]
    settings += ["--log-level", "relocalizer:=warn"]  # the table says it all
    return ("vlm_vpr_ros.node.main", "--ros-args", *settings)


@contextmanager
def _process(module: str, *arguments: str, quiet: bool = False) -> Iterator[subprocess.Popen[Any]]:
    """A Python module as a process that ends with the block."""
    output = subprocess.DEVNULL if quiet else None
    process = subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=output)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    sys.exit(main())
