"""Shows the node at work: replays a drive to it with the GPS hidden, and asks where the robot is.

    python -m vlm_vpr_ros.node.demo REGION BAG

The node and the player are processes of their own; this one is the client, as a robot's other
software would be: it calls `~/relocalize` and compares each answer with the fixes in the bag, which
the node never sees.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import rclpy
from rclpy.client import Client
from rclpy.node import Node
from std_srvs.srv import Trigger

from vlm_vpr_ros.config import GateConfig
from vlm_vpr_ros.errors import SourceError, VlmVprError
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.mapping.bag_file import Topic, open_bag
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.mapping.topics import choose_image_topic
from vlm_vpr_ros.types import GeoPoint

FALSE_FIX_M = GateConfig().false_radius_m
_NODE_START_S = 60.0
_CALL_S = 30.0
_PAUSE_S = 0.4
_HEADER = f"{'time s':>8} {'answer':<16} {'latitude':>12} {'longitude':>12} {'error m':>8} " + (
    f"{'sigma m':>8} {'probability':>11} {'ms':>6}"
)


def main() -> int:
    """Run the demonstration; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("region", type=Path)
    parser.add_argument("bag", type=Path, help="another drive through the region, with fixes")
    parser.add_argument("--rate", type=float, default=8.0, help="speed of the replay")
    arguments = parser.parse_args()
    try:
        return _demonstrate(arguments.region, arguments.bag, arguments.rate)
    except VlmVprError as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2


def _demonstrate(region: Path, bag: Path, rate: float) -> int:
    truth = _truth(bag)
    with open_bag(bag) as opened:
        topic = choose_image_topic(opened.topics, bag.name, None)
    print(f"node: region {region}; replaying {topic.name} of {bag.name} at {rate:g} x; GPS hidden")
    rclpy.init()
    try:
        with _process(*_relocalizer(region, topic)) as node:
            robot = _Robot()
            robot.wait_for_node(node)
            player = ("vlm_vpr_ros.cli.main", "replay", str(bag), "--topics", topic.name)
            options = ("--rate", str(rate), "--wait-for-subscribers")
            with _process(*player, *options, quiet=True) as playing:
                answers = list(_ask(robot, playing, truth))
    finally:
        rclpy.try_shutdown()
    _summary(answers)
    return 0 if answers else 1


def _truth(bag: Path) -> dict[int, GeoPoint]:
    """Stamp of every image in nanoseconds -> where the bag's fixes say it was taken."""
    observations = open_source(bag).observations()
    truth = {o.stamp_ns: o.position for o in observations if o.stamp_ns and o.position}
    if not truth:
        raise SourceError(f"{bag}: no image with a fix near it: nothing to compare answers with")
    return truth


def _relocalizer(region: Path, topic: Topic) -> tuple[str, ...]:
    transport = "compressed" if topic.type.endswith("CompressedImage") else "raw"
    parameters = {"region": region, "image_transport": transport}
    settings = [word for k, v in parameters.items() for word in ("-p", f"{k}:={v}")]
    return ("vlm_vpr_ros.node.main", "--ros-args", *settings, "-r", f"image:={topic.name}")


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


class _Robot:
    """What a robot's other software does: it calls the service and waits for the answer."""

    def __init__(self) -> None:
        self._node = Node("relocalization_demo")
        self._client: Client[Any, Any] = self._node.create_client(
            Trigger, "/relocalizer/relocalize"
        )

    def wait_for_node(self, process: subprocess.Popen[Any]) -> None:
        """Wait until the service is there."""
        if not self._client.wait_for_service(_NODE_START_S) or process.poll() is not None:
            raise VlmVprError("the node did not start; its messages are above")

    def relocalize(self) -> dict[str, Any]:
        """The answer of `~/relocalize`."""
        future = self._client.call_async(Trigger.Request())
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=_CALL_S)
        response = future.result()
        if response is None:
            raise VlmVprError(f"~/relocalize did not answer within {_CALL_S:g} s")
        answer: dict[str, Any] = json.loads(response.message)
        return answer


def _ask(
    robot: _Robot, playing: subprocess.Popen[Any], truth: Mapping[int, GeoPoint]
) -> Iterator[tuple[dict[str, Any], float | None]]:
    """Call ~/relocalize until the replay ends; yield the answers and their errors in metres."""
    first_ns = min(truth)
    print(_HEADER)
    while playing.poll() is None:
        answer = robot.relocalize()
        place = truth.get(answer["stamp_ns"])
        error_m = None
        if answer["lat"] is not None and place is not None:
            metres = distance_m(answer["lat"], answer["lon"], place.lat_deg, place.lon_deg)
            error_m = float(metres)
        if place is not None:  # else the replay has not begun, or has just ended
            print(_row(answer, (answer["stamp_ns"] - first_ns) * 1e-9, error_m), flush=True)
            yield answer, error_m
        try:
            playing.wait(_PAUSE_S)
        except subprocess.TimeoutExpired:
            continue


def _row(answer: Mapping[str, Any], time_s: float, error_m: float | None) -> str:
    start = f"{time_s:>8.1f} {answer['reason']:<16} "
    end = f"{answer['probability']:>11.3f} {answer['latency_ms']['service']:>6.0f}"
    if answer["lat"] is None:
        return start + f"{'':>12} {'':>12} {'':>8} {'':>8} " + end
    place = f"{answer['lat']:>12.6f} {answer['lon']:>12.6f} "
    return start + place + f"{error_m or 0:>8.1f} {answer['sigma_m']:>8.1f} " + end


def _summary(answers: list[tuple[dict[str, Any], float | None]]) -> None:
    errors_m = [error_m for _, error_m in answers if error_m is not None]
    reasons = Counter(answer["reason"] for answer, _ in answers)
    print(f"\n{len(answers)} calls: " + ", ".join(f"{n} {r}" for r, n in reasons.most_common()))
    if errors_m:
        false = sum(error_m > FALSE_FIX_M for error_m in errors_m)
        print(
            f"{len(errors_m)} fixes: median error {statistics.median(errors_m):.1f} m, largest "
            f"{max(errors_m):.1f} m, {false} farther than {FALSE_FIX_M:g} m"
        )


if __name__ == "__main__":
    sys.exit(main())
