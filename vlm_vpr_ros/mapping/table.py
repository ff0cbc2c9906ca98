"""A CSV of images and where they were taken; the images lie in the table's folder."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.images import read_image
from vlm_vpr_ros.mapping.columns import SPELLINGS, altitude_datum, find_columns, time_unit
from vlm_vpr_ros.mapping.coordinates import position_problem
from vlm_vpr_ros.mapping.drives import one_after_another
from vlm_vpr_ros.mapping.observation import Observation, SourceReport
from vlm_vpr_ros.mapping.reader import SourceRequest
from vlm_vpr_ros.mapping.times import parse_time
from vlm_vpr_ros.types import AltitudeDatum, GeoPoint

UNDERSTANDS = "a .csv or .tsv table of images (path, lat, lon[, alt, heading, time, drive, sigma])"
TOO_MANY_CELLS = "more cells than the header (a decimal comma that is not in quotes?)"


def recognises(path: Path) -> bool:
    """Whether the path is a table, judged by its ending."""
    return path.is_file() and path.suffix.lower() in {".csv", ".tsv"}


def open_source(request: SourceRequest) -> TableSource:
    """Open a table. Raises `SourceError`."""
    request.refuse_topics()
    return TableSource(request)


class TableSource:
    """A table whose columns are known.

    Raises:
        SourceError: it cannot be read as a table, or lacks a column that is needed.
    """

    def __init__(self, request: SourceRequest) -> None:
        self._path = request.path
        self._folder = request.path.parent
        self.name = request.name
        self._drive = request.drive
        self.report = SourceReport()
        rows = self._rows()
        _, header = next(rows, (0, []))
        self._width = len(header)
        self._columns = find_columns(header)
        for role in ("path", "lat", "lon"):
            if role not in self._columns:
                raise SourceError(
                    f"{self.name} has no column for {role} (spelled {', '.join(SPELLINGS[role])}); "
                    f"its first row is: {', '.join(header) or 'empty'}"
                )
        self._count = sum(1 for _ in rows)

    def count(self) -> int:
        """Number of rows below the header."""
        return self._count

    def observations(self) -> Iterator[Observation]:
        """Yield the images of each drive in the order of the rows.

        A row without coordinates has no position; one of more cells than the header is left out:
        a decimal comma that is not in quotes moves all that follows it.
        """
        self.report = SourceReport()
        rows: Iterable[tuple[int, list[str]]] = islice(self._rows(), 1, None)
        if "drive" in self._columns and not self._drive:
            rows = one_after_another(rows, lambda row: self._drive_of(row[1]))
        for number, row in rows:
            observation = self._observe(number, row)
            if observation is not None:
                yield observation

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield (line number, cells) of every row that is not blank, the header first."""
        try:
            with self._path.open(encoding="utf-8-sig", newline="") as file:
                first = file.readline()
                file.seek(0)
                self._delimiter = max(",;\t", key=first.count)
                # Python 3.10's csv ends at a NUL, later ones take it as any other character.
                lines = (line.replace("\0", "\N{REPLACEMENT CHARACTER}") for line in file)
                reader = csv.reader(lines, delimiter=self._delimiter)
                for row in reader:
                    if any(cell.strip() for cell in row):
                        yield reader.line_num, row
        except UnicodeDecodeError as error:
            raise SourceError(f"{self.name} is not UTF-8 ({error}): save it as UTF-8") from error
        except (csv.Error, OSError) as error:
            raise SourceError(f"{self.name} cannot be read as a table: {error}") from error

    def _cell(self, row: Sequence[str], role: str) -> str:
        column = self._columns.get(role)
        return row[column.index].strip() if column and column.index < len(row) else ""

    def _observe(self, number: int, row: Sequence[str]) -> Observation | None:
        text = self._cell(row, "path")
        where = f"row {number}: {text}"
        if any(cell.strip() for cell in row[self._width :]):
            self.report.leave_out(TOO_MANY_CELLS, where)
            return None
        relative = self._inside(text)
        if relative is None:
            self.report.leave_out("image path that leaves the table's folder", where)
            return None
        path = self._folder / relative
        if not path.is_file():
            self.report.leave_out("image file is missing", where)
            return None
        lat, lon = self._cell(row, "lat"), self._cell(row, "lon")
        position = None
        if lat or lon:
            lat_deg, lon_deg = self._number(lat), self._number(lon)
            problem = position_problem(lat_deg, lon_deg)
            if problem is not None:
                self.report.leave_out(problem, f"{where} (latitude {lat}, longitude {lon})")
                return None
            position = GeoPoint(lat_deg, lon_deg, self._optional(row, "alt", where))
        return Observation(
            source=relative,
            drive=self._drive_of(row),
            position=position,
            load=partial(read_image, path),
            sigma_m=self._sigma_m(row, where),
            altitude_datum=altitude_datum(self._columns["alt"].spelling)
            if "alt" in self._columns
            else AltitudeDatum.UNKNOWN,
            heading_deg=self._heading_deg(row, where),
            stamp_ns=self._stamp_ns(row, where),
        )

    def _drive_of(self, row: Sequence[str]) -> str:
        return self._drive or self._cell(row, "drive") or self._path.stem

    def _inside(self, text: str) -> str | None:
        """The path relative to the table's folder, or None when it leaves it.

        Judged by its text: links that the user made inside the folder are welcome.
        """
        if not text or "\0" in text:
            return None
        folder = os.path.abspath(self._folder)  # noqa: PTH100  (resolve() would follow links)
        relative = os.path.relpath(os.path.normpath(os.path.join(folder, text)), folder)  # noqa: PTH118
        inside = Path(relative)
        return None if inside.parts[:1] in {(), ("..",)} else inside.as_posix()

    def _number(self, text: str) -> float:
        """A number, NaN when it is none; tables not separated by commas may have decimal commas."""
        try:
            return float(text if self._delimiter == "," else text.replace(",", "."))
        except ValueError:
            return math.nan

    def _optional(self, row: Sequence[str], role: str, where: str) -> float | None:
        text = self._cell(row, role)
        if not text:
            return None
        number = self._number(text)
        if math.isfinite(number):
            return number
        self.report.leave_out(f"{role} that is not a number (image kept)", where)
        return None

    def _sigma_m(self, row: Sequence[str], where: str) -> float | None:
        sigma_m = self._optional(row, "sigma", where)
        if sigma_m is not None and sigma_m <= 0:
            self.report.leave_out("sigma that is not above 0 (image kept)", where)
            return None
        return sigma_m

    def _heading_deg(self, row: Sequence[str], where: str) -> float | None:
        heading_deg = self._optional(row, "heading", where)
        if heading_deg is None:
            return None
        if self._columns["heading"].spelling == "yaw_deg":
            self.report.remark(
                "yaw_deg is read clockwise from true north; a yaw in the ENU frame of ROS runs "
                "counter-clockwise from east: convert it (heading_deg = 90 - yaw_deg)"
            )
        return heading_deg % 360.0

    def _stamp_ns(self, row: Sequence[str], where: str) -> int | None:
        text = self._cell(row, "time")
        if not text:
            return None
        time = parse_time(text, time_unit(self._columns["time"].spelling))
        if time is None:
            self.report.leave_out("time that is not understood (image kept)", f"{where} ({text})")
            return None
        if not time.zone_known:
            self.report.remark("times without a zone are read as UTC")
        return time.stamp_ns
