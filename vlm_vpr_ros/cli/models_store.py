"""What the commands of `vlm_vpr models` share: which models there are, and where they are kept."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vlm_vpr_ros.model_store.manifest import ModelManifest
    from vlm_vpr_ros.model_store.store import ModelStore

_MANIFEST = "manifest.yaml"


def add_store_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --dir and --manifest; `open_store` reads them."""
    parser.add_argument(
        "--dir", type=Path, metavar="DIR", help="where models are kept (default: your data folder)"
    )
    parser.add_argument(
        "--manifest", type=Path, metavar="FILE", help="a list of models of your own"
    )


def open_store(arguments: argparse.Namespace) -> tuple[ModelManifest, ModelStore]:
    """The models there are, and the folder they are kept in.

    Raises:
        ModelError: the manifest is missing or is none.
    """
    from vlm_vpr_ros.model_store.manifest import read_model_manifest  # noqa: PLC0415
    from vlm_vpr_ros.model_store.store import ModelStore  # noqa: PLC0415
    from vlm_vpr_ros.resources import model_path  # noqa: PLC0415

    path = arguments.manifest or model_path(_MANIFEST)
    return read_model_manifest(path), ModelStore(arguments.dir)
