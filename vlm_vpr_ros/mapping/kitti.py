"""KITTI raw drives: images of one camera, placed by the GPS/IMU unit of the car (OXTS RT3003).

    2011_09_26_drive_0002_sync/     (or _extract)
        image_00 … image_03/        data/0000000000.png, timestamps.txt
        oxts/                       data/0000000000.txt, timestamps.txt

Line i of `timestamps.txt` belongs to the file of number i. (Geiger et al., "Vision meets robotics:
the KITTI dataset", IJRR 2013; `oxts/dataformat.txt` names the fields.)
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.images import SUFFIXES, read_image
from vlm_vpr_ros.mapping.coordinates import position_problem
from vlm_vpr_ros.mapping.drives import one_after_another
from vlm_vpr_ros.mapping.fix_track import FixTrack, TimedFix
from vlm_vpr_ros.mapping.observation import Observation, SourceReport
from vlm_vpr_ros.mapping.reader import SourceRequest
from vlm_vpr_ros.mapping.times import parse_time
from vlm_vpr_ros.types import AltitudeDatum, GeoPoint

UNDERSTANDS = "a drive of KITTI raw (image_02/data, oxts/data), or a folder of such drives"

DEFAULT_CAMERA = "image_02"
"""The left colour camera. All four look straight ahead."""

NO_STAMP = "number without a line in timestamps.txt"
DAMAGED = "oxts record that is not 30 numbers"
NOT_ALIGNED = "oxts record without a position (navstat: still initialising)"

_OXTS_BYTES = 4096
_FIELDS = 30
_LAT, _LON, _ALT, _YAW, _POS_ACCURACY, _NAVSTAT = 0, 1, 2, 5, 23, 25
_LOCKING = 3  # navstat 0: invalid, 1: raw IMU, 2: initialising, 3: locking, 4: locked
_LEVER_ARM_M = 1.1
"""From the unit to the cameras (calib_imu_to_velo, calib_velo_to_cam): counted as error."""
_NEAR_NS = 500_000_000


def recognises(path: Path) -> bool:
    """Whether the path is a drive, or a folder with drives in it."""
    return path.is_dir() and next(_drives(path), None) is not None


def open_source(request: SourceRequest) -> KittiRaw:
    """Open one drive or several. Raises `SourceError`."""
    replace(request, image_topic=None).refuse_topics()  # that one names the camera
    return KittiRaw(request)


@dataclass(frozen=True)
class _Record:
    """One line of the GPS/IMU unit."""

    fix: TimedFix
    heading_deg: float


class KittiRaw:
    """The images of one camera of each drive, in the order of their numbers.

    The position is that of the GPS/IMU unit at the image's stamp. Heights are above mean sea level:
    they give 116 m for Karlsruhe, which lies some 48 m higher above the ellipsoid. The stamps have
    no zone.

    Raises:
        SourceError: the camera that was asked for is not there.
    """

    def __init__(self, request: SourceRequest) -> None:
        self._folder = request.path
        self.name = request.name
        self._drive = request.drive
        self._camera = request.image_topic or DEFAULT_CAMERA
        self.report = SourceReport()
        self._drives = one_after_another(sorted(_drives(request.path)), self._drive_of)
        for drive in self._drives:
            if not (drive / self._camera / "data").is_dir():
                there = ", ".join(sorted(p.parent.name for p in drive.glob("image_*/data")))
                raise SourceError(
                    f"{drive.name} has no camera {self._camera}; there is {there or 'none'}; "
                    "choose one with --image-topic"
                )

    def count(self) -> int:
        """Number of images."""
        return sum(len(self._images(drive)) for drive in self._drives)

    def observations(self) -> Iterator[Observation]:
        """Yield the images; `position` is None where the unit gave none near.

        Raises:
            SourceError: timestamps are missing or damaged.
        """
        self.report = SourceReport()
        for drive in self._drives:
            records = self._records(drive / "oxts")
            track = FixTrack(record.fix for record in records)
            stamps = self._stamps(drive / self._camera)
            for path in self._images(drive):
                stamp_ns = self._stamp(stamps, path)
                if stamp_ns is not None:
                    yield self._observe(drive, path, stamp_ns, records, track)

    def _observe(
        self, drive: Path, path: Path, stamp_ns: int, records: list[_Record], track: FixTrack
    ) -> Observation:
        position, sigma_m = track.at(stamp_ns) or (None, None)
        return Observation(
            source=self._relative(path),
            drive=self._drive_of(drive),
            position=position,
            load=partial(read_image, path),
            sigma_m=None if sigma_m is None else math.hypot(sigma_m, _LEVER_ARM_M),
            altitude_datum=AltitudeDatum.MEAN_SEA_LEVEL,
            heading_deg=_heading_deg(records, stamp_ns),
            course_deg=track.course_deg(stamp_ns),
            stamp_ns=stamp_ns,
        )

    def _drive_of(self, drive: Path) -> str:
        return self._drive or drive.resolve().name

    def _images(self, drive: Path) -> list[Path]:
        files = (drive / self._camera / "data").iterdir()
        return sorted(f for f in files if f.suffix.lower() in SUFFIXES and f.stem.isdecimal())

    def _records(self, oxts: Path) -> list[_Record]:
        """What the unit measured, by time."""
        stamps = self._stamps(oxts)
        records = []
        for path in sorted((oxts / "data").glob("*.txt")):
            stamp_ns = self._stamp(stamps, path)
            if stamp_ns is None:
                continue
            record = _record(path, stamp_ns)
            if isinstance(record, str):
                self.report.leave_out(record, self._relative(path))
            else:
                records.append(record)
        return sorted(records, key=lambda record: record.fix.stamp_ns)

    def _stamps(self, sensor: Path) -> list[int | None]:
        """The stamp of each number, in nanoseconds; None where the line is no time."""
        try:
            lines = (sensor / "timestamps.txt").read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            where = self._relative(sensor / "timestamps.txt")
            raise SourceError(f"{where} of {self.name} cannot be read: {error}") from None
        self.report.remark("times without a zone are read as UTC")
        times = [parse_time(line) for line in lines]
        return [None if time is None else time.stamp_ns for time in times]

    def _stamp(self, stamps: list[int | None], path: Path) -> int | None:
        number = int(path.stem) if path.stem.isdecimal() else len(stamps)
        stamp_ns = stamps[number] if number < len(stamps) else None
        if stamp_ns is None:
            self.report.leave_out(NO_STAMP, self._relative(path))
        return stamp_ns

    def _relative(self, path: Path) -> str:
        return path.relative_to(self._folder).as_posix()


def _drives(path: Path) -> Iterator[Path]:
    """The folder itself, those in it and those in their folders, that are drives."""
    for pattern in ("oxts", "*/oxts", "*/*/oxts"):
        for oxts in path.glob(pattern):
            if (oxts / "data").is_dir() and any(oxts.parent.glob("image_*/data")):
                yield oxts.parent


def _record(path: Path, stamp_ns: int) -> _Record | str:
    """What one file of the unit says, or why it cannot be used."""
    try:
        with path.open(encoding="ascii") as file:
            numbers = [float(word) for word in file.read(_OXTS_BYTES).split()]
    except (OSError, ValueError):  # UnicodeDecodeError is one, too
        return DAMAGED
    if len(numbers) != _FIELDS or not all(map(math.isfinite, numbers)):
        return DAMAGED
    if numbers[_NAVSTAT] < _LOCKING:
        return NOT_ALIGNED
    problem = position_problem(numbers[_LAT], numbers[_LON])
    if problem is not None:
        return problem
    position = GeoPoint(numbers[_LAT], numbers[_LON], numbers[_ALT])
    accuracy_m = numbers[_POS_ACCURACY]
    fix = TimedFix(stamp_ns, position, accuracy_m if accuracy_m > 0 else None)
    # The unit's yaw runs counter-clockwise from east.
    return _Record(fix, (90.0 - math.degrees(numbers[_YAW])) % 360.0)


def _heading_deg(records: list[_Record], stamp_ns: int) -> float | None:
    """Where the car headed, from the nearest record; its cameras look there, too."""
    index = bisect_left(records, stamp_ns, key=lambda record: record.fix.stamp_ns)
    near = records[max(index - 1, 0) : index + 1]
    if not near:
        return None
    nearest = min(near, key=lambda record: abs(record.fix.stamp_ns - stamp_ns))
    return nearest.heading_deg if abs(nearest.fix.stamp_ns - stamp_ns) <= _NEAR_NS else None
