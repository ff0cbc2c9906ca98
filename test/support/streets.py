"""Recordings of streets that do not exist: textured images at known positions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.geodesy import displaced
from vlm_vpr_ros.mapping.observation import Observation, SourceReport
from vlm_vpr_ros.types import AltitudeDatum, GeoPoint, RgbImage

ORIGIN = (45.4, 11.9)


def view(place: int, visit: int = 0, size: tuple[int, int] = (96, 128)) -> RgbImage:
    """A textured image of a place; another visit adds other noise to the same texture."""
    rng = np.random.default_rng(1000 + place)
    rows, columns = rng.integers(2, 24, 2)
    blocks = rng.integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    tint = rng.uniform(0.2, 1.0, 3)
    image = cv2.resize(blocks, size[::-1], interpolation=cv2.INTER_NEAREST) * tint
    noise = np.random.default_rng(7000 * visit + place).normal(0, 3, image.shape) if visit else 0
    return np.clip(image + noise, 0, 255).astype(np.uint8)


def bad_image() -> RgbImage:
    """What a reader's `load` does with an image that it cannot decode."""
    raise ImageError("photo_3.jpg: the file ends too early")


@dataclass
class FakeSource:
    """A `Source` whose observations lie in memory."""

    name: str
    content: Sequence[Observation]
    report: SourceReport = field(default_factory=SourceReport)

    def count(self) -> int:
        return len(self.content)

    def observations(self) -> Iterator[Observation]:
        yield from self.content


def observation(place: int, drive: str, visit: int = 0, **changes: object) -> Observation:
    """Place i lies 60 m * i east of ORIGIN."""

    def load() -> RgbImage:
        return view(place, visit)

    values: dict[str, object] = {
        "source": f"{drive}/{place:04d}.png",
        "drive": drive,
        "position": GeoPoint(*displaced(*ORIGIN, 60.0 * place, 0.0), 100.0 + place),
        "load": load,
        "sigma_m": 1.5,
        "altitude_datum": AltitudeDatum.ELLIPSOID,
        "heading_deg": 90.0,
        "stamp_ns": 1_700_000_000_000_000_000 + place * 10**9,
    }
    return Observation(**(values | changes))  # type: ignore[arg-type]


def drive(
    name: str,
    places: Sequence[int],
    visit: int = 0,
    loads: dict[int, Callable[[], RgbImage]] | None = None,
) -> FakeSource:
    """A recording of some places; `loads` replaces how the images of some of them are read."""
    content = [
        observation(
            place, name, visit, **({"load": loads[place]} if place in (loads or {}) else {})
        )
        for place in places
    ]
    return FakeSource(name, content)
