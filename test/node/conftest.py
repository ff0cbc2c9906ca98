"""A node under test in a process of its own, and a client that talks to it over DDS."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

rclpy = pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from rclpy.executors import SingleThreadedExecutor  # noqa: E402

WAIT_S = 20.0
_domains = itertools.count(os.getpid() * 7)
_HERE = Path(__file__).parent


@pytest.fixture
def domain(monkeypatch: pytest.MonkeyPatch) -> int:
    """A ROS domain that no other test uses at the same time."""
    number = 1 + next(_domains) % 101
    monkeypatch.setenv("ROS_DOMAIN_ID", str(number))
    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    return number


@pytest.fixture
def region(tmp_path: Path) -> Path:
    folder = tmp_path / "region"
    folder.mkdir()
    (folder / "script.json").write_text("{}")
    return folder


def script(region: Path, **values: Any) -> None:
    fresh = region / "script.new"
    fresh.write_text(json.dumps(values))
    fresh.replace(region / "script.json")


def events(region: Path, name: str) -> list[dict[str, Any]]:
    log = region / "log.jsonl"
    lines = log.read_text().splitlines() if log.exists() else []
    return [event for event in map(json.loads, lines) if event["event"] == name]


def until(condition: Callable[[], Any], timeout_s: float = WAIT_S) -> Any:
    """Poll for what no event tells (files of the other process); fail after the timeout."""
    end_s = time.monotonic() + timeout_s
    while not (value := condition()):
        assert time.monotonic() < end_s, "waited in vain"
        time.sleep(0.01)
    return value


class Process:
    """The node in a process of its own."""

    def __init__(self, program: list[str], arguments: list[str]) -> None:
        self.popen = subprocess.Popen(
            [sys.executable, *program, *(["--ros-args", *arguments] if arguments else [])],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([*sys.path, str(_HERE.parents[1])])},
        )
        self.output = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout
        for line in self.popen.stdout:
            self.output += line

    def wait(self) -> int:
        code = self.popen.wait(WAIT_S)
        self._reader.join()
        return code

    def interrupt(self, number: int = signal.SIGINT) -> int:
        self.popen.send_signal(number)
        return self.wait()


@pytest.fixture
def start(domain: int, region: Path) -> Iterator[Callable[..., Process]]:
    """Start the node with parameters; `program` other than the stand-in: the real one."""
    running: list[Process] = []

    def _start(
        *arguments: str, program: tuple[str, ...] = (str(_HERE / "standin.py"),), **parameters: Any
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
        assert "Traceback" not in process.output or "raise" in _text(region), process.output


def _yaml(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _text(region: Path) -> str:
    file = region / "script.json"
    return file.read_text() if file.exists() else ""


class Client:
    """The other side: publishes images, calls services, keeps what the node publishes."""

    def __init__(self, name: str = "client") -> None:
        self.context = rclpy.Context()
        rclpy.init(context=self.context, args=[])
        self.node = rclpy.create_node(name, context=self.context)
        self._executor = SingleThreadedExecutor(context=self.context)
        self._executor.add_node(self.node)
        self._changed = threading.Condition()
        self._received: dict[str, list[Any]] = {}
        self._clients: dict[str, Any] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._spin)
        self._thread.start()

    def _spin(self) -> None:
        while not self._ended.is_set():
            self._executor.spin_once(timeout_sec=0.5)

    def close(self) -> None:
        self._executor.create_task(self._ended.set)
        self._thread.join()
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.shutdown(context=self.context)

    def listen(self, topic: str, kind: type, qos: Any = 10) -> list[Any]:
        kept = self._received.setdefault(topic, [])

        def keep(message: Any) -> None:
            with self._changed:
                kept.append(message)
                self._changed.notify_all()

        self.node.create_subscription(kind, topic, keep, qos)
        return kept

    def wait_for(self, condition: Callable[[], Any], timeout_s: float = WAIT_S) -> Any:
        """Wait until a received message makes the condition true."""
        with self._changed:
            assert self._changed.wait_for(condition, timeout_s), "waited in vain"
            return condition()

    def find(self, service: str, kind: type) -> Any:
        """The client of a service that is there."""
        if service not in self._clients:
            self._clients[service] = self.node.create_client(kind, service)
        assert self._clients[service].wait_for_service(WAIT_S), f"{service} is not there"
        return self._clients[service]

    def begin(self, service: str, kind: type, **request: Any) -> Callable[[], Any]:
        """Send a request; the returned function waits for the answer."""
        client = self.find(service, kind)
        done = threading.Event()
        future = client.call_async(kind.Request(**request))
        future.add_done_callback(lambda _: done.set())

        def answer() -> Any:
            assert done.wait(WAIT_S), f"{service} does not answer"
            return future.result()

        return answer

    def call(self, service: str, kind: type, **request: Any) -> Any:
        return self.begin(service, kind, **request)()


@pytest.fixture
def client(domain: int) -> Iterator[Client]:
    made = Client()
    yield made
    made.close()


def jpeg(value: int = 128) -> bytes:
    import cv2

    ok, data = cv2.imencode(".jpg", np.full((48, 64, 3), value, np.uint8))
    assert ok
    return bytes(data.tobytes())
