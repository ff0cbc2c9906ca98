"""What the node tells: its publishers, and what goes out on them when."""

from __future__ import annotations

from collections.abc import Callable

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import NavSatFix
from std_msgs.msg import String

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.node import conversions
from vlm_vpr_ros.types import Outcome

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Outputs:
    """The topics `~/fix`, `~/hypotheses`, `~/state` and `/diagnostics`.

    Args:
        node: publishes them.
        config: the present parameters.
    """

    def __init__(self, node: LifecycleNode, config: Callable[[], NodeConfig]) -> None:
        self.state = ""
        """The word on `~/state`."""
        self._node = node
        self._config = config
        self._fix = node.create_lifecycle_publisher(NavSatFix, "~/fix", 10)
        self._hypotheses = node.create_lifecycle_publisher(String, "~/hypotheses", 10)
        # Ordinary publishers: a lifecycle publisher is silent just when there is a fault to tell.
        self._state = node.create_publisher(String, "~/state", _LATCHED)
        self._health = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def say(self, state: str) -> None:
        """Change the state, see `Relocalizer`."""
        if state != self.state:
            self.state = state
            self._state.publish(String(data=state))

    def outcome(self, outcome: Outcome) -> None:
        """Tell what was found in a frame."""
        config = self._config()
        if outcome.accepted or config.publish_refused:
            self._fix.publish(conversions.nav_sat_fix(outcome, config.frame_id))
        self._hypotheses.publish(String(data=conversions.hypotheses(outcome)))

    def health(self, status: DiagnosticStatus) -> None:
        """Tell how the node is."""
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._health.publish(message)
