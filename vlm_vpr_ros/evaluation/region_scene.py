"""The references of a region as layers of a map, one for each drive."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.evaluation.scene import Layer, Lines, Points, Scene, Shape
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.region.places import Place
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.text import counted, length

MAX_REFERENCES = 50_000
"""Larger regions are thinned: more points can neither be told apart nor moved smoothly."""
MAX_STEP_M = 200.0
"""References of a drive farther apart than this are not joined by a line: nothing is known of the
way between them, and photos of a collection follow no way at all."""

COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7b5ea7", "#8c6d46")
"""Told apart by colour-blind people, too (after Okabe and Ito)."""

_PLACES_COLOR = "#444444"

Rows = npt.NDArray[np.int64]


def region_scene(region: Region) -> Scene:
    """The map of a region."""
    count, step = region.manifest.references, _thinning(region)
    shown = "" if step == 1 else f", 1 of {step} shown"
    drives = counted(len(region.manifest.drives), "drive")
    encoder = region.manifest.encoder.name
    subtitle = f"{counted(count, 'reference')}{shown}, {drives}, {encoder}"
    layers = region_layers(region, COLORS)
    if region.places:
        layers.append(_places_layer(region.places))
    return Scene(region.folder.resolve().name, subtitle, tuple(layers))


def _thinning(region: Region) -> int:
    """Of how many references one is shown."""
    return -(-len(region.references) // MAX_REFERENCES)


def region_layers(region: Region, colors: Sequence[str]) -> list[Layer]:
    """One layer for each drive, in the order in which they were added.

    Args:
        region: what to show.
        colors: of the drives, in turn.
    """
    references = region.references
    rows_of = rows_by_drive(references)
    step = _thinning(region)
    return [
        Layer(
            f"{drive} ({len(rows):,})",
            colors[number % len(colors)],
            _drive_shapes(references, rows, step),
        )
        for number, (drive, rows) in enumerate(rows_of.items())
    ]


def _places_layer(places: Sequence[Place]) -> Layer:
    """The places of a region, a ring with its name in the middle of each."""
    labels = [
        f"{place.label}\n{counted(place.references, 'reference')} within {length(place.radius_m)}"
        for place in places
    ]
    lat, lon = np.array([p.lat_deg for p in places]), np.array([p.lon_deg for p in places])
    points = Points(lat, lon, tuple(labels), mark="ring")
    return Layer(f"places ({len(places):,})", _PLACES_COLOR, (points,))


def rows_by_drive(references: References) -> dict[str, Rows]:
    """Rows of each drive, in the order of the region."""
    rows: dict[str, list[int]] = {}
    for row, drive in enumerate(references.drive):
        rows.setdefault(drive, []).append(row)
    return {drive: np.array(members, np.int64) for drive, members in rows.items()}


def _drive_shapes(references: References, rows: Rows, step: int) -> tuple[Shape, ...]:
    thin = rows[::step]
    ways = _ways(references, rows, step)
    shapes: list[Shape] = [ways, _points(references, thin)]
    # Photos of a collection, which follow no way, have no start and no end either.
    if 2 * sum(len(lat) for lat in ways.lat_deg) >= len(thin) > 1:
        shapes += [_end(references, rows[0], "start"), _end(references, rows[-1], "end")]
    return tuple(shapes)


def _ways(references: References, rows: Rows, step: int) -> Lines:
    """The way of a drive, interrupted where its references lie far apart."""
    lat, lon = references.lat_deg[rows], references.lon_deg[rows]
    far = distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:]) > MAX_STEP_M
    pieces = [p for p in np.split(np.arange(len(rows)), np.flatnonzero(far) + 1) if len(p) > 1]
    thin = [np.unique(np.append(piece[::step], piece[-1])) for piece in pieces]
    return Lines(tuple(lat[p] for p in thin), tuple(lon[p] for p in thin))


def _points(references: References, rows: Rows) -> Points:
    heading = references.heading_deg[rows].astype(np.float64)
    return Points(
        references.lat_deg[rows],
        references.lon_deg[rows],
        tuple(_label(references, int(row)) for row in rows),
        heading if np.isfinite(heading).any() else None,
    )


def _end(references: References, row: int, mark: Literal["start", "end"]) -> Points:
    return Points(
        references.lat_deg[[row]],
        references.lon_deg[[row]],
        (f"{mark} of {references.drive[row]}",),
        mark=mark,
    )


def _label(references: References, row: int) -> str:
    lat, lon = references.lat_deg[row], references.lon_deg[row]
    sigma, heading = references.sigma_m[row], references.heading_deg[row]
    facts = [f"{lat:.6f}, {lon:.6f}"]
    facts += [f"±{sigma:.1f} m"] if np.isfinite(sigma) else []
    facts += [f"looking {heading:.0f}°"] if np.isfinite(heading) else []
    return "\n".join([references.source[row], references.drive[row], *facts])
