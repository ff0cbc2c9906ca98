"""What the node listens to."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.node import conversions
from vlm_vpr_ros.types import Frame

_SENSOR = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)


class Inputs:
    """The topic `image`, subscribed to from `open` to `close`.

    Args:
        node: subscribes.
        on_image: is given every serialized image while open.
    """

    def __init__(self, node: Node, on_image: Callable[[bytes], None]) -> None:
        self._node = node
        self._on_image = on_image
        self._image: Any = None

    def open(self, config: NodeConfig) -> None:
        """Subscribe."""
        self._image = self._node.create_subscription(
            conversions.IMAGE_TYPES[config.image_transport],
            "image",
            self._on_image,
            _SENSOR,
            raw=True,  # most frames are never looked at: deserializing them all would be waste
        )

    def close(self) -> None:
        """Subscribe to nothing."""
        if self._image is not None:
            self._node.destroy_subscription(self._image)
            self._image = None

    def load(self, message: bytes) -> Callable[[], Frame]:
        """What decodes a serialized image (`conversions.frame`); it may run in another thread."""
        return partial(conversions.frame, message, self._image.msg_type, self._image.topic_name)
