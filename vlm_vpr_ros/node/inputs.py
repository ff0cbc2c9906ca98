"""What the node listens to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from nav_msgs.msg import Odometry as OdometryMessage
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import NavSatFix

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.errors import MessageError
from vlm_vpr_ros.node import conversions
from vlm_vpr_ros.node.inbox import Arrived
from vlm_vpr_ros.node.odometry import OdometryTrack
from vlm_vpr_ros.node.prior_fix import prior_of_fix
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.ros_odometry import planar_pose
from vlm_vpr_ros.types import Frame


class Inputs:
    """The topics `image`, `odom` and `~/prior_fix`, subscribed to from `open` to `close`.

    Best effort, which hears every publisher.

    Args:
        node: subscribes.
        on_image: is given every serialized image while open.
        on_prior: is given every prior that is told, and its stamp in nanoseconds.
    """

    def __init__(
        self,
        node: Node,
        on_image: Callable[[bytes], None],
        on_prior: Callable[[GeoPrior, int], object],
    ) -> None:
        self._node = node
        self._on_image = on_image
        self._on_prior = on_prior
        self._odometry = OdometryTrack()
        self._image: Any = None
        self._others: list[Any] = []
        self._complaints: set[str] = set()

    def open(self, config: NodeConfig) -> None:
        """Subscribe."""
        self._image = self._node.create_subscription(
            conversions.IMAGE_TYPES[config.image_transport],
            "image",
            self._on_image,
            _best_effort(1),
            raw=True,  # most frames are never looked at: deserializing them all would be waste
        )
        self._others = [
            self._node.create_subscription(
                OdometryMessage, "odom", self._on_odometry, _best_effort(10)
            ),
            self._node.create_subscription(
                NavSatFix, "~/prior_fix", self._on_prior_fix, _best_effort(5)
            ),
        ]
        self._complaints.clear()

    def close(self) -> None:
        """Subscribe to nothing, and forget what was heard."""
        for subscription in (self._image, *self._others):
            if subscription is not None:
                self._node.destroy_subscription(subscription)
        self._image, self._others = None, []
        self._odometry.clear()

    def describe(self) -> str:
        """What is listened to, for people."""
        return f"images: {self._image.msg_type.__name__} on {self._image.topic_name}"

    def silence(self) -> str:
        """Why no images come, for people: who publishes on their topic, and what."""
        topic = self._image.topic_name
        expected = f"sensor_msgs/msg/{self._image.msg_type.__name__}"
        published = {info.topic_type for info in self._node.get_publishers_info_by_topic(topic)}
        if not published:
            return f"nobody publishes on {topic}"
        if expected not in published:
            others = ", ".join(sorted(published))
            return f"{topic} carries {others}, not {expected}: see image_transport"
        return f"{topic} has a publisher, which is silent, or its images get lost on their way"

    def load(self, image: Arrived) -> Callable[[], Frame]:
        """What decodes an image (see `conversions.frame`); it may run in another thread."""
        kind, topic = self._image.msg_type, self._image.topic_name

        def decode() -> Frame:
            frame = conversions.frame(image.message, kind, topic)
            return replace(frame, odometry=self._odometry.at(frame.stamp_ns, image.at_s))

        return decode

    def _on_odometry(self, message: OdometryMessage) -> None:
        try:
            self._odometry.put(conversions.stamp_ns(message.header), planar_pose(message))
        except MessageError as error:
            self._complain("odom", error)

    def _on_prior_fix(self, message: NavSatFix) -> None:
        try:
            self._on_prior(prior_of_fix(message), conversions.stamp_ns(message.header))
        except MessageError as error:
            self._complain("~/prior_fix", error)

    def _complain(self, topic: str, error: MessageError) -> None:
        """Log what is wrong with a message, once: the next ones will be alike."""
        text = f"messages on {topic} are left out: {error}"
        if text not in self._complaints:
            self._complaints.add(text)
            self._node.get_logger().warning(text)


def _best_effort(depth: int) -> QoSProfile:
    return QoSProfile(depth=depth, reliability=ReliabilityPolicy.BEST_EFFORT)
