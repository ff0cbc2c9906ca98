"""The process of the vision-language model: nothing waits for it, and it ends with the node."""

from __future__ import annotations

import os
import signal

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from model_in_node import model_parameters, model_process, runs
from node_process import until
from robot import NODE
from std_srvs.srv import Trigger
from support.tiny_vlm import write_tiny_vlm
from town import PLACES, PROGRAM, build_town, photo

HERE = PLACES[3]


@pytest.fixture(scope="module")
def town_and_model(tmp_path_factory):
    """Parameters of the node."""
    town = build_town(tmp_path_factory.mktemp("town"))
    pair = write_tiny_vlm(tmp_path_factory.mktemp("vlm")).pair
    return {**town, **model_parameters(pair), "vlm__samples": 1}


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
    pid = model_process(robot)
    assert runs(pid)
    code = process.interrupt(number)
    assert code == (-number if number == signal.SIGKILL else 0)
    until(lambda: not runs(pid))


def test_the_model_ends_while_a_call_waits_for_it(active, robot):
    process = active()
    robot.relocalize()
    pid = model_process(robot)
    assert robot.call(f"{NODE}/reset", Trigger).success
    os.kill(pid, signal.SIGSTOP)
    robot.begin(f"{NODE}/relocalize", Trigger)
    robot.wait_for(lambda: robot.states[-1].data == "SEARCHING")
    assert process.interrupt() == 0
    until(lambda: not runs(pid))
