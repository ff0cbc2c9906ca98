"""An opened region: where its references are, and which of them resemble a descriptor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.files import read_vector
from vlm_vpr_ros.region.geo_ivf import GeoIvf
from vlm_vpr_ros.region.manifest import (
    DESCRIPTORS,
    FEATURE_FOLDER,
    MEAN_DESCRIPTOR,
    READ_WHOLE,
    REFERENCES,
    Manifest,
    read_manifest,
    verify_hashes,
)
from vlm_vpr_ros.region.places import PLACES, Place, read_places
from vlm_vpr_ros.region.references import References, read_references
from vlm_vpr_ros.region.sketch import SKETCH, Sketch
from vlm_vpr_ros.region.thumbnails import THUMBNAIL_FOLDER, ThumbnailStore
from vlm_vpr_ros.types import Candidate, Descriptor
from vlm_vpr_ros.verification.feature_store import FeatureStore

_NO_ROWS = np.empty(0, np.int64)


class Region:
    """A region index, memory-mapped and read-only.

    Attributes:
        folder: where it lies.
        manifest: what it contains.
        references: where each reference was taken.
        places: the towns in which they are, most references first.
        mean_descriptor: (dim,) mean of the raw descriptors, removed from all of them.
        sketch: 128 bits of each descriptor.
        features: local features of the references; None if it was built without.
        thumbnails: small pictures of the references; None if it was built without.
    """

    def __init__(
        self,
        folder: Path,
        manifest: Manifest,
        *,
        references: References,
        places: tuple[Place, ...],
        mean_descriptor: npt.NDArray[np.float32],
        index: GeoIvf,
        sketch: Sketch,
        features: FeatureStore | None,
        thumbnails: ThumbnailStore | None,
    ) -> None:
        self.folder = folder
        self.manifest = manifest
        self.references = references
        self.places = places
        self.mean_descriptor = mean_descriptor
        self.features = features
        self.thumbnails = thumbnails
        self.sketch = sketch
        self._index = index
        # List i of the index is the i-th cell.
        self._cells, self._list_of_row = np.unique(references.cell, return_inverse=True)
        if len(self._cells) != manifest.cells:
            raise RegionError(
                f"{folder}: damaged: references in {len(self._cells)} cells, not "
                f"{manifest.cells}. Copy the region again."
            )

    @classmethod
    def open(cls, folder: Path, verify: bool = False) -> Region:
        """Open a region; hashes of the large files are compared only if `verify`.

        Raises:
            RegionError: the region is missing or damaged.
        """
        manifest = read_manifest(folder)
        verify_hashes(folder, manifest, manifest.hashed_files if verify else READ_WHOLE)
        dim, count = manifest.encoder.dim, manifest.references
        return cls(
            folder,
            manifest,
            references=read_references(folder / REFERENCES, count),
            places=read_places(folder / PLACES, count),
            mean_descriptor=_read_mean(folder / MEAN_DESCRIPTOR, dim),
            index=GeoIvf.open(folder / DESCRIPTORS, dim, count, manifest.cells),
            sketch=Sketch.open(folder / SKETCH, dim, count),
            features=(
                FeatureStore.open(folder / FEATURE_FOLDER, count) if manifest.features else None
            ),
            thumbnails=(
                ThumbnailStore.open(folder / THUMBNAIL_FOLDER, count)
                if manifest.thumbnails
                else None
            ),
        )

    def check_encoder(self, name: str, fingerprint: str, dim: int) -> None:
        """Raise RegionError unless this encoder's descriptors compare with the region's."""
        built_with = self.manifest.encoder
        if built_with.fingerprint == fingerprint and built_with.dim == dim:
            return
        if built_with.name == name:
            raise RegionError(
                f"{self.folder}: built with another version of the encoder `{name}`: the network "
                "or its image preparation has changed since. Rebuild the region."
            )
        raise RegionError(
            f"{self.folder}: built with the encoder `{built_with.name}`, not `{name}`. "
            f"Set encoder.name to `{built_with.name}`, or rebuild the region with `{name}`."
        )

    def check_features(self, name: str, fingerprint: str) -> None:
        """Raise RegionError unless this network's features match the region's."""
        built_with = self.manifest.features
        if built_with is None or built_with.fingerprint == fingerprint:
            return
        raise RegionError(
            f"{self.folder}: its local features are of `{built_with.name}`, in another version or "
            f"another network than `{name}`. Rebuild the region, or set verification.candidates "
            "to 0."
        )

    def search(
        self,
        descriptor: Descriptor,
        k: int,
        cells: npt.ArrayLike | None = None,
        rows: npt.NDArray[np.int64] = _NO_ROWS,
    ) -> tuple[Candidate, ...]:
        """The k references most similar to a centred descriptor, best first.

        Args:
            descriptor: (dim,) centred, unit length.
            k: how many.
            cells: H3 cells to look in; None: everywhere.
            rows: references to look at beside those in `cells`.
        """
        lists = None if cells is None else self._lists_of(np.asarray(cells, np.uint64))
        found, similarity = self._index.search(descriptor, k, lists)
        if len(rows):
            more = self._index.compare(descriptor, k, rows, np.unique(self._list_of_row[rows]))
            found, similarity = _best_of(
                k, np.append(found, more[0]), np.append(similarity, more[1])
            )
        return tuple(
            Candidate(int(row), self.references.point(int(row)), float(cosine))
            for row, cosine in zip(found, similarity, strict=True)
            if row < len(self.references)  # the ids in a file are a stranger's
        )

    def _lists_of(self, cells: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Lists of the cells that have any, each once."""
        at = np.searchsorted(self._cells, cells).clip(max=len(self._cells) - 1)
        lists: npt.NDArray[np.int64] = np.unique(at[self._cells[at] == cells])
        return lists

    def raw_descriptors(self) -> npt.NDArray[np.float32]:
        """(n, dim) descriptors as the encoder gave them, to fp16 precision.

        Raises:
            RegionError: the index does not hold every reference's.
        """
        try:
            centred = self._index.descriptors(len(self.references))
        except ValueError as error:
            raise RegionError(
                f"{self.folder / DESCRIPTORS}: damaged: {error}. Copy the region again."
            ) from None
        norms = self.references.descriptor_norm[:, None]
        raw: npt.NDArray[np.float32] = centred * norms + self.mean_descriptor
        return raw


def _best_of(
    k: int, rows: npt.NDArray[np.int64], similarity: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """The k best rows, each once."""
    rows, first = np.unique(rows, return_index=True)
    order = np.argsort(-similarity[first], kind="stable")[:k]
    return rows[order], similarity[first][order]


def _read_mean(path: Path, dim: int) -> npt.NDArray[np.float32]:
    try:
        return read_vector(path, dim)
    except ValueError as error:
        raise RegionError(f"{path}: damaged: {error}. Copy the region again.") from None
