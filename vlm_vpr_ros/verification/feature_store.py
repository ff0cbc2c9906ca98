"""The local features of a region's references in one file, mapped into memory.

    features/features.bin   the encoded features of reference 0, 1, 2, ... without gaps
    features/offsets.npy    (n + 1,) int64: reference i is features.bin[offsets[i]:offsets[i + 1]]

A reference without features has no bytes. The files depend on the features alone, not on how they
were divided into batches.
"""

from __future__ import annotations

import io
import mmap
import os
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.files import sync_folder, write_atomic
from vlm_vpr_ros.verification.feature_codec import MAX_BYTES, decode_features
from vlm_vpr_ros.verification.local_features import LocalFeatures

FEATURES = "features.bin"
OFFSETS = "offsets.npy"


class FeatureStore:
    """Encoded features of all references, read where they lie."""

    def __init__(self, path: Path, data: memoryview, offsets: npt.NDArray[np.int64]) -> None:
        self._path = path
        self._data = data
        self._offsets = offsets

    @classmethod
    def open(cls, folder: Path, references: int) -> FeatureStore:
        """Map the files of a folder.

        Args:
            folder: holds features.bin and offsets.npy.
            references: how many the region has.

        Raises:
            RegionError: a file is missing, damaged, or of another number of references.
        """
        path = folder / FEATURES
        offsets = _read_offsets(folder / OFFSETS, references)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                # An empty file cannot be mapped.
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except OSError as error:
            raise RegionError(f"{path}: cannot be read: {error}. {_ADVICE}") from None
        if len(data) != offsets[-1]:
            raise RegionError(
                f"{path}: damaged: {len(data)} bytes instead of {offsets[-1]}. {_ADVICE}"
            )
        return cls(path, memoryview(data), offsets)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def encoded(self, reference: int) -> memoryview:
        """The bytes of a reference, empty if it has no features; to copy them to another store."""
        return self._data[self._offsets[reference] : self._offsets[reference + 1]]

    def features(self, reference: int) -> LocalFeatures | None:
        """The features of a reference, or None if it has none.

        Raises:
            RegionError: its bytes are damaged.
        """
        data = self.encoded(reference)
        if not data:
            return None
        try:
            return decode_features(data)
        except ValueError as error:
            raise RegionError(
                f"{self._path}: damaged at reference {reference}: {error}. {_ADVICE}"
            ) from None


class FeatureStoreWriter:
    """Writes a store, reference by reference; nothing is there until the `with` block ends well.

    Args:
        folder: made if absent.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._partial = folder / f"{FEATURES}.partial"
        self._ends = [0]

    def __enter__(self) -> FeatureStoreWriter:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._file = self._partial.open("wb")
        return self

    def append(self, encoded: Iterable[bytes | memoryview]) -> None:
        """Add the encoded features of the next references; b"" for one that has none."""
        for data in encoded:
            self._file.write(data)
            self._ends.append(self._ends[-1] + len(data))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if kind is not None:
            self._partial.unlink()
            return
        self._partial.replace(self._folder / FEATURES)
        buffer = io.BytesIO()
        np.save(buffer, np.array(self._ends, "<i8"), allow_pickle=False)
        write_atomic(self._folder / OFFSETS, buffer.getvalue())
        sync_folder(self._folder)


_ADVICE = "Copy the region again, or rebuild it."


def _read_offsets(path: Path, references: int) -> npt.NDArray[np.int64]:
    """Offsets that lie in order, start at 0, and are no further apart than features can be."""
    try:
        # Mapped: a header that claims more than the file holds is refused, not allocated.
        offsets = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy raises what its parser of headers raises
        raise RegionError(f"{path}: cannot be read: {error}. {_ADVICE}") from None
    if offsets.dtype != np.dtype("<i8") or offsets.shape != (references + 1,):
        raise RegionError(
            f"{path}: damaged: {offsets.dtype} {offsets.shape} instead of int64 "
            f"({references + 1},). {_ADVICE}"
        )
    # Compared, not subtracted: differences of hostile numbers overflow.
    ascending = (offsets[1:] >= offsets[:-1]).all() and offsets[0] == 0
    if not ascending or (offsets[1:] - offsets[:-1] > MAX_BYTES).any():
        raise RegionError(f"{path}: damaged: its numbers are out of order. {_ADVICE}")
    return np.asarray(offsets)
