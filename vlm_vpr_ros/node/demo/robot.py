"""The rest of the robot: it listens to the node, and calls it when it has lost its way."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.client import Client
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile
from rclpy.task import Future
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from vlm_vpr_ros.errors import VlmVprError

_NODE = "/relocalizer"
_NODE_START_S = 60.0
_CALL_S = 30.0
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Robot:
    """A client of the node, as a robot's other software is.

    Args:
        on_outcome: is told every answer on `~/hypotheses` and the word on `~/state`.
        on_call: is told the answer of `~/relocalize`.
    """

    def __init__(
        self,
        on_outcome: Callable[[dict[str, Any], str], None],
        on_call: Callable[[dict[str, Any]], None],
    ) -> None:
        self._node = Node("relocalization_demo")
        self._on_outcome, self._on_call = on_outcome, on_call
        self._state = ""
        self._heard_s = 0.0
        self._outcome: dict[str, Any] | None = None
        self._call: Future[Any] | None = None
        self._relocalize: Client[Any, Any] = self._node.create_client(
            Trigger, f"{_NODE}/relocalize"
        )
        self._continuous: Client[Any, Any] = self._node.create_client(
            SetBool, f"{_NODE}/set_continuous"
        )
        self._node.create_subscription(String, f"{_NODE}/state", self._on_state, _LATCHED)
        self._node.create_subscription(String, f"{_NODE}/hypotheses", self._on_hypotheses, 100)

    def start(self, alive: Callable[[], bool]) -> None:
        """Wait for the node, and let it localize continuously.

        Args:
            alive: whether the node's process still runs.

        Raises:
            VlmVprError: it did not start.
        """
        if not self._relocalize.wait_for_service(_NODE_START_S) or not alive():
            raise VlmVprError("the node did not start; its messages are above")
        future = self._continuous.call_async(SetBool.Request(data=True))
        rclpy.spin_until_future_complete(self._node, future, timeout_sec=_CALL_S)
        response = future.result()
        if response is None or not response.success:
            why = response.message if response else f"no answer within {_CALL_S:g} s"
            raise VlmVprError(f"the node cannot localize: {why}")

    def call(self) -> None:
        """Call `~/relocalize`, unless an earlier call still waits."""
        if self._call is None:
            self._call = self._relocalize.call_async(Trigger.Request())

    def listen(self, timeout_s: float) -> None:
        """Take in what arrives within this time."""
        outcome, self._outcome = self._outcome, None
        rclpy.spin_once(self._node, timeout_sec=timeout_s)
        if outcome is not None:  # the state that follows from it comes after it
            self._on_outcome(outcome, self._state)
        if self._call is not None and self._call.done():
            response, self._call = self._call.result(), None
            if response is not None:
                self._on_call(json.loads(response.message))

    @property
    def silence_s(self) -> float:
        """How long the node has told nothing."""
        return time.monotonic() - self._heard_s

    def _on_state(self, message: String) -> None:
        self._state = message.data

    def _on_hypotheses(self, message: String) -> None:
        self._heard_s = time.monotonic()
        self._outcome = json.loads(message.data)
