"""`vlm_vpr models check`: a vision-language model tried on photos whose position is known."""

from __future__ import annotations

import argparse
from itertools import islice
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

from vlm_vpr_ros.cli.arguments import add_parameter_arguments, config_of, count, open_sources
from vlm_vpr_ros.cli.models_store import add_store_arguments, open_store
from vlm_vpr_ros.errors import ConfigError, ModelError, SourceError
from vlm_vpr_ros.text import counted, length, plain

if TYPE_CHECKING:
    from vlm_vpr_ros.config import VlmConfig
    from vlm_vpr_ros.model_store.photo_check import CheckedPhoto


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command."""
    parser.add_argument("name", metavar="NAME", help="a fetched model, or the path of a GGUF file")
    parser.add_argument(
        "sources",
        nargs="+",
        type=Path,
        metavar="PHOTOS",
        help="folder of geotagged photos, table, or bag, as for `build`",
    )
    parser.add_argument("--mmproj", metavar="FILE", help="vision tower of a model given by path")
    parser.add_argument("--every", type=count, default=1, metavar="N", help="ask every Nth photo")
    add_parameter_arguments(parser)
    add_store_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Ask about every photo; print each answer as it comes, and then the figures.

    Returns 1 when the model answered nothing at all, as one that cannot be loaded.
    """
    from vlm_vpr_ros.model_store.photo_check import check_photos  # noqa: PLC0415
    from vlm_vpr_ros.prior.gazetteer import Gazetteer  # noqa: PLC0415
    from vlm_vpr_ros.prior.vlm.vlm_prior import VlmPrior  # noqa: PLC0415

    config = _vlm_config(arguments)
    arguments.image_topic = arguments.fix_topic = None
    sources = open_sources(arguments, arguments.sources)
    gazetteer = Gazetteer.load()
    checked: list[CheckedPhoto] = []
    model = VlmPrior(config)
    try:
        for source in sources:
            photos = islice(source.observations(), 0, None, arguments.every)
            for photo in check_photos(model, photos, gazetteer):
                checked.append(photo)
                print(plain(_line(photo)), flush=True)
    finally:
        model.close()
    if not checked:
        raise SourceError("no photo with a position: nothing to compare the answers with")
    print("\n".join(["", *_summary(checked)]))
    return 0 if any(photo.answered for photo in checked) else 1


def _vlm_config(arguments: argparse.Namespace) -> VlmConfig:
    """The parameters `vlm` with the files of the model, which is asked in its own words."""
    config = config_of(arguments).vlm
    if arguments.name.endswith(".gguf"):
        if arguments.mmproj is None:
            raise ConfigError(f"{arguments.name}: name its vision tower with --mmproj")
        chosen = {"model": arguments.name, "mmproj": arguments.mmproj}
    else:
        manifest, store = open_store(arguments)
        entry = manifest.entry(arguments.name)
        model, mmproj = (store.path(entry, file) for file in entry.fetchable().both)
        for path in (model, mmproj):
            if not path.is_file():
                raise ModelError(f"{path}: not there. `vlm_vpr models fetch {entry.name}`")
        handler = config.chat_handler or entry.chat_handler
        chosen = {"model": str(model), "mmproj": str(mmproj), "chat_handler": handler}
    return config.model_copy(update={**chosen, "mode": "open"})


def _line(photo: CheckedPhoto) -> str:
    error = "" if photo.error_m is None else f"{length(photo.error_m)} off, "
    return f"{photo.source}: {photo.said}  ({error}{photo.seconds:.1f} s)"


def _summary(checked: list[CheckedPhoto]) -> list[str]:
    from vlm_vpr_ros.model_store.photo_check import shares_within  # noqa: PLC0415

    shares = [f"{share:.0%} within {km} km" for km, share in shares_within(checked).items()]
    answered = [c for c in checked if c.error_m is not None]
    lines = [f"{counted(len(checked), 'photo')}, {len(answered)} placed: {', '.join(shares)}"]
    if answered:
        error_m = median(c.error_m or 0.0 for c in answered)
        seconds = median(c.seconds for c in answered)
        lines.append(f"median error {length(error_m)}, median time {seconds:.1f} s")
    return lines
