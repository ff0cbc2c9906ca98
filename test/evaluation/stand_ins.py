"""Small stand-ins for the parts around the evaluation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.mapping.observation import Observation, SourceReport
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.types import (
    AltitudeDatum,
    Candidate,
    Fix,
    Frame,
    GeoPoint,
    Outcome,
    Reason,
    RgbImage,
)

ORIGIN = GeoPoint(0.0, 0.0)


def references(
    lat_deg: Sequence[float],
    lon_deg: Sequence[float],
    drive: Sequence[str] | None = None,
    heading_deg: Sequence[float] | None = None,
) -> References:
    count = len(lat_deg)
    return References(
        lat_deg=np.array(lat_deg, np.float64),
        lon_deg=np.array(lon_deg, np.float64),
        alt_m=np.full(count, np.nan),
        alt_datum=(AltitudeDatum.UNKNOWN,) * count,
        heading_deg=np.full(count, np.nan, np.float32)
        if heading_deg is None
        else np.array(heading_deg, np.float32),
        stamp_ns=np.full(count, -1),
        drive=tuple(drive or ["a"] * count),
        source=tuple(f"image{row}.jpg" for row in range(count)),
        cell=np.zeros(count, np.uint64),
        sigma_m=np.full(count, 3, np.float32),
        descriptor_norm=np.ones(count, np.float32),
    )


def region(rows: References, name: str = "town") -> Any:
    """As much of a region as maps and reports look at."""
    manifest = SimpleNamespace(
        references=len(rows),
        drives=dict.fromkeys(rows.drive, 1),
        encoder=SimpleNamespace(name="tiny"),
    )
    folder = Path("/maps") / name
    return SimpleNamespace(folder=folder, references=rows, places=(), manifest=manifest)


@dataclass
class Recording:
    """A source of observations in memory."""

    observed: list[Observation]
    name: str = "recording"
    report: SourceReport = field(default_factory=SourceReport)

    def count(self) -> int:
        return len(self.observed)

    def observations(self) -> Iterator[Observation]:
        yield from self.observed


def query(
    source: str,
    drive: str = "q",
    position: GeoPoint | None = ORIGIN,
    stamp_ns: int | None = None,
    broken: bool = False,
) -> Observation:
    def load() -> RgbImage:
        if broken:
            raise ImageError(f"{source} is damaged")
        return np.zeros((4, 4, 3), np.uint8)

    return Observation(source, drive, position, load, stamp_ns=stamp_ns)


@dataclass
class Diary:
    """A localizer that notes what it is asked, and answers what it is told."""

    outcome: Outcome
    calls: list[str] = field(default_factory=list)
    stamps: list[int] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def localize(self, frame: Frame, wait_for_prior_s: float = 0.0) -> Outcome:
        self.calls.append(frame.source)
        self.stamps.append(frame.stamp_ns)
        self.waits.append(wait_for_prior_s)
        return self.outcome

    def reset(self) -> None:
        self.calls.append("reset")


def accepted(position: GeoPoint, candidates: Sequence[GeoPoint] = ()) -> Outcome:
    return Outcome(
        0,
        Reason.ACCEPTED,
        "",
        Fix(position, np.diag([4.0, 9.0, 100.0])),
        candidates=tuple(Candidate(i, p, 0.9 - 0.1 * i) for i, p in enumerate(candidates)),
        probability=0.99,
        probability_none=0.01,
        latency_ms={"encode": 4.0, "total": 5.0},
    )


def refused(candidates: Sequence[GeoPoint] = ()) -> Outcome:
    return Outcome(
        0,
        Reason.WEAK_EVIDENCE,
        "",
        candidates=tuple(Candidate(i, p, 0.3) for i, p in enumerate(candidates)),
        latency_ms={"encode": 6.0, "total": 7.0},
    )
