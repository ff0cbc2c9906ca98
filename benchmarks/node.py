"""What the node adds to the localization: of a call, of a processor, of a message. Needs ROS 2."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import rclpy
from nav_msgs.msg import Odometry
from rclpy.client import Client
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import String
from std_srvs.srv import Trigger

from benchmarks.latency import Photos, jpeg
from benchmarks.targets import Report, arguments
from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.evaluation.outcome_scene import outcome_scene
from vlm_vpr_ros.images import decode_image
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.node.conversions import nav_sat_fix
from vlm_vpr_ros.node.geojson import hypotheses
from vlm_vpr_ros.node.map_frame import MapFrame
from vlm_vpr_ros.node.markers import markers
from vlm_vpr_ros.types import Frame, GeoPoint, Outcome

REFERENCES = 40
CALLS = 60
TURNS = 200
WATCHED_S = 10.0


def main() -> None:
    """Measure and print."""
    args = arguments(__doc__).parse_args()
    report = Report("node")
    photos = [jpeg(seed) for seed in range(REFERENCES)]
    os.environ.setdefault("ROS_DOMAIN_ID", str(random.randrange(1, 100)))
    with tempfile.TemporaryDirectory() as folder:
        region = Path(folder) / "region"
        build_region([Photos(photos)], region, Networks.load(LocalizerConfig(), features=True))
        _messages(region, photos[0], report)
        with _node(region) as (robot, process):
            robot.measure(report, process, photos)
    report.write(args.json)


def _messages(region: Path, photo: bytes, report: Report) -> None:
    localizer = Localizer.open(region, LocalizerConfig())
    outcome = localizer.localize(Frame(decode_image(photo, "photo"), 0))
    frame = MapFrame("map", GeoPoint(52.0, 13.0))
    made: dict[str, Callable[[Outcome], Any]] = {
        "fix": lambda o: nav_sat_fix(o, "base_link"),
        "hypotheses": hypotheses,
        "markers, only for subscribers": lambda o: markers(outcome_scene(o), 0, frame),
    }
    for name, make in made.items():
        began_s = time.perf_counter()
        for _ in range(TURNS):
            make(outcome)
        spent_ms = 1e3 * (time.perf_counter() - began_s) / TURNS
        report.add(f"making a message, {name} (ms)", spent_ms)


class _Robot:
    """The other side of the node."""

    def __init__(self) -> None:
        self._node = Node("benchmark")
        self._client: Client[Any, Any] = self._node.create_client(
            Trigger, "/relocalizer/relocalize"
        )
        self._images = self._node.create_publisher(CompressedImage, "/image", 1)
        self._odometry = self._node.create_publisher(Odometry, "/odom", 10)
        self._states: list[str] = []
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self._node.create_subscription(
            String, "/relocalizer/state", lambda m: self._states.append(m.data), latched
        )

    def wait_for(self, state: str) -> None:
        """Spin until the node is in a state."""
        while not (self._states and self._states[-1] == state):
            rclpy.spin_once(self._node, timeout_sec=1.0)

    def measure(self, report: Report, process: int, photos: list[bytes]) -> None:
        """Calls and processor time."""
        self.wait_for("IDLE")
        report.add("idle (% of one core)", _load(process))
        waiting = self._client.call_async(Trigger.Request())
        self.wait_for("SEARCHING")
        report.add("busy, to a second caller (ms)", self._call()[0])
        with _at(30.0, lambda i: self._show(photos[i % len(photos)], i)):
            rclpy.spin_until_future_complete(self._node, waiting)
            calls = [self._call() for _ in range(CALLS)]
            beside_ms = [
                ms - said["latency_ms"]["decode"] - said["latency_ms"]["total"]
                for ms, said in calls
            ]
            report.add(
                "a call beside decoding and localizing, p50 (ms)", float(np.median(beside_ms))
            )
            kb = len(photos[0]) // 1000
            report.add(f"30 images/s of {kb} kB, nobody asks (% of one core)", _load(process))
            with _at(50.0, self._drive):
                report.add("... and odometry at 50 Hz (% of one core)", _load(process))

    def _call(self) -> tuple[float, dict[str, Any]]:
        began_s = time.perf_counter()
        future = self._client.call_async(Trigger.Request())
        rclpy.spin_until_future_complete(self._node, future)
        spent_ms = 1e3 * (time.perf_counter() - began_s)
        response = future.result()
        assert response is not None
        return spent_ms, json.loads(response.message)

    def _show(self, photo: bytes, number: int) -> None:
        message = CompressedImage(format="jpeg", data=photo)
        message.header.stamp.sec = 1_700_000_000 + number
        self._images.publish(message)

    def _drive(self, number: int) -> None:
        message = Odometry()
        message.header.stamp.sec = 1_700_000_000 + number
        self._odometry.publish(message)


@contextmanager
def _node(region: Path) -> Iterator[tuple[_Robot, int]]:
    settings = ("-p", f"region:={region}", "-p", "relocalize_timeout_s:=60.0")
    rclpy.init()
    program = [sys.executable, "-m", "vlm_vpr_ros.node.main", "--ros-args", *settings]
    process = subprocess.Popen(program, stderr=subprocess.DEVNULL)
    try:
        yield _Robot(), process.pid
    finally:
        process.terminate()
        process.wait()
        rclpy.shutdown()


@contextmanager
def _at(rate_hz: float, publish: Callable[[int], None]) -> Iterator[None]:
    """Publish from a thread of its own while the block lasts."""
    ended = threading.Event()

    def run() -> None:
        number = 0
        while not ended.wait(1 / rate_hz):
            publish(number)
            number += 1

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _load(process: int) -> float:
    """Processor time of a process in per cent of one core."""

    def spent_s() -> float:
        fields = (
            Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        )
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    before_s = spent_s()
    time.sleep(WATCHED_S)
    return 100 * (spent_s() - before_s) / WATCHED_S


if __name__ == "__main__":
    main()
