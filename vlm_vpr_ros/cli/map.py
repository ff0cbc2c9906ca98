"""`vlm_vpr map`: the references of a region on a map that needs no network."""

from __future__ import annotations

import argparse
from pathlib import Path

from vlm_vpr_ros.cli.arguments import Commands, check_output
from vlm_vpr_ros.text import plain


def add_parser(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "map",
        help="draw a region",
        description="Draw the references of a region: as a picture (.png), or as one page (.html) "
        "to move, zoom and ask, which needs no network, or for other programs (.geojson).",
    )
    parser.add_argument("region", type=Path, metavar="REGION")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.html|.png|.geojson")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Draw the map."""
    from vlm_vpr_ros.evaluation.map import check_map_path, write_map  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.region_scene import region_scene  # noqa: PLC0415
    from vlm_vpr_ros.region.region import Region  # noqa: PLC0415

    check_map_path(arguments.out)
    check_output(arguments.out, [arguments.region])
    write_map(region_scene(Region.open(arguments.region)), arguments.out)
    print(plain(f"wrote {arguments.out}"))
    return 0
