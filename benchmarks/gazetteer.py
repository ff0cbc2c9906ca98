"""Hard names through the gazetteer: right, hesitant, or wrong; and how fast.

The truth is `hard_names.txt`, written by hand. A name is *right* when more than 0.8 of the weight
is where it means, *hesitant* when no place has that much, and *confidently wrong* when another
place has, or one of several that the name means.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.targets import Report, arguments
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.readings import Reading, readings_of
from vlm_vpr_ros.prior.toponym import Kind
from vlm_vpr_ros.text import aligned

TABLE = Path(__file__).with_name("hard_names.txt")
CONFIDENT = 0.8
SEEN = 0.02
"""A meaning with less weight than this was not found."""
_ANYTHING = {Kind.COUNTRY: 1.0, Kind.REGION: 0.5, Kind.CITY: 1.0}


@dataclass(frozen=True)
class Meaning:
    """A place that a name means, to within a distance."""

    country: str
    lat_deg: float
    lon_deg: float
    tolerance_m: float

    def fits(self, reading: Reading) -> bool:
        """Whether a reading is this place: of its country and with its middle there."""
        lat = [disc.lat_deg for disc in reading.discs]
        lon = [disc.lon_deg for disc in reading.discs]
        nearest_m = distance_m(self.lat_deg, self.lon_deg, lat, lon).min()
        return reading.place.country == self.country and bool(nearest_m <= self.tolerance_m)


@dataclass(frozen=True)
class Row:
    """A name, or the three fields of an answer, and what it means; no meaning: no one place."""

    name: str
    meanings: tuple[Meaning, ...]

    def readings(self, gazetteer: Gazetteer) -> tuple[Reading, ...]:
        """What the gazetteer makes of it."""
        if "|" not in self.name:
            return readings_of_name(gazetteer, self.name)
        city, region, country = (part.strip() for part in self.name.split("|"))
        return readings_of(gazetteer, country, region, city)


def main() -> None:
    """Look up every name, print the table, count."""
    args = arguments(__doc__).parse_args()
    report = Report("gazetteer")
    start = time.perf_counter()
    gazetteer = Gazetteer.load()
    loaded = time.perf_counter()
    gazetteer.referents("", {})
    rows = list(read_table(TABLE))
    readings_of_name(gazetteer, "Lund")  # the first look-up folds all names
    ready = time.perf_counter()
    found = [row.readings(gazetteer) for row in rows]
    done = time.perf_counter()

    verdicts = [verdict(row, readings) for row, readings in zip(rows, found, strict=True)]
    lines = [
        [row.name, said, *([f"{r[0].weight:.2f}", r[0].label] if r else ["", ""])]
        for row, said, r in zip(rows, verdicts, found, strict=True)
    ]
    print(aligned(["name", "verdict", "weight", "first reading"], lines), end="\n\n")
    counts = Counter(verdicts)
    report.add("names", len(rows), ">= 100")
    for said in ("right", "hesitant, as it should", "hesitant", "unknown", "meaning missed"):
        report.add(said, counts[said])
    report.add("confidently wrong", counts["CONFIDENTLY WRONG"], "== 0")
    report.add("loading, s", loaded - start)
    report.add("first look-up, s", ready - loaded)
    report.add("a look-up, ms", 1e3 * (done - ready) / len(rows))
    report.write(args.json)


def readings_of_name(gazetteer: Gazetteer, name: str) -> tuple[Reading, ...]:
    """What a name means of which nothing else is known."""
    found = gazetteer.referents(name, _ANYTHING)
    total = gazetteer.unlisted(found) + sum(c.prominence for c in found)
    readings = [
        Reading(c.place, gazetteer.label(c.place), gazetteer.extent(c.place), c.prominence / total)
        for c in found
    ]
    return tuple(sorted(readings, key=lambda reading: (-reading.weight, reading.label)))


def read_table(path: Path) -> Iterator[Row]:
    """The rows of the truth."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        name, truth = line.rsplit("=", 1)
        meanings = [] if truth.strip() == "?" else [m.split() for m in truth.split(";")]
        yield Row(
            name.strip(),
            tuple(
                Meaning(country, float(lat), float(lon), 1000 * float(km))
                for country, lat, lon, km in meanings
            ),
        )


def verdict(row: Row, readings: Sequence[Reading]) -> str:
    """What the readings of a name are worth."""
    weights = [sum(r.weight for r in readings if m.fits(r)) for m in row.meanings]
    wrong = [r for r in readings if not any(m.fits(r) for m in row.meanings)]
    several = len(weights) > 1
    if any(r.weight > CONFIDENT for r in wrong) or (several and max(weights) > CONFIDENT):
        return "CONFIDENTLY WRONG"
    if not weights:
        return "right" if not readings else "hesitant, as it should"
    if several:
        return "hesitant, as it should" if min(weights) >= SEEN else "meaning missed"
    if weights[0] > CONFIDENT:
        return "right"
    return "hesitant" if weights[0] >= SEEN else "unknown" if not readings else "meaning missed"


if __name__ == "__main__":
    main()
