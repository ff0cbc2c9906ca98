"""`vlm_vpr evaluate`: how well queries with known positions are localized."""

from __future__ import annotations

import argparse
import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from vlm_vpr_ros.cli.arguments import (
    Commands,
    add_odometry_argument,
    add_parameter_arguments,
    add_topic_arguments,
    check_output,
    config_of,
    count,
    open_sources,
    progress_bar,
    radius,
)
from vlm_vpr_ros.cli.reading import reading_lines, unused_calibration
from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.text import plain

if TYPE_CHECKING:
    from vlm_vpr_ros.evaluation.run import Evaluation


def add_parser(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "evaluate",
        help="measure recall, error, false fixes and latency",
        description="Localize queries whose positions are known: causally (frames in order, one "
        "localizer, forgetting at the start of each drive) and cold (each frame as the first).",
    )
    parser.add_argument("region", type=Path, metavar="REGION")
    parser.add_argument("queries", nargs="+", type=Path, metavar="QUERIES", help="see `build`")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result there")
    parser.add_argument(
        "--report", type=Path, metavar="FILE.html", help="write one page to look at there"
    )
    parser.add_argument(
        "--map", type=Path, metavar="FILE.html|.png|.geojson", help="draw the result there"
    )
    parser.add_argument(
        "--false-fix-m",
        type=radius,
        metavar="METRES",
        help="a fix farther from the truth than this is false (default: gate.false_radius_m)",
    )
    parser.add_argument(
        "--frames",
        type=count,
        metavar="N",
        help="score windows of N consecutive frames of a drive, each from a fresh start, at the "
        "place of its last frame",
    )
    add_topic_arguments(parser)
    add_odometry_argument(parser)
    add_parameter_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Evaluate, print the table and write the files asked for."""
    from vlm_vpr_ros.evaluation.drawing import draw  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.evaluation_scene import evaluation_scene  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.map import check_map_path, write_map  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.map_html import page as map_page  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.outcome_picture import OutcomePainter  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.remembering import (  # noqa: PLC0415
        remembering_model,
        remembering_networks,
    )
    from vlm_vpr_ros.evaluation.report import report  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.report_html import report_page  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.report_text import table  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.run import evaluate  # noqa: PLC0415
    from vlm_vpr_ros.evaluation.worst_cases import worst_cases  # noqa: PLC0415
    from vlm_vpr_ros.files import write_output  # noqa: PLC0415
    from vlm_vpr_ros.localizer import Localizer  # noqa: PLC0415
    from vlm_vpr_ros.region.region import Region  # noqa: PLC0415

    config = config_of(arguments)
    _check_outputs(arguments)
    if arguments.map:
        check_map_path(arguments.map)
    if arguments.report and arguments.report.suffix.lower() != ".html":
        raise ConfigError(f"{arguments.report}: a report ends in .html")
    region = Region.open(arguments.region)
    sources = open_sources(arguments, arguments.queries)
    window = arguments.frames or 1
    networks = remembering_networks(config, region.features is not None, window)
    alone = config.of_single_frames
    false_fix_m = arguments.false_fix_m
    if false_fix_m is None:
        false_fix_m = config.gate.false_radius_m
    images = sum(source.count() for source in sources)
    with closing(remembering_model(config, region.places, window)) as model:
        causal, cold = (
            Localizer(region, networks, each, model.keeper(each))
            for each in (alone if arguments.frames == 1 else config, alone)
        )
        with progress_bar(images, "evaluating") as advance:
            evaluation = evaluate(
                sources,
                region.references,
                causal,
                cold,
                advance,
                frames=arguments.frames,
                wait_for_prior_s=config.prior.wait_s,
            )
    scene = evaluation_scene(evaluation, region, false_fix_m)
    record = report(evaluation, region, false_fix_m, config.gate.target_false_fix_rate)
    print(table(record) + "\n")
    for line in [*_remarks(evaluation), *unused_calibration(region, causal)]:
        print(plain(line))
    if arguments.json:
        text = json.dumps(record, indent=1, allow_nan=False) + "\n"
        write_output(arguments.json, text.encode())
        print(plain(f"wrote {arguments.json}"))
    if arguments.map:
        write_map(scene, arguments.map)
        print(plain(f"wrote {arguments.map}"))
    if arguments.report:
        page = report_page(
            record,
            evaluation.causal_scores,
            map_page(draw(scene)),
            worst_cases(
                evaluation, sources, OutcomePainter(region, networks.extractor), false_fix_m
            ),
            _remarks(evaluation),
        )
        write_output(arguments.report, page.encode())
        print(plain(f"wrote {arguments.report}"))
    return 0


def _check_outputs(arguments: argparse.Namespace) -> None:
    inputs = [p for p in (arguments.region, *arguments.queries, arguments.params) if p]
    outputs = [p for p in (arguments.json, arguments.map, arguments.report) if p]
    for path in outputs:
        check_output(path, inputs)
        if sum(path.resolve() == other.resolve() for other in outputs) > 1:
            raise ConfigError(f"{path}: two results cannot be written to one file")


def _remarks(evaluation: Evaluation) -> list[str]:
    lines = reading_lines(evaluation.report, evaluation.failures)
    if evaluation.own_references:
        lines.append(
            f"warning: {evaluation.own_references:,} of the queries are references of this region: "
            "to find them again says nothing about another drive"
        )
    return lines
