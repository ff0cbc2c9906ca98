"""Queries in the order in which their drives saw them, and whether they are references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from vlm_vpr_ros.mapping.observation import Observation, Source
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.types import GeoPoint


def in_order(sources: Sequence[Source]) -> Iterator[tuple[Observation, str, bool]]:
    """Yield the observations, the label of their drive, and whether each begins a drive.

    Drives of one name in two sources are numbered.
    """
    label_of: dict[tuple[int, str], str] = {}
    sources_with: Counter[str] = Counter()
    for number, source in enumerate(sources):
        drive = None
        for observation in source.observations():
            key = (number, observation.drive)
            if key not in label_of:
                sources_with[observation.drive] += 1
                count = sources_with[observation.drive]
                label_of[key] = observation.drive + (f" ({count})" if count > 1 else "")
            yield observation, label_of[key], observation.drive != drive
            drive = observation.drive


class KnownReferences:
    """Recognises the images that a region was built from."""

    def __init__(self, references: References) -> None:
        self._known = {
            _identity(source, lat, lon)
            for source, lat, lon in zip(
                references.source, references.lat_deg, references.lon_deg, strict=True
            )
        }

    def contain(self, source: str, position: GeoPoint) -> bool:
        """Whether an image of this name, taken there, is a reference."""
        return _identity(source, position.lat_deg, position.lon_deg) in self._known


def _identity(source: str, lat_deg: float, lon_deg: float) -> tuple[str, float, float]:
    return source, round(float(lat_deg), 7), round(float(lon_deg), 7)
