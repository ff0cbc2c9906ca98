"""`vlm_vpr calibrate`: how sure is sure enough, learnt on held-out drives."""

from __future__ import annotations

import argparse
import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from vlm_vpr_ros.cli.arguments import (
    Commands,
    add_odometry_argument,
    add_parameter_arguments,
    add_topic_arguments,
    config_of,
    open_sources,
    progress_bar,
)
from vlm_vpr_ros.cli.reading import reading_lines
from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.text import plain

if TYPE_CHECKING:
    from vlm_vpr_ros.calibration.record import Calibration

_TARGETS = (0.01, 0.02, 0.05, 0.1)


def add_parser(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "calibrate",
        help="choose thresholds and scale covariances on held-out drives",
        description="Localize drives that are not in the region and write calibration.json into "
        "it: the gate's threshold for each target, with a guarantee, probabilities and ellipses "
        "that hold. Five or more drives are needed for a promise about further ones.",
    )
    parser.add_argument("region", type=Path, metavar="REGION")
    parser.add_argument("drives", nargs="+", type=Path, metavar="DRIVE", help="see `build`")
    parser.add_argument(
        "--target",
        nargs="+",
        type=_target,
        default=_TARGETS,
        metavar="SHARE",
        help="shares of the answers that may be false (default: 0.01 0.02 0.05 0.1)",
    )
    add_topic_arguments(parser)
    add_odometry_argument(parser)
    add_parameter_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Localize the drives, fit, print and write."""
    from vlm_vpr_ros.calibration.fit import calibrated  # noqa: PLC0415
    from vlm_vpr_ros.calibration.looks import watch_openly  # noqa: PLC0415
    from vlm_vpr_ros.calibration.record import Made  # noqa: PLC0415
    from vlm_vpr_ros.calibration.text import calibration_lines  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.remembering import remembering_networks  # noqa: PLC0415
    from vlm_vpr_ros.region.region import Region  # noqa: PLC0415

    config = config_of(arguments)
    region = Region.open(arguments.region)
    sources = open_sources(arguments, arguments.drives)
    networks = remembering_networks(config, region.features is not None)
    with progress_bar(sum(source.count() for source in sources), "localizing") as advance:
        watched = watch_openly(sources, region, networks, config, advance)
    for line in reading_lines(watched.report, watched.failures):
        print(plain(line))
    found = calibrated(
        watched.drives,
        Made.of(region.manifest, config),
        arguments.target,
        datetime.datetime.now(datetime.timezone.utc),
        frames=config.evidence.max_frames,
    )
    _refuse_if_empty(found)
    print("\n".join(plain(line) for line in calibration_lines(found)))
    found.write(arguments.region)
    print(plain(f"wrote {arguments.region / 'calibration.json'}"))
    return 0


def _refuse_if_empty(found: Calibration) -> None:
    """Raise SourceError if the drives support no target at all: then there is nothing to write."""
    if found.single.thresholds or found.windows.thresholds:
        return
    lines = [
        f"target {refusal.target:g}, {name}: {refusal.why}"
        for name, mode in (("single frames", found.single), ("windows", found.windows))
        for refusal in mode.refusals
    ]
    raise SourceError("\n".join(["nothing can be promised, nothing was written.", *lines]))


def _target(text: str) -> float:
    value = float(text)
    if not 0 < value < 0.5:
        raise ValueError
    return value


_target.__name__ = "share of false answers (above 0, below 0.5)"  # argparse says "invalid ..."
