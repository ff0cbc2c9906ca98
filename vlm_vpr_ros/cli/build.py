"""`vlm_vpr build`: recordings become a region."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vlm_vpr_ros.cli.arguments import (
    Commands,
    add_topic_arguments,
    metres,
    open_sources,
    progress_bar,
)
from vlm_vpr_ros.cli.reading import reading_lines
from vlm_vpr_ros.text import counted, plain, size

if TYPE_CHECKING:
    from vlm_vpr_ros.mapping.builder import BuildSummary


def add_parser(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "build",
        help="map recordings: make a region, or add to it",
        description="Make a region from geotagged images, or add drives to an existing one. A "
        "source is a rosbag2 or ROS 1 bag, a CSV table of images with positions, a KITTI drive, "
        "images named @UTM_east@UTM_north@..., or a folder of photos with GPS tags. An image that "
        "cannot be read is counted and named at the end.",
    )
    parser.add_argument("sources", nargs="+", type=Path, metavar="SOURCE")
    parser.add_argument("--out", type=Path, required=True, metavar="REGION")
    parser.add_argument(
        "--drive", metavar="NAME", help="name of the drive, instead of the source's"
    )
    parser.add_argument(
        "--every",
        type=metres,
        default=0.0,
        metavar="METRES",
        help="skip images nearer than this to the last one of their drive",
    )
    add_topic_arguments(parser)
    parser.add_argument("--encoder", metavar="NAME", help="name or path of a model card")
    parser.add_argument(
        "--no-features",
        action="store_true",
        help="leave out the local features: a third of the time and of the size, and no geometric "
        "verification",
    )
    parser.add_argument(
        "--no-thumbnails",
        action="store_true",
        help="keep no small pictures (160 pixels, at most 3 kB each) of the images: reports and "
        "~/debug_image then show keypoints in their place",
    )
    parser.add_argument("--resume", action="store_true", help="continue an interrupted build")
    parser.set_defaults(run=run, interrupted="--resume continues")


def run(arguments: argparse.Namespace) -> int:
    """Build, and say what became of it."""
    from vlm_vpr_ros.config import EncoderConfig, LocalizerConfig  # noqa: PLC0415
    from vlm_vpr_ros.mapping.builder import build_region  # noqa: PLC0415
    from vlm_vpr_ros.networks import Networks  # noqa: PLC0415

    sources = open_sources(arguments, arguments.sources, arguments.drive)
    named = {"name": arguments.encoder} if arguments.encoder else {}
    config = LocalizerConfig(encoder=EncoderConfig(**named))
    networks = Networks.load(config, features=not arguments.no_features)
    out = arguments.out if arguments.out.name not in {"", ".."} else arguments.out.resolve()
    with progress_bar(sum(source.count() for source in sources), "mapping") as advance:
        summary = build_region(
            sources,
            out,
            networks,
            every_m=arguments.every,
            thumbnails=not arguments.no_thumbnails,
            resume=arguments.resume,
            progress=advance,
        )
    print(_text(summary))
    return 0


def _text(summary: BuildSummary) -> str:
    lines = [f"added {drive}: {counted(n, 'reference')}" for drive, n in summary.added.items()]
    lines += reading_lines(summary.report, summary.failures)
    stored = sum(f.stat().st_size for f in summary.region.rglob("*") if f.is_file())
    lines.append(f"region {summary.region}: {counted(summary.total, 'reference')}, {size(stored)}")
    lines.append(
        f"next: vlm_vpr info {summary.region}   or   vlm_vpr localize {summary.region} IMAGE"
    )
    return "\n".join(plain(line) for line in lines)
