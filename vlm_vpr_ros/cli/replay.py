"""`vlm_vpr replay`: play a bag on ROS topics where ros2bag is not at hand."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from vlm_vpr_ros.errors import VlmVprError

_TOPIC = re.compile(r"(~?/)?[A-Za-z_]\w*(/[A-Za-z_]\w*)*", re.ASCII)


def add_parser(subparsers: Any) -> None:
    """Add the command to those of `vlm_vpr`."""
    parser = subparsers.add_parser(
        "replay",
        help="play a bag on ROS topics",
        description="Publish the messages of a bag (rosbag2 or ROS 1) on ROS 2 topics, with the "
        "pauses of the recording. ROS_DOMAIN_ID and the like apply as usual.",
    )
    parser.add_argument("bag", type=Path, help="rosbag2 folder, .mcap, .db3 or ROS 1 .bag")
    parser.add_argument(
        "--rate", type=_positive, default=1.0, help="speed; 2 is twice as fast as recorded"
    )
    parser.add_argument("--loop", action="store_true", help="begin anew at the end, until Ctrl-C")
    parser.add_argument(
        "--clock", action="store_true", help="publish /clock, for nodes with use_sim_time"
    )
    parser.add_argument(
        "--remap",
        type=_remap,
        action="append",
        default=[],
        metavar="A:=B",
        help="publish the recorded topic A as B; may be repeated",
    )
    parser.add_argument(
        "--topics", nargs="+", default=[], metavar="TOPIC", help="play only these recorded topics"
    )
    parser.add_argument(
        "--wait-for-subscribers",
        action="store_true",
        help="begin when somebody listens to one of the topics",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Play; returns the exit code.

    Raises:
        VlmVprError: there is no ROS 2 here, or the bag cannot be played.
    """
    try:
        from vlm_vpr_ros.node.replay import replay  # noqa: PLC0415  (other commands need no ROS)
    except ImportError as error:
        raise VlmVprError(
            f"vlm_vpr replay needs ROS 2, which cannot be imported ({error}): source the "
            "setup file of a ROS 2 installation, or pip install ros-kilted-rclpy"
        ) from error
    replay(
        args.bag,
        rate=args.rate,
        loop=args.loop,
        clock=args.clock,
        remaps=dict(args.remap),
        topics=args.topics,
        wait_for_subscribers=args.wait_for_subscribers,
    )
    return 0


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _remap(text: str) -> tuple[str, str]:
    recorded, separator, wanted = text.partition(":=")
    if not (recorded and separator and wanted):
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form /recorded:=/wanted")
    if not _TOPIC.fullmatch(wanted):
        raise argparse.ArgumentTypeError(f"{wanted!r} is no name of a ROS topic")
    return recorded, wanted
