"""The node `after_kidnapping` in a process of its own, over real DDS."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from node_process import Process, until
from robot import LATCHED, Client

S = 10**9
FIRST_NS = 1_700_000_000 * S
YAW_RAD = 0.7


def stamped(kind: type, second: float, x: float, y: float, variance: float, frame: str) -> Any:
    message = kind()
    stamp_ns = FIRST_NS + int(second * S)
    message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, S)
    message.header.frame_id = frame
    message.pose.pose.position.x, message.pose.pose.position.y = x, y
    message.pose.covariance = np.diag([variance, variance, 1.0, 0.1, 0.1, 0.2]).ravel()
    return message


def belief(second: float, frame: str = "map") -> Odometry:
    """The filter believes to drive east from the datum, looking elsewhere."""
    message = stamped(Odometry, second, second, 0.0, 0.04, frame)
    message.pose.pose.position.z = 5.0
    message.pose.pose.orientation.z = math.sin(YAW_RAD / 2)
    message.pose.pose.orientation.w = math.cos(YAW_RAD / 2)
    return message


def fix(second: float, away_m: float) -> PoseWithCovarianceStamped:
    message = stamped(PoseWithCovarianceStamped, second, second + away_m, 40.0, 9.0, "map")
    message.pose.covariance[35] = math.pi**2
    return message


@pytest.fixture
def node(domain: int) -> Iterator[Callable[..., Process]]:
    assert domain, "the node takes it from the environment"
    running: list[Process] = []

    def _start(**parameters: Any) -> Process:
        given = [w for k, v in parameters.items() for w in ("-p", f"{k}:={v}")]
        remap = ["-r", "pose:=/relocalizer/pose"]
        running.append(Process(["-m", "vlm_vpr_ros.node.after_kidnapping"], [*given, *remap]))
        return running[-1]

    yield _start
    for process in running:
        if process.popen.poll() is None:
            assert process.interrupt() == 0
        print(process.output)  # shown when the test failed
        assert "Traceback" not in process.output


class Filter(Client):
    """The localization that is reset, and the relocalizer that contradicts it."""

    def __init__(self, listens: str, tells: str, kind: type, qos: Any = 10) -> None:
        super().__init__()
        self.resets = self.listen(listens, PoseWithCovarianceStamped)
        self._belief = self.node.create_publisher(kind, tells, qos)
        self._fix = self.node.create_publisher(PoseWithCovarianceStamped, "/relocalizer/pose", 10)
        until(lambda: self._belief.get_subscription_count() and self._fix.get_subscription_count())
        until(lambda: self.node.count_publishers(listens))

    def believe(self, *messages: Any) -> None:
        for message in messages:
            self._belief.publish(message)

    def fixes(self, *messages: PoseWithCovarianceStamped) -> None:
        for message in messages:
            self._fix.publish(message)


@pytest.fixture
def ekf(node: Callable[..., Process]) -> Iterator[Filter]:
    node()
    made = Filter("/set_pose", "/odometry/filtered", Odometry)
    yield made
    made.close()


@pytest.fixture
def amcl(node: Callable[..., Process]) -> Iterator[Filter]:
    node(resets="amcl")
    made = Filter("/initialpose", "/amcl_pose", PoseWithCovarianceStamped, LATCHED)
    yield made
    made.close()


def test_the_filter_is_set_and_keeps_its_yaw(ekf: Filter) -> None:
    ekf.believe(*(belief(float(second)) for second in range(8)))
    # Different topics are not ordered: fixes until beliefs have arrived, which a reset shows.
    second = 0.0

    def asked() -> bool:
        nonlocal second
        second += 0.001
        ekf.fixes(fix(second, 300.0))
        return bool(ekf.resets)

    until(asked)
    reset = ekf.resets[0]
    assert reset.header.frame_id == "map"
    now_s = reset.header.stamp.sec - FIRST_NS // S
    assert 0 <= now_s <= 7, "the stamp of a belief"
    assert reset.pose.pose.position.x == pytest.approx(now_s + 300.0, abs=1.0)
    assert reset.pose.pose.position.y == pytest.approx(40.0)
    assert reset.pose.pose.position.z == 5.0
    assert reset.pose.pose.orientation.z == pytest.approx(math.sin(YAW_RAD / 2))
    covariance = np.array(reset.pose.covariance).reshape(6, 6)
    assert 9.0 <= covariance[0, 0] < 11.0
    assert covariance[5, 5] == pytest.approx(0.2), "that of the filter"


def begins(amcl: Filter, first_s: int) -> int:
    """Give fixes until AMCL is told where it is; the second of the first one."""
    begun = len(amcl.resets)
    second = first_s

    def told() -> bool:  # more and more: discovery is not symmetric
        nonlocal second
        second += 1
        amcl.fixes(fix(float(second), 300.0))
        return len(amcl.resets) > begun

    until(told)
    reset = amcl.resets[begun]
    told_s = int(reset.header.stamp.sec - FIRST_NS // S)
    assert reset == fix(float(told_s), 300.0), "the fix as it is, with an unknown yaw"
    return told_s


def test_amcl_gets_its_first_pose_from_fixes_that_agree(amcl: Filter) -> None:
    far = 0.0

    def heard() -> bool:  # each contradicts the one before: none of them may be sent
        nonlocal far
        far += 500.0
        amcl.fixes(fix(far / 500.0, far))
        return far >= 50 * 500.0

    until(heard)
    assert begins(amcl, first_s=100) >= 105, "five fixes"
    assert len(amcl.resets) == 1


def test_an_amcl_that_was_started_anew_gets_a_first_pose(node: Callable[..., Process]) -> None:
    process = node(resets="amcl")
    first = Filter("/initialpose", "/amcl_pose", PoseWithCovarianceStamped, LATCHED)
    try:
        begins(first, first_s=0)
        first.believe(stamped(PoseWithCovarianceStamped, 500.0, 300.0, 40.0, 9.0, "elsewhere"))

        def believed() -> bool:
            first.fixes(fix(500.0, 300.0))
            return "the filter in `elsewhere`" in process.output

        until(believed)
    finally:
        first.close()
    until(lambda: "AMCL is gone" in process.output)
    second = Filter("/initialpose", "/amcl_pose", PoseWithCovarianceStamped, LATCHED)
    try:
        begins(second, first_s=600)
    finally:
        second.close()


def test_frames_that_differ_are_refused(node: Callable[..., Process]) -> None:
    process = node()
    other = Filter("/set_pose", "/odometry/filtered", Odometry)
    try:
        other.believe(*(belief(float(second), frame="odom") for second in range(3)))

        def refused() -> bool:
            other.fixes(fix(2.0, 300.0))
            return "the fix is in the frame `map`, the filter in `odom`" in process.output

        until(refused)
        assert other.resets == []
    finally:
        other.close()


def test_a_signal_that_comes_again_and_again(node: Callable[..., Process]) -> None:
    process = node()
    Filter("/set_pose", "/odometry/filtered", Odometry).close()  # waits until the node is there
    assert process.interrupt_all_the_way() == 0


def test_arguments_that_ros_does_not_understand(domain: int) -> None:
    assert domain
    process = Process(["-m", "vlm_vpr_ros.node.after_kidnapping"], ["-p", "nonsense"])
    assert process.wait() == 2
    assert "Traceback" not in process.output


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("resets", "ukf"),
        ("gate", "wide"),
        ("gate", "0"),
        ("agreeing_fixes", "0"),
        ("agreeing_fixes", "2.5"),
    ],
)
def test_wrong_parameters_are_named(node: Callable[..., Process], name: str, value: str) -> None:
    process = node(**{name: value})
    assert process.wait() == 2
    assert f"after_kidnapping: parameter `{name}`" in process.output


def test_an_unknown_parameter_ends_the_start(node: Callable[..., Process]) -> None:
    process = node(gat="3.0")
    assert process.wait() == 2
    assert "unknown parameter `gat`: did you mean `gate`?" in process.output


def test_a_whole_number_passes_for_a_number(node: Callable[..., Process]) -> None:
    node(gate="4", within_s="5", use_sim_time="false")
    Filter("/set_pose", "/odometry/filtered", Odometry).close()  # waits until the node is there


@pytest.mark.parametrize(("argument", "code"), [("--foo", 2), ("--help", 0)])
def test_arguments_of_its_own(domain: int, argument: str, code: int) -> None:
    assert domain
    process = Process(["-m", "vlm_vpr_ros.node.after_kidnapping", argument], [])
    assert process.wait() == code
    assert "usage: after_kidnapping" in process.output
