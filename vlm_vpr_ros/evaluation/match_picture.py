"""A frame beside what it was matched with, joined by the lines of its inliers."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from vlm_vpr_ros.text import plain
from vlm_vpr_ros.types import RgbImage
from vlm_vpr_ros.verification.verifier import PairMatch

COMMON_SCALE_PX = 640
"""Longer side of both images, in whose pixels the default local features give their keypoints."""

_GAP_PX = 8
_INLIER, _OUTLIER = (64, 224, 112), (235, 160, 60)
_GROUND, _PANEL, _INK, _FAINT = (20, 23, 28), (44, 49, 58), (238, 240, 243), (150, 157, 168)
_LINE_OPACITY = 0.6
_FONT_PX, _LINE_PX, _PAD_PX = 17, 24, 10


def match_picture(
    query: RgbImage,
    reference: RgbImage | None,
    match: PairMatch | None,
    caption: str,
    long_side: int = COMMON_SCALE_PX,
) -> RgbImage:
    """Draw two images side by side over a strip of text.

    Inliers are green and joined; the other matches are orange dots.

    Args:
        query: the frame, of any size.
        reference: what it is compared with, a thumbnail will do; None: its keypoints are drawn on
            a plain panel.
        match: between them; None: nothing is joined.
        caption: lines of text; none, no strip.
        long_side: pixels of the longer side of both images in the scale of the match.

    Returns:
        About 2 * long_side wide.
    """
    left = _scaled(query, long_side)
    right = _scaled(reference, long_side) if reference is not None else _panel(left, match)
    lines = caption.splitlines()
    height = max(left.shape[0], right.shape[0])
    width = left.shape[1] + _GAP_PX + right.shape[1]
    strip = 2 * _PAD_PX + _LINE_PX * len(lines) if lines else 0
    picture = np.empty((height + strip, width, 3), np.uint8)
    picture[:] = _GROUND
    right_x = left.shape[1] + _GAP_PX
    for panel, x in ((left, 0), (right, right_x)):
        y = (height - panel.shape[0]) // 2
        picture[y : y + panel.shape[0], x : x + panel.shape[1]] = panel
    if match is not None:
        _draw_match(
            picture[:height],
            match.query + np.array([0, (height - left.shape[0]) // 2]),
            match.reference + np.array([right_x, (height - right.shape[0]) // 2]),
            match.inliers,
        )
    texts = [(_PAD_PX, height + _PAD_PX + _LINE_PX * i, line, _INK) for i, line in enumerate(lines)]
    if reference is None:
        texts.append((right_x + _PAD_PX, _PAD_PX, "no picture of this reference is stored", _FAINT))
    return _written(picture, texts)


def picture_file(picture: RgbImage, suffix: str, jpeg_quality: int = 90) -> bytes:
    """A picture as the content of a file, .jpg or .png."""
    options = (cv2.IMWRITE_JPEG_QUALITY, jpeg_quality) if suffix == ".jpg" else ()
    bgr = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    encoded: bytes = cv2.imencode(suffix, bgr, options)[1].tobytes()
    return encoded


def _scaled(image: RgbImage, long_side: int) -> RgbImage:
    height, width = image.shape[:2]
    scale = long_side / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8)


def _panel(like: RgbImage, match: PairMatch | None) -> RgbImage:
    """Plain, as large as the other image or as its keypoints need."""
    height, width = like.shape[:2]
    if match is not None and len(match.reference):
        far_x, far_y = np.floor(match.reference.max(axis=0)).astype(int) + 1
        height, width = max(height, int(far_y)), max(width, int(far_x))
    panel = np.empty((height, width, 3), np.uint8)
    panel[:] = _PANEL
    return panel


def _draw_match(
    picture: RgbImage,
    a: npt.NDArray[np.float64],
    b: npt.NDArray[np.float64],
    inliers: npt.NDArray[np.bool_],
) -> None:
    starts, ends = np.round(a).astype(int).tolist(), np.round(b).astype(int).tolist()
    lined = picture.copy()
    for start, end, agrees in zip(starts, ends, inliers, strict=True):
        if agrees:
            cv2.line(lined, start, end, _INLIER, 1, cv2.LINE_AA)
    cv2.addWeighted(lined, _LINE_OPACITY, picture, 1 - _LINE_OPACITY, 0, dst=picture)
    for start, end, agrees in zip(starts, ends, inliers, strict=True):
        for point in (start, end):
            colour, radius = (_INLIER, 3) if agrees else (_OUTLIER, 2)
            cv2.circle(picture, point, radius, colour, -1, cv2.LINE_AA)


def _written(
    picture: RgbImage, texts: list[tuple[int, int, str, tuple[int, int, int]]]
) -> RgbImage:
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(_FONT_PX)
    for x, y, text, colour in texts:
        draw.text((x, y), _fitting(plain(text), font, picture.shape[1] - x - _PAD_PX), colour, font)
    return np.array(image)


def _fitting(text: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: int) -> str:
    """The text, cut where it would leave the picture."""
    if font.getlength(text) <= width:
        return text
    kept = next((n for n in range(len(text), 0, -1) if font.getlength(text[:n] + "…") <= width), 0)
    return text[:kept] + "…"
