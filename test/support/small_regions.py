"""Regions written from random descriptors, without an encoder."""

from __future__ import annotations

from pathlib import Path

import h3
import numpy as np

from vlm_vpr_ros.region.manifest import EncoderId, Manifest
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.region.writer import write_region
from vlm_vpr_ros.types import AltitudeDatum

DIM = 24
RESOLUTION = 8
ENCODER = EncoderId(name="tiny", fingerprint="0" * 64, dim=DIM)


def raw_descriptors(count: int, seed: int = 0) -> np.ndarray:
    """Random unit vectors (count, DIM) with something in common."""
    vectors = np.random.default_rng(seed).normal(size=(count, DIM)) + 0.5
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


def references(count: int, lat_deg: float = 45.4, lon_deg: float = 11.9) -> References:
    """References along a line to the north-east, 700 m apart: nearly every one has its own cell."""
    steps = np.arange(count)
    lat = lat_deg + 0.0045 * steps
    lon = (lon_deg + 0.0063 * steps + 180) % 360 - 180
    return References(
        lat_deg=lat,
        lon_deg=lon,
        alt_m=np.where(steps % 2, 12.5 + steps, np.nan),
        alt_datum=tuple(list(AltitudeDatum)[i % 3] for i in steps),
        heading_deg=np.where(steps % 3, steps % 360, np.nan).astype(np.float32),
        stamp_ns=np.where(steps % 4, 1_700_000_000_000_000_000 + steps, -1).astype(np.int64),
        drive=tuple("morning" if i < count // 2 else "abend 夜" for i in steps),
        source=tuple(f"photos/{i:05d}.jpg" for i in steps),
        cell=np.array(
            [
                h3.str_to_int(h3.latlng_to_cell(y, x, RESOLUTION))
                for y, x in zip(lat, lon, strict=True)
            ],
            np.uint64,
        ),
        sigma_m=np.where(steps % 5, 1.5, np.nan).astype(np.float32),
        descriptor_norm=np.zeros(count, np.float32),
    )


def write_small_region(folder: Path, count: int = 40, seed: int = 0) -> Manifest:
    """A region of random descriptors in a new folder."""
    folder.mkdir(parents=True)
    raw = raw_descriptors(count, seed)
    return write_region(
        folder,
        references(count),
        lambda: (raw[i : i + 7] for i in range(0, count, 7)),
        encoder=ENCODER,
        generic_mean=None,
        cell_resolution=RESOLUTION,
    )
