"""Which observations of a recording become references."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.mapping.coordinates import OUT_OF_RANGE, accuracy_problem
from vlm_vpr_ros.mapping.drives import whole_drives
from vlm_vpr_ros.mapping.observation import Observation, Source, SourceReport
from vlm_vpr_ros.region.references import MAX_NAME_BYTES
from vlm_vpr_ros.types import GeoPoint


class Selection:
    """Passes on observations with a position, spaced along their drive.

    Args:
        taken_drives: names that the region has already.
        every_m: smallest distance between consecutive references of a drive, in metres.

    Attributes:
        report: what was not passed on.
    """

    def __init__(self, taken_drives: Collection[str], every_m: float) -> None:
        self._taken_drives = taken_drives
        self._every_m = every_m
        self.report = SourceReport()

    def of(self, sources: Sequence[Source]) -> Iterator[Observation]:
        """Yield the observations to map.

        Raises:
            SourceError: a source cannot be read, does not keep its drives whole, or holds a name
                longer than `MAX_NAME_BYTES`; or two recordings, or one and the region, use the same
                name for a drive: they could not be told apart when drives are held out.
        """
        source_of_drive: dict[str, Source] = {}
        last: dict[str, GeoPoint] = {}
        for source in sources:
            for observation in whole_drives(source):
                position, drive = observation.position, _storable(observation.drive, source)
                if position is None:
                    self.report.leave_out("image without a position", observation.source)
                    continue
                if not (abs(position.lat_deg) <= 90 and abs(position.lon_deg) <= 180):
                    self.report.leave_out(OUT_OF_RANGE, observation.source)
                    continue
                problem = accuracy_problem(position.alt_m, observation.sigma_m)
                if problem is not None:
                    self.report.leave_out(problem, observation.source)
                    continue
                self._check_drive(drive, source, source_of_drive.setdefault(drive, source))
                if drive in last and self._too_near(last[drive], position):
                    reason = f"image less than {self._every_m:g} m from the last"
                    self.report.leave_out(reason, observation.source)
                    continue
                last[drive] = position
                yield replace(
                    observation, drive=drive, source=_storable(observation.source, source)
                )

    def _too_near(self, last: GeoPoint, position: GeoPoint) -> bool:
        if not self._every_m:
            return False
        metres = distance_m(last.lat_deg, last.lon_deg, position.lat_deg, position.lon_deg)
        return float(metres) < self._every_m

    def _check_drive(self, drive: str, source: Source, first: Source) -> None:
        if drive in self._taken_drives:
            raise SourceError(
                f"{source.name}: the region has a drive `{drive}` already. Give this one another "
                "name with --drive."
            )
        if first is not source:
            raise SourceError(
                f"{first.name} and {source.name} both call their drive `{drive}`. Build them one "
                "after the other with --drive NAME, so that they can be told apart."
            )


def _storable(name: str, source: Source) -> str:
    """A name that a region can hold: those of files need not be valid UTF-8."""
    encoded = name.encode(errors="replace")
    if len(encoded) > MAX_NAME_BYTES:
        raise SourceError(
            f"{source.name}: the name `{name[:40]}...` has {len(encoded)} bytes, more than "
            f"{MAX_NAME_BYTES}: shorten it"
        )
    return encoded.decode()
