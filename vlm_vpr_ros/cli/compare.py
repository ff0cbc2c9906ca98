"""`vlm_vpr compare`: what a geographic prior changed, from two evaluations."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from vlm_vpr_ros.cli.arguments import Commands
from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.text import aligned, counted

if TYPE_CHECKING:
    from vlm_vpr_ros.evaluation.guidance import Guidance


def add_parser(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "compare",
        help="what a geographic prior changed, from two evaluations",
        description="Compare two results of `evaluate --json` for the same queries: the first "
        "without a prior (--set vlm.model='' and no prior.center), the second with one.",
    )
    parser.add_argument("alone", type=Path, metavar="ALONE.json")
    parser.add_argument("guided", type=Path, metavar="GUIDED.json")
    parser.add_argument(
        "--world",
        type=Path,
        metavar="world.json",
        help="of a simulated drive: compare views that can be recognised, by kind of street",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Compare and print."""
    from vlm_vpr_ros.evaluation.guidance import (  # noqa: PLC0415
        check_roles,
        guidance,
        paired,
        read_evaluation,
    )
    from vlm_vpr_ros.sim.world_file import RECOGNISABLE, read_world  # noqa: PLC0415

    alone, guided = read_evaluation(arguments.alone), read_evaluation(arguments.guided)
    check_roles(alone, guided)
    pairs = paired(alone, guided)
    groups = {"all": pairs}
    if arguments.world:
        world = read_world(arguments.world)
        kinds = [world.kind_of(query.source) for query, _ in pairs]
        groups = {
            kind: [pair for pair, of in zip(pairs, kinds, strict=True) if of == kind]
            for kind in RECOGNISABLE
        }
        groups["together"] = [pair for group in groups.values() for pair in group]
    compared = {
        name: guidance(group, guided.false_fix_m) for name, group in groups.items() if group
    }
    if not compared:
        raise SourceError(f"{arguments.world}: describes other drives than these evaluations")
    print(_table(compared))
    name, last = list(compared.items())[-1]
    print(f"\n{_cases(name, last)}\n\n{_verdict(last)}")
    return 0


def _table(compared: dict[str, Guidance]) -> str:
    head = ["right fixes %", "queries", "alone", "guided", "gain", "ideal", "false alone", "guided"]
    rows = [
        [
            name,
            str(g.queries),
            *(f"{100 * share:.1f}" for share in (g.alone, g.guided)),
            f"{100 * (g.guided - g.alone):+.1f}",
            f"{100 * g.ideal:.1f}",
            str(g.false_alone),
            str(g.false_guided),
        ]
        for name, g in compared.items()
    ]
    return aligned(head, rows)


def _cases(name: str, g: Guidance) -> str:
    head = [f"first place, {name}", "queries", "right alone", "right guided"]
    rows = []
    for (prior, retrieval), (count, alone, guided) in sorted(g.cases.items(), reverse=True):
        words = [("right" if right else "wrong") for right in (prior, retrieval)]
        rows.append([f"prior {words[0]}, retrieval {words[1]}", *map(str, (count, alone, guided))])
    return aligned(head, rows)


def _verdict(g: Guidance) -> str:
    gain, ideal = 100 * (g.guided - g.alone), 100 * (g.ideal - g.alone)
    return (
        f"With the prior {gain:+.1f} points of right fixes over {counted(g.queries, 'view')}; a "
        f"perfect one would give {ideal:+.1f}."
    )
