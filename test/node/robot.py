"""The other side of the node: a client that publishes images, calls services, reads topics."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from nav_msgs.msg import Odometry
from node_process import WAIT_S, jpeg, until
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters
from rclpy.executors import SingleThreadedExecutor
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, NavSatFix, NavSatStatus
from std_msgs.msg import String
from std_srvs.srv import Trigger

NODE = "/relocalizer"
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
SENSOR = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
STAMP = 1_600_000_000_123_456_789


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


class Robot(Client):
    """A client that plays the robot's camera and reads the node's topics."""

    def __init__(self):
        super().__init__()
        self._shower = None
        self.states = self.listen(f"{NODE}/state", String, LATCHED)
        self.fixes = self.listen(f"{NODE}/fix", NavSatFix)
        self.hypotheses = self.listen(f"{NODE}/hypotheses", String)
        self.health = self.listen("/diagnostics", DiagnosticArray)

    def camera(self, kind=CompressedImage):
        self._camera = self.node.create_publisher(kind, "/image", SENSOR)
        until(self._camera.get_subscription_count)

    def odometry(self):
        self._odom = self.node.create_publisher(Odometry, "/odom", 10)
        until(self._odom.get_subscription_count)

    def prior_fixes(self):
        self._prior_fix = self.node.create_publisher(NavSatFix, f"{NODE}/prior_fix", 10)
        until(self._prior_fix.get_subscription_count)

    def tell_prior(self, lat_deg, covariance_m2, stamp_ns=0):
        message = NavSatFix(latitude=lat_deg, longitude=11.0, position_covariance_type=2)
        message.status.status = NavSatStatus.STATUS_FIX
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        message.position_covariance = list(np.diag([covariance_m2] * 3).ravel())
        self._prior_fix.publish(message)

    def send(self, message, stamp_ns=STAMP):
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        self._camera.publish(message)

    def drive(self, x_m, stamp_ns=STAMP):
        """Publish one message of odometry."""
        message = Odometry()
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        message.pose.pose.position.x = float(x_m)
        self._odom.publish(message)

    def show(self, message=None, period_s=0.05, step_ns=50_000_000, first_ns=STAMP):
        """Publish an image again and again until `hide`, as a camera does.

        A single one may be lost: it is sent best effort, and discovery is not symmetric.
        """
        self.hide()
        hidden = self._hidden = threading.Event()

        def run():
            stamp_ns = first_ns
            while not hidden.wait(period_s):
                self.send(message or CompressedImage(format="jpeg", data=jpeg()), stamp_ns)
                stamp_ns += step_ns

        self._shower = threading.Thread(target=run)
        self._shower.start()

    def hide(self):
        if self._shower:
            self._hidden.set()
            self._shower.join()
            self._shower = None

    def close(self):
        self.hide()
        super().close()

    def state(self, word):
        self.wait_for(lambda: self.states and self.states[-1].data == word)

    def relocalize(self):
        return read(self.call(f"{NODE}/relocalize", Trigger))

    def transition(self, number):
        request = {"transition": Transition(id=number)}
        return self.call(f"{NODE}/change_state", ChangeState, **request).success

    def lifecycle(self):
        return self.call(f"{NODE}/get_state", GetState).current_state.id

    def set(self, name, value):
        kinds = {bool: "bool", int: "integer", float: "double", str: "string"}
        kind = kinds[type(value)]
        held = ParameterValue(type=getattr(ParameterType, f"PARAMETER_{kind.upper()}"))
        setattr(held, f"{kind}_value", value)
        request = {"parameters": [Parameter(name=name, value=held)]}
        return self.call(f"{NODE}/set_parameters", SetParameters, **request).results[0]

    def latest_health(self):
        return self.health[-1].status[0]

    def health_values(self):
        return {value.key: value.value for value in self.latest_health().values}


def read(response):
    answer = json.loads(response.message)
    assert answer["outcome"] == ("accepted" if response.success else "refused")
    assert response.success == (answer["reason"] == "accepted")
    assert answer["detail"]
    return answer
