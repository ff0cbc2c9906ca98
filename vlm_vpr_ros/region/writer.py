"""Writes the files of a region from references and their raw descriptors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.descriptors import without_mean
from vlm_vpr_ros.files import sync_folder
from vlm_vpr_ros.geodesy import shortest_arc
from vlm_vpr_ros.record_store import RecordStoreWriter
from vlm_vpr_ros.region.background import BackgroundSample
from vlm_vpr_ros.region.geo_ivf import GeoIvf
from vlm_vpr_ros.region.manifest import (
    DESCRIPTORS,
    FEATURE_FOLDER,
    FORMAT_VERSION,
    MEAN_DESCRIPTOR,
    REFERENCES,
    Bounds,
    EncoderId,
    FeaturesId,
    Manifest,
    file_entries,
)
from vlm_vpr_ros.region.places import PLACES, Place, write_places
from vlm_vpr_ros.region.references import References, write_references
from vlm_vpr_ros.region.sketch import BITS, SCHEME, SKETCH, Sketcher
from vlm_vpr_ros.region.thumbnails import THUMBNAIL_FOLDER, THUMBNAILS
from vlm_vpr_ros.verification.feature_store import FeatureStoreWriter

SMALL_REGION = 100
"""References below which a region's own mean is too noisy to be removed alone."""
GENERIC_FRAMES = 30
"""Weight of the encoder's generic mean in the mean of a small region, in frames."""

Chunks = Callable[[], Iterator[npt.NDArray[np.float32]]]


def write_region(
    folder: Path,
    references: References,
    raw_chunks: Chunks,
    *,
    encoder: EncoderId,
    generic_mean: npt.NDArray[np.float32] | None,
    cell_resolution: int,
    places: Sequence[Place] = (),
    features: FeaturesId | None = None,
    encoded_features: Iterable[bytes | memoryview] = (),
    thumbnails: Iterable[bytes | memoryview] | None = None,
) -> Manifest:
    """Write a region into an empty folder. Its bytes depend on the arguments alone.

    Args:
        folder: exists and is empty.
        references: n references; their `descriptor_norm` is computed here.
        raw_chunks: called twice; each time yields the (m, dim) raw descriptors of all references in
            order, in chunks of its choice, so that they need not fit into memory at once.
        encoder: what made the descriptors.
        generic_mean: (dim,) mean descriptor of photos of everywhere.
        cell_resolution: H3 resolution of `references.cell`.
        places: where the references are, by name.
        features: what made the local features; None: the region has none.
        encoded_features: those of all references in order.
        thumbnails: small JPEGs of all references in order; None: the region has none.
    """
    sample = BackgroundSample(references)
    mean, sample_raw = _mean_and_sample(raw_chunks(), sample.rows, encoder.dim)
    if generic_mean is not None and len(references) < SMALL_REGION:
        pseudo = GENERIC_FRAMES / (GENERIC_FRAMES + len(references))
        mean = (1 - pseudo) * mean + pseudo * generic_mean
    mean = mean.astype(np.float32)

    cells, lists = np.unique(references.cell, return_inverse=True)
    index = GeoIvf.empty(encoder.dim, len(cells))
    sketcher = Sketcher(encoder.dim)
    codes = np.empty((len(references), BITS // 8), np.uint8)
    sample_centred = without_mean(sample_raw, mean)
    first = 0
    for raw in raw_chunks():
        rows = np.arange(first, first + len(raw))
        references.descriptor_norm[rows] = np.linalg.norm(raw - mean, axis=1)
        centred = without_mean(raw, mean)
        index.add(centred, lists[rows], rows)
        codes[rows] = sketcher.codes(centred)
        sample.see(sample_centred, first, centred)
        first += len(raw)

    index.write(folder / DESCRIPTORS)
    write_references(references, folder / REFERENCES)
    write_places(places, folder / PLACES)
    np.save(folder / MEAN_DESCRIPTOR, mean, allow_pickle=False)
    np.save(folder / SKETCH, codes, allow_pickle=False)
    if features:
        with FeatureStoreWriter(folder / FEATURE_FOLDER) as store:
            store.append(encoded_features)
    if thumbnails is not None:
        with RecordStoreWriter(folder / THUMBNAIL_FOLDER / THUMBNAILS) as pictures:
            pictures.append(thumbnails)
    manifest = Manifest(
        format_version=FORMAT_VERSION,
        encoder=encoder,
        features=features,
        thumbnails=thumbnails is not None,
        sketch=SCHEME,
        references=len(references),
        drives=dict(Counter(references.drive)),
        cell_resolution=cell_resolution,
        cells=len(cells),
        bounds=_bounds(references),
        background=sample.background(),
        files={},
    )
    manifest = manifest.model_copy(update={"files": file_entries(folder, manifest.hashed_files)})
    manifest.write(folder)
    sync_folder(folder)
    return manifest


def _mean_and_sample(
    chunks: Iterator[npt.NDArray[np.float32]], sample_rows: npt.NDArray[np.int64], dim: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float32]]:
    total = np.zeros(dim)
    sample = np.empty((len(sample_rows), dim), np.float32)
    first = 0
    for raw in chunks:
        total += raw.sum(axis=0, dtype=np.float64)
        inside = (sample_rows >= first) & (sample_rows < first + len(raw))
        sample[inside] = raw[sample_rows[inside] - first]
        first += len(raw)
    return total / first, sample


def _bounds(references: References) -> Bounds:
    west, east = shortest_arc(references.lon_deg)
    return Bounds(
        south=float(references.lat_deg.min()),
        west=west,
        north=float(references.lat_deg.max()),
        east=east,
    )
