"""What is in a region, as numbers."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
from typing import Any

import h3
import numpy as np

from vlm_vpr_ros.calibration.record import read_calibration
from vlm_vpr_ros.evaluation.metrics import Floats
from vlm_vpr_ros.evaluation.region_scene import Rows, rows_by_drive
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.outcome_json import DEGREE_DIGITS, number
from vlm_vpr_ros.region.manifest import FEATURE_FILES, Bounds
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.region.thumbnails import THUMBNAIL_FILES

DESCRIPTOR_TYPE = "fp16"


def region_facts(region: Region) -> dict[str, Any]:
    """What `vlm_vpr info --json` prints, but for the hashes. Unknown numbers are None."""
    manifest, references = region.manifest, region.references
    calibration = read_calibration(region.folder)
    files = {name: entry.bytes for name, entry in manifest.files.items()}
    return {
        "region": str(region.folder),
        "format_version": manifest.format_version,
        "references": manifest.references,
        "encoder": manifest.encoder.model_dump(),
        "descriptor_type": DESCRIPTOR_TYPE,
        "local_features": manifest.features
        and {
            **manifest.features.model_dump(),
            "bytes_per_reference": number(
                sum(files[name] for name in FEATURE_FILES) / manifest.references, 1
            ),
        },
        "thumbnails": {
            "bytes_per_reference": number(
                sum(files[name] for name in THUMBNAIL_FILES) / manifest.references, 1
            )
        }
        if manifest.thumbnails
        else None,
        "files": files,
        "bytes_per_reference": number(sum(files.values()) / manifest.references, 1),
        "bounds": {k: number(v, DEGREE_DIGITS) for k, v in manifest.bounds.model_dump().items()},
        "extent_m": _extent(manifest.bounds),
        "cells": {
            "resolution": manifest.cell_resolution,
            "count": manifest.cells,
            "area_km2": number(_cell_area_km2(references), 3),
        },
        "background_similarity": manifest.background
        and {
            "radius_m": manifest.background.radius_m,
            **{f"p{p}": number(manifest.background.quantiles[p - 1], 4) for p in (50, 95)},
        },
        "calibration": calibration and calibration.model_dump(mode="json"),
        "places": [
            {**asdict(place), "radius_m": number(place.radius_m, 1)} for place in region.places
        ],
        "position_sigma_m": _sigma(references),
        "altitude_datum": _altitude_shares(references),
        "heading_share": number(float(np.isfinite(references.heading_deg).mean()), 4),
        "drives": {
            drive: _drive_facts(references, rows)
            for drive, rows in rows_by_drive(references).items()
        },
    }


def _extent(bounds: Bounds) -> dict[str, float | None]:
    """Size of the box: width along its middle parallel, height along a meridian."""
    middle = (bounds.south + bounds.north) / 2
    width_deg = (bounds.east - bounds.west) % 360.0
    # In short steps: the geodesic between two far points of a parallel leaves it.
    lon = bounds.west + np.linspace(0.0, width_deg, 361)
    width = float(distance_m(middle, lon[:-1], middle, lon[1:]).sum())
    height = float(distance_m(bounds.south, bounds.west, bounds.north, bounds.west))
    return {"east_west": number(width, 1), "north_south": number(height, 1)}


def _cell_area_km2(references: References) -> float:
    cells = np.unique(references.cell).tolist()
    try:
        return sum(float(h3.cell_area(h3.int_to_str(cell), "km^2")) for cell in cells)
    except h3.H3BaseException:  # a stranger's table may name anything
        return float("nan")


def _sigma(references: References) -> dict[str, float | None]:
    known = references.sigma_m[np.isfinite(references.sigma_m)]
    return {
        "known_share": number(len(known) / len(references), 4),
        "p50": number(float(np.median(known)), 2) if len(known) else None,
        "max": number(float(known.max()), 2) if len(known) else None,
    }


def _altitude_shares(references: References) -> dict[str, float | None]:
    """Share of the references by what their height is measured from; "none" have no height."""
    known = np.isfinite(references.alt_m)
    counts = Counter(
        datum.value if has else "none"
        for datum, has in zip(references.alt_datum, known, strict=True)
    )
    return {name: number(n / len(references), 4) for name, n in counts.most_common()}


def _drive_facts(references: References, rows: Rows) -> dict[str, Any]:
    steps = _steps_m(references, rows)
    stamps = references.stamp_ns[rows]
    stamps = stamps[stamps >= 0]
    return {
        "references": len(rows),
        "length_m": number(float(steps.sum()), 1),
        "spacing_m": number(float(np.median(steps)), 2) if len(steps) else None,
        "headings": int(np.isfinite(references.heading_deg[rows]).sum()),
        "first_stamp_ns": int(stamps.min()) if len(stamps) else None,
        "last_stamp_ns": int(stamps.max()) if len(stamps) else None,
    }


def _steps_m(references: References, rows: Rows) -> Floats:
    """Distances between consecutive references of a drive."""
    lat, lon = references.lat_deg[rows], references.lon_deg[rows]
    return distance_m(lat[:-1], lon[:-1], lat[1:], lon[1:])
