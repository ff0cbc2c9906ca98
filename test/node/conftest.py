"""Fixtures of the node's tests."""

from __future__ import annotations

import fcntl
import json
import random
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from node_process import HERE, Launch, Process

if TYPE_CHECKING:
    from robot import Robot

_DOMAINS = range(1, 102)


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A ROS domain that no other test on this machine uses at the same time."""
    locks = Path(tempfile.gettempdir()) / "ros_domains_in_tests"
    locks.mkdir(exist_ok=True)
    for number in random.sample(_DOMAINS, len(_DOMAINS)):
        with (locks / str(number)).open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
            monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
            monkeypatch.setenv("FASTDDS_DEFAULT_PROFILES_FILE", str(HERE / "discovery.xml"))
            yield number
            return
    raise AssertionError("every ROS domain is in use")


@pytest.fixture
def region(tmp_path: Path) -> Path:
    folder = tmp_path / "region"
    folder.mkdir()
    (folder / "script.json").write_text("{}")
    return folder


@pytest.fixture
def start(domain: int, region: Path) -> Iterator[Callable[..., Process]]:
    """Start the node with parameters; `program` other than the stand-in: the real one."""
    assert domain, "the node takes it from the environment"
    running: list[Process] = []

    def _start(
        *arguments: str, program: tuple[str, ...] = (str(HERE / "standin.py"),), **parameters: Any
    ) -> Process:
        parameters = {"region": region, **parameters}
        given = [
            word
            for name, value in parameters.items()
            if value is not None
            for word in ("-p", f"{name.replace('__', '.')}:={_yaml(value)}")
        ]
        running.append(Process(list(program), [*given, *arguments]))
        return running[-1]

    yield _start
    for process in running:
        if process.popen.poll() is None:
            process.popen.kill()
        process.wait()
        print(process.output)  # shown when the test failed
        # asyncio says so where somebody else has taken the exit status of its process.
        assert "returncode 255" not in process.output
        assert "Traceback" not in process.output or "raise" in _text(region), process.output


@pytest.fixture
def robot(domain: int) -> Iterator[Robot]:
    """The other side of a node in this domain."""
    assert domain, "the client takes it from the environment"
    from robot import Robot  # noqa: PLC0415

    made = Robot()
    yield made
    made.close()


@pytest.fixture
def launch(domain: int) -> Iterator[Launch]:
    assert domain, "the processes take it from the environment"
    from ament_index_python.packages import get_package_share_directory  # noqa: PLC0415

    folder = Path(get_package_share_directory("vlm_vpr_ros")) / "launch"
    running: list[Process] = []

    def _launch(file: str, **arguments: object) -> Process:
        given = [f"{name}:={value}" for name, value in arguments.items()]
        running.append(Process([str(HERE / "launching.py"), str(folder / file), *given], []))
        return running[-1]

    yield _launch
    for process in running:
        if process.popen.poll() is None:
            process.interrupt()
        print(process.output)  # shown when the test failed


def _yaml(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _text(region: Path) -> str:
    file = region / "script.json"
    return file.read_text() if file.exists() else ""
