"""Plots as SVG that stands in a page: no file, no script, coloured by the page's style sheet.

A plot is made of classes, not colours (`.s1` to `.s5` for series, `.axis`, `.grid`, `.guide`), so
that one drawing suits light and dark pages. All text is escaped.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 420, 290
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 24, 12, 46


@dataclass(frozen=True)
class Axis:
    """One direction of a plot.

    Attributes:
        title: what is counted, with its unit.
        low: value at the start.
        high: value at the end.
        ticks: values with a mark, and their names.
        logarithmic: then `low` is positive, and smaller values are drawn there.
    """

    title: str
    low: float
    high: float
    ticks: Sequence[tuple[float, str]]
    logarithmic: bool = False

    def share(self, value: float) -> float:
        """How far along the axis a value lies, 0 to 1; values outside lie at its ends."""
        value = min(max(value, self.low), self.high)
        if self.logarithmic:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def percent_axis(title: str, low: float = 0.0) -> Axis:
    """Of shares, from `low` to 1."""
    step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if (1 - low) / s <= 5.001)
    count = round((1 - low) / step)
    ticks = [(1 - i * step, f"{100 * (1 - i * step):.0f} %") for i in range(count, -1, -1)]
    return Axis(title, low, 1.0, ticks)


class Plot:
    """Collects marks over two axes.

    Args:
        label: says what is shown to those who cannot see it.
        x: to the right.
        y: upwards.
    """

    def __init__(self, label: str, x: Axis, y: Axis) -> None:
        self._label = label
        self._x, self._y = x, y
        self._marks: list[str] = []

    def line(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """A polyline."""
        text = " ".join(f"{self._px(x):.1f},{self._py(y):.1f}" for x, y in points)
        self._marks.append(f'<polyline class="line {style}" points="{text}"/>')

    def steps(self, points: Sequence[tuple[float, float]], style: str) -> None:
        """A line that keeps its height until the next point."""
        corners = [
            corner
            for (x, y), (_, last_y) in zip(points, [points[0], *points][: len(points)], strict=True)
            for corner in ((x, last_y), (x, y))
        ]
        self.line(corners, style)

    def dot(self, x: float, y: float, style: str, tip: str, radius: float = 4.5) -> None:
        """A dot that says more when pointed at."""
        self._marks.append(
            f'<circle class="dot {style}" cx="{self._px(x):.1f}" cy="{self._py(y):.1f}" '
            f'r="{radius:.1f}"><title>{html.escape(tip)}</title></circle>'
        )

    def whisker(self, x: float, low: float, high: float, style: str) -> None:
        """A vertical bar from low to high."""
        self.line([(x, low), (x, high)], f"whisker {style}")

    def svg(self) -> str:
        """The plot."""
        return (
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-label="{html.escape(self._label)}">' + self._furniture() + "".join(self._marks)
        ) + "</svg>"

    def _px(self, x: float) -> float:
        return _LEFT + self._x.share(x) * (WIDTH - _LEFT - _RIGHT)

    def _py(self, y: float) -> float:
        return HEIGHT - _BOTTOM - self._y.share(y) * (HEIGHT - _TOP - _BOTTOM)

    def _furniture(self) -> str:
        left, right, top, bottom = _LEFT, WIDTH - _RIGHT, _TOP, HEIGHT - _BOTTOM
        parts = []
        for value, name in self._y.ticks:
            y = f"{self._py(value):.1f}"
            parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{y}" y2="{y}"/>')
            parts.append(_word((left - 7, self._py(value) + 4), name, "end"))
        for value, name in self._x.ticks:
            x = f"{self._px(value):.1f}"
            parts.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{top}" y2="{bottom}"/>')
            parts.append(_word((self._px(value), bottom + 17), name, "middle"))
        parts.append(_word(((left + right) / 2, HEIGHT - 8), self._x.title, "middle", "title"))
        middle = (top + bottom) / 2
        turned = f'<g transform="rotate(-90 14 {middle:.1f})">'
        parts.append(turned + _word((14, middle), self._y.title, "middle", "title") + "</g>")
        return "".join(parts)


def bars(label: str, rows: Sequence[tuple[str, float, float, str]], style: str) -> str:
    """Horizontal bars, each with a whisker and a note at its end.

    Args:
        label: says what is shown to those who cannot see it.
        rows: name, length of the bar, end of the whisker (not shorter), note.
        style: class of the bars.
    """
    name_width, note_width, row_height = 124, 118, 28
    most = max([end for _, _, end, _ in rows] + [1e-9])
    scale = (WIDTH - name_width - note_width) / most
    height = row_height * len(rows) + 4
    parts = []
    for i, (name, length, end, note) in enumerate(rows):
        y = 2 + i * row_height
        middle = y + row_height / 2
        at = name_width + end * scale
        parts.append(_word((name_width - 8, middle + 4), name, "end"))
        parts.append(
            f'<rect class="bar {style}" x="{name_width}" y="{y + 5}" rx="2" '
            f'width="{max(length * scale, 1):.1f}" height="{row_height - 10}"/>'
        )
        if end > length:
            start = name_width + length * scale
            parts.append(
                f'<polyline class="line whisker {style}" '
                f'points="{start:.1f},{middle:.1f} {at:.1f},{middle:.1f}"/>'
            )
        parts.append(_word((at + 6, middle + 4), note, "start"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(label)}">'
        + "".join(parts)
        + "</svg>"
    )


def _word(at: tuple[float, float], text: str, anchor: str, style: str = "axis") -> str:
    return (
        f'<text class="{style}" x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}">'
        f"{html.escape(text)}</text>"
    )
