"""The process of the vision-language model: nothing waits for it, and it ends with the node."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from node_process import until
from robot import NODE, Robot
from std_srvs.srv import Trigger
from support.tiny_vlm import write_tiny_vlm
from town import PLACES, PROGRAM, build_town, photo

HERE = PLACES[3]


@pytest.fixture(scope="module")
def town_and_model(tmp_path_factory):
    """Parameters of the node."""
    town = build_town(tmp_path_factory.mktemp("town"))
    model, mmproj = write_tiny_vlm(tmp_path_factory.mktemp("vlm")).pair
    return {
        **town,
        "vlm__model": model,
        "vlm__mmproj": mmproj,
        "vlm__n_threads": 1,
        "vlm__samples": 1,
        "prior__wait_s": 60,
        "prior__ask_again_m": 0,
    }


@pytest.fixture
def robot(domain):
    assert domain, "the client takes it from the environment"
    made = Robot()
    yield made
    made.close()


@pytest.fixture
def active(start, robot, town_and_model):
    """Starts the node before a camera that shows one place."""

    def _active(**parameters):
        process = start(program=PROGRAM, **{**town_and_model, **parameters})
        robot.state("IDLE")
        robot.camera()
        robot.show(photo(HERE))
        return process

    return _active


def worker(robot):
    """The model's process, as the diagnostics tell it."""

    def pid():
        return robot.health and robot.health_values().get("vlm process", "none")

    return int(robot.wait_for(lambda: pid() and pid() != "none" and pid()))


def runs(pid):
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False


def test_nothing_waits_for_the_model_to_be_loaded(active, robot, tmp_path):
    model = tmp_path / "model.gguf"
    os.mkfifo(model)  # whoever opens it waits for somebody who writes
    process = active(vlm__model=model, prior__wait_s=0)
    answer = robot.relocalize()
    assert answer["reason"] == "accepted"
    assert answer["prior"]["status"] == "waiting"
    assert robot.health_values()["vlm state"] == "loading"
    assert process.interrupt() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_model_ends_with_the_node(active, robot, number):
    process = active()
    robot.relocalize()
    pid = worker(robot)
    assert runs(pid)
    code = process.interrupt(number)
    assert code == (-number if number == signal.SIGKILL else 0)
    until(lambda: not runs(pid))


def test_the_model_ends_while_a_call_waits_for_it(active, robot):
    process = active()
    robot.relocalize()
    pid = worker(robot)
    assert robot.call(f"{NODE}/reset", Trigger).success
    os.kill(pid, signal.SIGSTOP)
    robot.begin(f"{NODE}/relocalize", Trigger)
    robot.wait_for(lambda: robot.states[-1].data == "SEARCHING")
    assert process.interrupt() == 0
    until(lambda: not runs(pid))
