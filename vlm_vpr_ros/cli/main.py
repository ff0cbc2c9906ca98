"""`vlm_vpr`: maps, localizes and evaluates at a desk what the node does on a robot."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from vlm_vpr_ros import __version__
from vlm_vpr_ros.cli import (
    build,
    calibrate,
    compare,
    evaluate,
    info,
    localize,
    map,
    models,
    replay,
    sim,
)
from vlm_vpr_ros.errors import VlmVprError
from vlm_vpr_ros.text import plain

_WRONG_INPUT, _INTERRUPTED, _BROKEN_PIPE = 2, 130, 141
"""The last two are what a shell reports of a program ended by SIGINT and SIGPIPE."""


def parser() -> argparse.ArgumentParser:
    """The command line; importing it loads no heavy library."""
    top = argparse.ArgumentParser(
        prog="vlm_vpr",
        description="Find where an image was taken, in a region mapped before: visual place "
        "recognition with a calibrated refusal.",
    )
    top.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in (build, info, map, localize, calibrate, evaluate, compare, replay, models, sim):
        command.add_parser(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 it ran, 2 wrong input, 130 interrupted."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter shows "?" for it
            stream.reconfigure(errors="replace")
    arguments = parser().parse_args(argv)
    try:
        code = int(arguments.run(arguments))
        sys.stdout.flush()  # here, where a closed pipe is expected, and not at exit
        return code
    except VlmVprError as error:
        return _fail(str(error))
    except BrokenPipeError:  # `vlm_vpr info REGION | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _BROKEN_PIPE
    except OSError as error:
        if error.filename is None:
            raise
        return _fail(f"{error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        hint = getattr(arguments, "interrupted", None)
        print("\ninterrupted" + (f"; {hint}" if hint else ""), file=sys.stderr)
        return _INTERRUPTED


def _fail(message: str) -> int:
    for line in message.splitlines():
        print(f"vlm_vpr: {plain(line)}", file=sys.stderr)
    return _WRONG_INPUT


if __name__ == "__main__":
    sys.exit(main())
