"""HEIC photos of phones, decoded in a process of their own.

The native decoder can crash on a damaged file, and with it whoever called it: a build of hours, a
node. Starting a process for each photo costs about a tenth of a second.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError
from vlm_vpr_ros.heif_worker import ABSENT, REFUSED
from vlm_vpr_ros.types import RgbImage

TIMEOUT_S = 60.0


class Heif(NamedTuple):
    """A decoded photo; `pixels` is None when only EXIF was asked for."""

    exif: bytes
    pixels: RgbImage | None


def is_heif(start: bytes) -> bool:
    """Whether a file that starts so is HEIC/HEIF (or a relative: AVIF, MP4)."""
    return start[4:8] == b"ftyp"


def read_heif(data: bytes, what: str, max_pixels: int, pixels: bool = True) -> Heif:
    """Decode a HEIC/HEIF file.

    Upright by the container's own rotation: EXIF Orientation does not count in HEIF.

    Args:
        data: the whole file.
        what: names the image in error messages.
        max_pixels: larger images are refused undecoded.
        pixels: False reads the EXIF block only.

    Raises:
        ImageError: too large, damaged, or something else than HEIC.
        UnsupportedEncodingError: the decoder is not installed.
    """
    command = [sys.executable, "-m", "vlm_vpr_ros.heif_worker", str(max_pixels), str(int(pixels))]
    package_folder = Path(__file__).resolve().parents[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package_folder), *sys.path])}
    try:
        done = subprocess.run(
            command, input=data, capture_output=True, timeout=TIMEOUT_S, env=environment,
            cwd=package_folder, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise ImageError(f"{what} keeps the HEIC decoder busy: convert it to JPEG") from error
    if done.returncode == ABSENT:
        raise UnsupportedEncodingError(
            f"{what} is HEIC: install the Python package pi-heif, or convert it to JPEG"
        )
    if done.returncode != 0:
        reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        if done.returncode != REFUSED:
            reason = ["it crashes the HEIC decoder"]
        raise ImageError(f"{what} cannot be decoded ({''.join(reason)}): copy or convert it again")
    out = io.BytesIO(done.stdout)
    header = json.loads(out.readline())
    exif = out.read(header["exif_bytes"])
    if not pixels:
        return Heif(exif, None)
    flat = np.frombuffer(bytearray(out.read()), np.uint8)
    return Heif(exif, flat.reshape(header["height"], header["width"], 3))
