"""Which topics of a bag hold the images and the fixes; a choice is left to the user."""

from __future__ import annotations

from collections.abc import Sequence

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping.bag_file import Topic

IMAGE_TYPES = frozenset(["sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"])
FIX_TYPES = frozenset(["sensor_msgs/msg/NavSatFix"])
ODOMETRY_TYPES = frozenset(["nav_msgs/msg/Odometry"])


def choose_image_topic(topics: Sequence[Topic], bag: str, wanted: str | None) -> Topic:
    """Find the one topic of images, or the one that was asked for.

    Raises:
        SourceError: there is none, or more than one.
    """
    chosen = _choose(topics, IMAGE_TYPES, "image", bag, wanted)
    if chosen is not None:
        return chosen
    if not topics:
        raise SourceError(f"{bag} has no messages: record it again")
    fixes = [topic for topic in topics if topic.type in FIX_TYPES]
    what = " and ".join(f"{topic.count} messages on {topic.name} ({topic.type})" for topic in fixes)
    raise SourceError(
        f"{bag} has {what or f'messages on {_listed(topics)}'}, but no image topic: "
        "record sensor_msgs/Image or CompressedImage as well"
    )


def choose_fix_topic(topics: Sequence[Topic], bag: str, wanted: str | None) -> Topic | None:
    """Find the one topic of fixes, or the one that was asked for; None when there is none.

    Raises:
        SourceError: there is more than one, or not the one that was asked for.
    """
    return _choose(topics, FIX_TYPES, "fix", bag, wanted)


def choose_odom_topic(topics: Sequence[Topic], bag: str, wanted: str | None) -> Topic | None:
    """Find the topic of odometry that was asked for; None when none was.

    Raises:
        SourceError: it is not there.
    """
    return None if wanted is None else _choose(topics, ODOMETRY_TYPES, "odom", bag, wanted)


def _choose(
    topics: Sequence[Topic], types: frozenset[str], kind: str, bag: str, wanted: str | None
) -> Topic | None:
    candidates = [topic for topic in topics if topic.type in types]
    if wanted is not None:
        for topic in candidates:
            if topic.name == wanted:
                return topic
        there = _listed(candidates) or f"no {kind} topic at all, only {_listed(topics)}"
        raise SourceError(f"{bag} has no {kind} topic {wanted}; there is {there}")
    if len(candidates) > 1:
        raise SourceError(
            f"{bag} has {len(candidates)} {kind} topics: {_listed(candidates)}; "
            f"choose one with --{kind}-topic"
        )
    return candidates[0] if candidates else None


def _listed(topics: Sequence[Topic]) -> str:
    return ", ".join(f"{topic.name} ({topic.type}, {topic.count} messages)" for topic in topics)
