"""What several commands share: parameters, sources, output files, progress."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, Any, TypeAlias

from vlm_vpr_ros.errors import ConfigError

if TYPE_CHECKING:
    from vlm_vpr_ros.config import NodeConfig
    from vlm_vpr_ros.mapping.observation import Source

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
"""What `add_subparsers` returns; argparse has no public name for it."""


def add_parameter_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --params and --set; `config_of` reads them."""
    parser.add_argument(
        "--params", type=Path, metavar="FILE.yaml", help="ROS 2 parameter file, as for the node"
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="set one parameter, such as gate.target_false_fix_rate=0.01; may be repeated and "
        "outranks --params",
    )


def config_of(arguments: argparse.Namespace) -> NodeConfig:
    """The parameters that --params and --set give.

    Raises:
        ConfigError: an unknown parameter, or a wrong value or file.
    """
    from vlm_vpr_ros.config import node_config, read_parameters  # noqa: PLC0415

    parameters = read_parameters(arguments.params) if arguments.params else {}
    parameters.update(_setting(text) for text in arguments.set)
    return node_config(parameters)


def _setting(text: str) -> tuple[str, Any]:
    from vlm_vpr_ros.files import parse_yaml  # noqa: PLC0415

    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ConfigError(f"--set {text}: expected NAME=VALUE, such as retrieval.candidates=50")
    try:
        return name.strip(), parse_yaml(value)
    except ValueError:
        raise ConfigError(f"--set {text}: the value is not valid YAML") from None


def add_topic_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --image-topic and --fix-topic; `open_sources` reads them."""
    parser.add_argument(
        "--image-topic",
        metavar="T",
        help="images of a bag with several topics; camera of a KITTI drive (default: image_02)",
    )
    parser.add_argument("--fix-topic", metavar="T", help="positions of a bag with several topics")


def add_odometry_argument(parser: argparse.ArgumentParser) -> None:
    """Add --odom-topic; `open_sources` reads it."""
    parser.add_argument(
        "--odom-topic",
        metavar="T",
        help="odometry (nav_msgs/Odometry) of a bag, for the evidence of several frames (default: "
        "not used)",
    )


def metres(text: str) -> float:
    """A distance on the command line."""
    value = float(text)
    if not 0 <= value < float("inf"):
        raise ValueError
    return value


def radius(text: str) -> float:
    """A distance above 0 on the command line."""
    value = metres(text)
    if not value:
        raise ValueError
    return value


def count(text: str) -> int:
    """A number of things on the command line, 1 or more."""
    value = int(text)
    if value < 1:
        raise ValueError
    return value


metres.__name__ = "distance in metres"  # argparse says "invalid <name> value"
radius.__name__ = "distance above 0 in metres"
count.__name__ = "number, 1 or more,"


def open_sources(
    arguments: argparse.Namespace, paths: Sequence[Path], drive: str | None = None
) -> list[Source]:
    """Open bags, tables and folders.

    Raises:
        SourceError: one of them cannot be read.
        ConfigError: one is named twice, and would count twice.
    """
    resolved = [path.resolve() for path in paths]
    for path, place in zip(paths, resolved, strict=True):
        if resolved.count(place) > 1:
            raise ConfigError(f"{path} is named twice")
    from vlm_vpr_ros.mapping.sources import open_source  # noqa: PLC0415

    topics = arguments.image_topic, arguments.fix_topic
    odometry = getattr(arguments, "odom_topic", None)  # not every command has a use for it
    return [open_source(path, drive, *topics, odom_topic=odometry) for path in paths]


def check_output(path: Path, inputs: Iterable[Path]) -> None:
    """See that a file can be written there and is none of the inputs: before the work, not after.

    Args:
        path: what the user wants written.
        inputs: files that are read, and folders (regions, recordings) of which anything may be.

    Raises:
        ConfigError: it cannot, or is.
    """
    if path.is_dir():
        raise ConfigError(f"{path}: is a folder, expected the name of a file")
    target = path if path.exists() and not path.is_file() else path.resolve()
    folder = target.absolute().parent
    if not folder.is_dir():
        raise ConfigError(f"{path}: there is no folder {path.parent}")
    for one in inputs:
        place = one.resolve()
        if target == place or (place.is_dir() and target.is_relative_to(place)):
            where = "lies in" if place.is_dir() else "is"
            raise ConfigError(f"{path}: {where} the input {one}; name another file to write")
    if target.exists() and not os.access(target, os.W_OK):
        raise ConfigError(f"{path}: is write-protected")
    if target.is_file() or not target.exists():  # it is written beside it first
        try:
            TemporaryFile(dir=folder).close()
        except OSError as error:
            raise ConfigError(
                f"{path}: no file can be made in {folder}: {error.strerror}"
            ) from None


@contextmanager
def progress_bar(total: int, doing: str) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, if that is a terminal; yields what advances it."""
    from tqdm import tqdm  # noqa: PLC0415

    with tqdm(total=total, desc=doing, unit=" images", file=sys.stderr, disable=None) as bar:

        def advance(images: int) -> None:
            bar.update(images)

        yield advance
