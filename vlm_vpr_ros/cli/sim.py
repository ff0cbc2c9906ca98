"""`vlm_vpr sim`: recordings of a simulated world."""

from __future__ import annotations

import argparse
from pathlib import Path

from vlm_vpr_ros.cli.arguments import Commands, progress_bar
from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.text import counted, plain

_DRIVES = 20


def add_parser(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "sim",
        help="render drives through a simulated world",
        description="Render towns at real coordinates in five countries and record drives through "
        "them as rosbag2 (mcap): images, camera_info, odometry, satellite fixes of the mapping "
        "drives (/fix), and the truth (/truth/fix). Some streets are copied from town to town. "
        "world.json, written last, says what is true about every image. Needs Panda3D "
        "(requirements/sim.txt), but no GPU and no display.",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    parser.add_argument("--seed", type=_seed, default=1, metavar="N", help="of the world")
    parser.add_argument(
        "--preset",
        choices=("demo", "statistics"),
        default="demo",
        help="demo: ten short drives to calibrate on, and one query with three kidnappings, a "
        "stretch outside the map, a covered lens; statistics: many drives to calibrate on and to "
        "score (default: demo)",
    )
    parser.add_argument(
        "--drives",
        type=_drives,
        metavar="N",
        help="with --preset statistics: as many to calibrate on, and as many to score (default: "
        f"{_DRIVES})",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Render, and say where everything is."""
    from vlm_vpr_ros.sim import drives  # noqa: PLC0415
    from vlm_vpr_ros.sim.simulate import simulate  # noqa: PLC0415

    out, seed = arguments.out, arguments.seed
    planned = drives.mapping_drives(seed)
    if arguments.preset == "demo":
        if arguments.drives:
            raise ConfigError("--drives needs --preset statistics: the demo has its own drives")
        planned += [*drives.calibration_drives(seed), drives.demo_query(seed)]
    else:
        planned += drives.statistics_drives(seed, arguments.drives or _DRIVES)
    with progress_bar(drives.total_frames(planned), "rendering") as advance:
        world = simulate(planned, out, seed, advance)
    print(plain(f"recorded {counted(len(planned), 'drive')} in {out}; {world} describes them"))
    print(plain(f"next: vlm_vpr build {out}/map_* --fix-topic /fix --every 2 --out REGION"))
    return 0


def _seed(text: str) -> int:
    value = int(text)
    if not 0 <= value < 2**31:
        raise ValueError
    return value


def _drives(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 500:
        raise ValueError
    return value


_seed.__name__ = "seed (a whole number from 0)"  # argparse says "invalid <name> value"
_drives.__name__ = "number of drives (1 to 500)"
