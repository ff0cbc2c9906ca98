"""Words on boards: shop signs, street names, the sign with the town's name."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from vlm_vpr_ros.sim.looks import Colour
from vlm_vpr_ros.types import RgbImage


def board(
    text: str, ground: Colour, letters: Colour, size: tuple[int, int], serif: bool = False
) -> RgbImage:
    """A framed board with one line of text, as large as it fits; `size` is width and height."""
    width, height = size
    image = Image.new("RGB", size, ground)
    pen = ImageDraw.Draw(image)
    pen.rectangle((2, 2, width - 3, height - 3), outline=letters, width=max(1, height // 24))
    points = round(height * 0.68)
    while points > 8 and pen.textlength(text, font=_font(points, serif)) > width * 0.9:
        points -= 2
    pen.text((width / 2, height / 2), text, fill=letters, font=_font(points, serif), anchor="mm")
    return np.array(image)


@lru_cache(maxsize=64)
def _font(size: int, serif: bool) -> ImageFont.FreeTypeFont:
    """DejaVu, which comes with matplotlib and has Greek letters."""
    name = "DejaVuSerif-Bold.ttf" if serif else "DejaVuSans-Bold.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)
