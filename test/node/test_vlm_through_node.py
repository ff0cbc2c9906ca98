"""The vision-language model in the node: its prior in every answer, or why there is none."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from model_in_node import model_parameters, model_process, runs
from node_process import until
from robot import NODE
from std_srvs.srv import Trigger
from support.streets import view
from support.tiny_encoder import write_tiny_encoder
from support.tiny_vlm import write_tiny_vlm
from support.twin_towns import SHARED, build_twin_towns
from tiny_vlm_network import TinyVlmConfig
from town import PROGRAM, png


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return tmp_path_factory.mktemp("twins")


@pytest.fixture(scope="module")
def pair(files):
    return write_tiny_vlm(files / "vlm").pair


@pytest.fixture(scope="module")
def usual(files, pair):
    """Parameters of the node."""
    card = write_tiny_encoder(files / "models", card={"chance_similarity": 0.5})
    return {
        "region": build_twin_towns(files / "region", card),
        "encoder__name": card,
        **model_parameters(pair),
        "vlm__samples": 2,
        "vlm__timeout_s": 15,
    }


@pytest.fixture
def ask(start, robot, usual):
    """Starts the node; what it returns calls ~/relocalize, until the model has answered if told."""

    def begin(**changes):
        start(program=PROGRAM, **usual | changes)
        robot.state("IDLE")
        robot.camera()
        robot.show(png(view(SHARED)))

        def answer(until_used=False, settled=False):
            said = robot.relocalize()
            while (until_used and said["prior"]["status"] != "used") or (
                settled and said["prior"]["status"] == "waiting"
            ):
                said = robot.relocalize()
            return said

        return answer

    return begin


@pytest.mark.parametrize("mode", ["choice", "open"])
def test_an_answer_holds_the_prior_of_the_model(ask, robot, mode):
    answer = ask(vlm__mode=mode)()
    assert answer["prior"]["status"] == "used", answer
    assert answer["prior"]["source"] == "vlm"
    robot.wait_for(lambda: robot.hypotheses)
    shown = json.loads(robot.hypotheses[-1].data)
    kinds = {feature["properties"]["kind"] for feature in shown["features"]}
    assert "prior" in kinds or mode == "open"  # a model that knows nothing may name no place
    assert shown["prior"]["status"] == "used"


def test_kill_9_costs_one_prior(ask, robot):
    answer = ask()
    assert answer(until_used=True)
    pid = model_process(robot)
    os.kill(pid, signal.SIGKILL)
    assert recovers(robot, answer, pid, "SIGKILL")


def test_a_hang_costs_one_prior(ask, robot):
    answer = ask(vlm__timeout_s=4)
    assert answer(until_used=True)
    pid = model_process(robot)
    os.kill(pid, signal.SIGSTOP)
    assert recovers(robot, answer, pid, "no answer within 4 s")


def test_garbage_costs_one_prior(ask, robot):
    answer = ask()
    assert answer(until_used=True)
    pid = model_process(robot)
    write_into_replies(pid, b"llama_perf_context_print: 7 ms\n" * 9)
    assert recovers(robot, answer, pid, "sent garbage")


@pytest.mark.parametrize("fault", ["absent", "truncated", "mismatched"])
def test_a_file_that_cannot_be_used_is_named_in_every_answer(ask, pair, tmp_path, fault):
    bad = tmp_path / "bad.gguf"
    if fault == "truncated":
        bad.write_bytes(pair.mmproj.read_bytes()[:150_000])
    if fault == "mismatched":
        bad = write_tiny_vlm(tmp_path, TinyVlmConfig(embed=64)).pair.mmproj
    answer = ask(vlm__mmproj=bad)
    for said in (answer(settled=True), answer(settled=True)):
        assert said["prior"]["status"] == "failed"
        assert str(bad) in said["prior"]["detail"]
        assert said["reason"] not in {"internal_error", "region_unavailable"}


def recovers(robot, answer, pid, why):
    """Whether frames go on without the model, and then with another process of it."""
    assert robot.call(f"{NODE}/reset", Trigger).success  # its earlier answer would still do
    until(lambda: answer()["reason"] != "internal_error" and not runs(pid))
    assert answer(until_used=True)
    robot.wait_for(lambda: why in robot.health_values()["vlm last failure"])
    return model_process(robot) != pid


def write_into_replies(pid, garbage):
    """Write into the pipe on which the worker answers."""
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        flags = Path(f"/proc/{pid}/fdinfo/{fd.name}").read_text().split("flags:")[1].split()[0]
        writes = int(flags, 8) & os.O_ACCMODE == os.O_WRONLY
        if int(fd.name) > 2 and writes and str(fd.readlink()).startswith("pipe:"):
            with fd.open("wb", buffering=0) as pipe:
                pipe.write(garbage)
            return
    raise AssertionError("the worker has no pipe to answer on")
