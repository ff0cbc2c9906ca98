"""Queries in the order in which their drives saw them, and whether they are references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from vlm_vpr_ros.mapping.drives import whole_drives
from vlm_vpr_ros.mapping.observation import Observation, Source
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.types import GeoPoint


def in_order(sources: Sequence[Source]) -> Iterator[tuple[Observation, str, bool]]:
    """Yield the observations, the label of their drive, and whether each begins a drive.

    Drives of one name in two sources are numbered.

    Raises:
        SourceError: a source cannot be read, or does not keep its drives whole.
    """
    sources_with: Counter[str] = Counter()
    for source in sources:
        drive, label = None, ""
        for observation in whole_drives(source):
            begins = observation.drive != drive
            if begins:
                drive = observation.drive
                sources_with[drive] += 1
                count = sources_with[drive]
                label = drive + (f" ({count})" if count > 1 else "")
            yield observation, label, begins


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
