"""Whether who published on a topic is still there."""

from __future__ import annotations

from rclpy.node import Node


class Tellers:
    """Who told what was heard last on a topic: a node that was started anew has told nothing.

    Args:
        node: listens.
        topic: its full name.
    """

    def __init__(self, node: Node, topic: str) -> None:
        self._node = node
        self._topic = topic
        self._known: set[bytes] = set()

    def told(self) -> None:
        """A message arrived, maybe before its publisher is discovered or after it has gone."""
        self._known = self._present() or self._known

    def gone(self) -> bool:
        """Whether none of those is left that published when the last message arrived."""
        present = self._present()
        self._known = self._known or present
        return bool(self._known) and not self._known & present

    def _present(self) -> set[bytes]:
        found = self._node.get_publishers_info_by_topic(self._topic)
        return {bytes(publisher.endpoint_gid) for publisher in found}
