"""`vlm_vpr info`: what is inside a region, and whether it is undamaged."""

from __future__ import annotations

import argparse
import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from vlm_vpr_ros.cli.arguments import Commands
from vlm_vpr_ros.text import aligned, counted, length, plain, size

_SHOWN_PLACES = 5


def add_parser(commands: Commands) -> None:
    """Register the command."""
    parser = commands.add_parser(
        "info",
        help="say what is in a region, and check it",
        description="Say what is in a region, where and how dense, and compare every file with its "
        "hash: a damaged region ends with exit code 2.",
    )
    parser.add_argument("region", type=Path, metavar="REGION")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Verify the region and describe it."""
    from vlm_vpr_ros.evaluation.region_facts import region_facts  # noqa: PLC0415
    from vlm_vpr_ros.region.region import Region  # noqa: PLC0415

    facts = {**region_facts(Region.open(arguments.region, verify=True)), "hashes": "verified"}
    print(json.dumps(facts, indent=1, allow_nan=False) if arguments.json else _text(facts))
    return 0


def _text(facts: Mapping[str, Any]) -> str:
    encoder, bounds, cells = facts["encoder"], facts["bounds"], facts["cells"]
    extent, total = facts["extent_m"], sum(facts["files"].values())
    area = "" if cells["area_km2"] is None else f", {cells['area_km2']:,.1f} km²"
    rows = [
        ("region", facts["region"]),
        ("references", f"{facts['references']:,} in {counted(len(facts['drives']), 'drive')}"),
        ("latitude", f"{bounds['south']:.6f} to {bounds['north']:.6f}"),
        ("longitude", f"{bounds['west']:.6f} to {bounds['east']:.6f}"),
        (
            "extent",
            f"{length(extent['east_west'])} east-west, {length(extent['north_south'])} north-south",
        ),
        ("cells", f"{cells['count']:,} of H3 resolution {cells['resolution']}{area}"),
        ("places", _places(facts["places"])),
        ("encoder", f"{encoder['name']} ({encoder['fingerprint'][:12]}), {encoder['dim']} numbers"),
        ("descriptors", facts["descriptor_type"]),
        ("local features", _local_features(facts["local_features"])),
        ("thumbnails", _thumbnails(facts["thumbnails"])),
        ("size", f"{size(total)}, {facts['bytes_per_reference']:,.0f} bytes a reference"),
        ("background", _background(facts["background_similarity"])),
        ("position sigma", _sigma(facts["position_sigma_m"])),
        ("heights above", ", ".join(f"{k} {v:.0%}" for k, v in facts["altitude_datum"].items())),
        ("headings", f"{facts['heading_share']:.0%} of the references"),
        ("hashes", facts["hashes"]),
    ]
    table = "\n".join(f"{name:<15} {plain(value)}" for name, value in rows)
    return f"{table}\n\n{_drives(facts['drives'])}\n\n{_calibration(facts['calibration'])}"


def _calibration(content: Mapping[str, Any] | None) -> str:
    from vlm_vpr_ros.calibration.record import Calibration  # noqa: PLC0415
    from vlm_vpr_ros.calibration.text import calibration_lines  # noqa: PLC0415

    if content is None:
        return "not calibrated: fixes are approximate (`vlm_vpr calibrate`)"
    lines = calibration_lines(Calibration.model_validate(content))
    return "\n".join(plain(line) for line in lines)


def _places(places: Sequence[Mapping[str, Any]]) -> str:
    if not places:
        return "not named"
    said = [f"{place['label']} ({place['references']:,})" for place in places[:_SHOWN_PLACES]]
    more = [f"and {len(places) - _SHOWN_PLACES} more"] if len(places) > _SHOWN_PLACES else []
    return "; ".join(said + more)


def _local_features(features: Mapping[str, Any] | None) -> str:
    if features is None:
        return "none: no geometric verification"
    stored = f"{features['bytes_per_reference']:,.0f} bytes a reference"
    return f"{features['name']} ({features['fingerprint'][:12]}), {stored}"


def _thumbnails(thumbnails: Mapping[str, float] | None) -> str:
    if thumbnails is None:
        return "none"
    return f"{thumbnails['bytes_per_reference']:,.0f} bytes a reference"


def _background(background: Mapping[str, float] | None) -> str:
    if background is None:
        return "not measured: no two references are far enough apart"
    return (
        f"views more than {background['radius_m']:g} m apart reach similarity "
        f"{background['p50']:.3f} (median), {background['p95']:.3f} (95 %)"
    )


def _sigma(sigma: Mapping[str, float | None]) -> str:
    if sigma["p50"] is None:
        return "unknown"
    return (
        f"median {sigma['p50']:.1f} m, at most {sigma['max']:.1f} m, of {sigma['known_share']:.0%}"
    )


def _drives(drives: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [
            name,
            f"{drive['references']:,}",
            length(drive["length_m"]),
            "-" if drive["spacing_m"] is None else length(drive["spacing_m"]),
            f"{drive['headings']:,}",
            _moment(drive["first_stamp_ns"]),
        ]
        for name, drive in drives.items()
    ]
    return aligned(["drive", "references", "length", "spacing", "headings", "first image"], rows)


def _moment(stamp_ns: int | None) -> str:
    if stamp_ns is None:
        return "-"
    moment = datetime.datetime.fromtimestamp(stamp_ns // 10**9, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%d %H:%M")
