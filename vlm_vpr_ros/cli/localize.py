"""`vlm_vpr localize`: where single images were taken."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from vlm_vpr_ros.cli.arguments import (
    Commands,
    add_parameter_arguments,
    check_output,
    config_of,
    progress_bar,
)
from vlm_vpr_ros.cli.reading import unused_calibration
from vlm_vpr_ros.errors import ConfigError, SourceError
from vlm_vpr_ros.text import plain

if TYPE_CHECKING:
    from vlm_vpr_ros.localizer import Localizer
    from vlm_vpr_ros.region.references import References
    from vlm_vpr_ros.types import Frame, Outcome, RgbImage

_PICTURES = (".png", ".jpg")
_SHOWN_HYPOTHESES = 3


def add_parser(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "localize",
        help="find where images were taken",
        description="Localize images, each for itself as the first frame after start. Refusing to "
        "answer is an outcome like another: the exit code is 0.",
    )
    parser.add_argument("region", type=Path, metavar="REGION")
    parser.add_argument("images", nargs="+", type=Path, metavar="IMAGE")
    parser.add_argument(
        "--json", action="store_true", help="print a JSON array, one entry an image"
    )
    parser.add_argument(
        "--picture",
        type=Path,
        metavar="FILE.png|.jpg",
        help="draw the image beside its best match there",
    )
    add_parameter_arguments(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Localize the images and print their outcomes."""
    config = config_of(arguments)
    for path in arguments.images:  # a mistyped name is no corrupt image: say so before the work
        if path.is_dir():
            raise SourceError(f"{path} is a folder; expected is a region, then image files")
        if not path.is_file():
            raise SourceError(f"{path}: there is no such image file")

    if arguments.picture:
        _check_picture(arguments.picture, arguments.images)
        inputs = [arguments.region, *arguments.images, arguments.params]
        check_output(arguments.picture, filter(None, inputs))

    from vlm_vpr_ros.evaluation.outcome_picture import OutcomePainter  # noqa: PLC0415
    from vlm_vpr_ros.localizer import Localizer  # noqa: PLC0415
    from vlm_vpr_ros.networks import Networks  # noqa: PLC0415
    from vlm_vpr_ros.outcome_json import outcome_record  # noqa: PLC0415
    from vlm_vpr_ros.region.region import Region  # noqa: PLC0415

    region = Region.open(arguments.region)
    networks = Networks.load(config, features=region.features is not None)
    with closing(Localizer(region, networks, config)) as localizer:
        wait_s = config.prior.wait_s
        if not arguments.json:  # the lines themselves show the progress
            for path in arguments.images:
                frame, outcome = _localized(localizer, path, wait_s)
                print(_text(path, outcome, region.references), flush=True)
            for line in unused_calibration(region, localizer):
                print(plain(line))
        else:
            records = []
            with progress_bar(len(arguments.images), "localizing") as advance:
                for path in arguments.images:
                    frame, outcome = _localized(localizer, path, wait_s)
                    records.append({"image": str(path), **outcome_record(outcome)})
                    advance(1)
            print(json.dumps(records, indent=1, allow_nan=False))
    if arguments.picture and frame:
        painter = OutcomePainter(region, networks.extractor)
        _write_picture(painter.picture(frame, outcome), arguments.picture)
    return 0


def _check_picture(path: Path, images: Sequence[Path]) -> None:
    if len(images) > 1:
        raise ConfigError(f"--picture shows one image, not {len(images)}: localize one by one")
    if path.suffix.lower() not in _PICTURES:
        raise ConfigError(f"{path}: a picture ends in {' or '.join(_PICTURES)}")


def _localized(
    localizer: Localizer, path: Path, wait_for_prior_s: float
) -> tuple[Frame | None, Outcome]:
    """The frame, None if the image cannot be read, and what was found."""
    from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError  # noqa: PLC0415
    from vlm_vpr_ros.images import read_image  # noqa: PLC0415
    from vlm_vpr_ros.types import Frame, Outcome, Reason  # noqa: PLC0415

    try:
        frame = Frame(read_image(path), 0, str(path))
    except UnsupportedEncodingError as error:
        return None, Outcome(0, Reason.UNSUPPORTED_ENCODING, str(error))
    except ImageError as error:
        return None, Outcome(0, Reason.CORRUPT_IMAGE, str(error))
    localizer.reset()
    return frame, localizer.localize(frame, wait_for_prior_s)


def _write_picture(picture: RgbImage, path: Path) -> None:
    from vlm_vpr_ros.evaluation.match_picture import picture_file  # noqa: PLC0415
    from vlm_vpr_ros.files import write_output  # noqa: PLC0415

    write_output(path, picture_file(picture, path.suffix.lower()))
    print(plain(f"wrote {path}"), file=sys.stderr)


def _text(path: Path, outcome: Outcome, references: References) -> str:
    if outcome.fix:
        position, covariance = outcome.fix.position, outcome.fix.covariance_enu_m2
        east, north = covariance[0, 0] ** 0.5, covariance[1, 1] ** 0.5
        sigma = f"±{east:.1f} m east, ±{north:.1f} m north"
        lines = [f"{path}: {position.lat_deg:.6f}, {position.lon_deg:.6f}  {sigma}"]
    else:
        lines = [f"{path}: refused, {outcome.reason.value}"]
    lines.append(f"  {outcome.detail}")
    if outcome.prior.status.value != "off":
        lines.append(f"  prior: {outcome.prior.status.value}, {outcome.prior.detail}")
    for hypothesis in outcome.hypotheses[:_SHOWN_HYPOTHESES]:
        where = f"{hypothesis.position.lat_deg:.6f}, {hypothesis.position.lon_deg:.6f}"
        best = hypothesis.candidates[0].reference
        lines.append(
            f"  {hypothesis.probability:6.1%}  {where}  similarity {hypothesis.similarity:.3f}  "
            f"like {references.source[best]}"
        )
    return "\n".join(plain(line) for line in lines)
