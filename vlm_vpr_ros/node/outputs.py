"""What the node tells: its publishers, and what goes out on them when."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.lifecycle import LifecycleNode
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile
from sensor_msgs.msg import Image, NavSatFix
from std_msgs.msg import String
from visualization_msgs.msg import MarkerArray

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.evaluation.outcome_scene import outcome_scene
from vlm_vpr_ros.node import conversions
from vlm_vpr_ros.node.geojson import hypotheses
from vlm_vpr_ros.node.map_frame import MapFrame
from vlm_vpr_ros.node.markers import markers
from vlm_vpr_ros.node.pose import pose
from vlm_vpr_ros.types import Frame, GeoPoint, Outcome, RgbImage

_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)


class Outputs:
    """The topics on which the node publishes.

    Costly messages are made only while somebody listens.

    Args:
        node: publishes them.
        config: the present parameters.
    """

    def __init__(self, node: LifecycleNode, config: Callable[[], NodeConfig]) -> None:
        self.state = ""
        """The word on `~/state`."""
        self._node = node
        self._config = config
        self._local: MapFrame | None = None
        self._fix = node.create_lifecycle_publisher(NavSatFix, "~/fix", 10)
        self._pose = node.create_lifecycle_publisher(PoseWithCovarianceStamped, "~/pose", 10)
        self._hypotheses = node.create_lifecycle_publisher(String, "~/hypotheses", 10)
        self._geojson = _geojson_publisher(node)
        self._markers = node.create_lifecycle_publisher(MarkerArray, "~/markers", 10)
        self._picture = node.create_lifecycle_publisher(Image, "~/debug_image", 1)
        # Ordinary publishers: a lifecycle publisher is silent just when there is a fault to tell.
        self._state = node.create_publisher(String, "~/state", _LATCHED)
        self._health = node.create_publisher(DiagnosticArray, "/diagnostics", 10)

    def say(self, state: str) -> None:
        """Change the state, see `Relocalizer`."""
        if state != self.state:
            self.state = state
            self._state.publish(String(data=state))

    def forget(self) -> None:
        """Place the frame `enu` anew."""
        self._local = None

    def outcome(self, outcome: Outcome) -> None:
        """Tell what was found in a frame."""
        config = self._config()
        if outcome.accepted or config.publish_refused:
            self._fix.publish(conversions.nav_sat_fix(outcome, config.frame_id))
        frame = MapFrame.of(config.map)
        if outcome.fix and frame:
            self._pose.publish(pose(outcome.fix, outcome.stamp_ns, frame))
        text = hypotheses(outcome)
        self._hypotheses.publish(String(data=text))
        if self._geojson is not None and _heard(self._geojson):
            self._geojson.publish(self._geojson.msg_type(geojson=text))
        if _heard(self._markers):
            frame = frame or self._local_frame(outcome)
            self._markers.publish(markers(outcome_scene(outcome), outcome.stamp_ns, frame))

    @property
    def picture_wanted(self) -> bool:
        """Whether somebody looks at `~/debug_image`."""
        return _heard(self._picture)

    def picture(self, picture: RgbImage, frame: Frame) -> None:
        """Show a frame beside its best match."""
        self._picture.publish(conversions.image(picture, frame.stamp_ns, frame.camera))

    def health(self, status: DiagnosticStatus) -> None:
        """Tell how the node is."""
        message = DiagnosticArray(status=[status])
        message.header.stamp = self._node.get_clock().now().to_msg()
        self._health.publish(message)

    def _local_frame(self, outcome: Outcome) -> MapFrame:
        """East and north of the first place found: large coordinates make RViz tremble."""
        if self._local is None and outcome.hypotheses:
            self._local = MapFrame("enu", outcome.hypotheses[0].position)
        return self._local or MapFrame("enu", GeoPoint(0.0, 0.0))


def _heard(publisher: Publisher[Any]) -> bool:
    return publisher.get_subscription_count() > 0


def _geojson_publisher(node: LifecycleNode) -> Publisher[Any] | None:
    """For Foxglove's map panel, where its messages are installed."""
    try:
        messages = importlib.import_module("foxglove_msgs.msg")
    except ImportError:
        return None
    return node.create_lifecycle_publisher(messages.GeoJSON, "~/geojson", 10)
