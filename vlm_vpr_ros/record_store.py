"""Variable-length records of a region's references in one file, mapped into memory.

    FOLDER/NAME          the records of reference 0, 1, 2, ... without gaps
    FOLDER/offsets.npy   (n + 1,) int64: record i is NAME[offsets[i]:offsets[i + 1]]

A reference without a record has no bytes. The files depend on the records alone, not on how they
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

OFFSETS = "offsets.npy"
ADVICE = "Copy the region again, or rebuild it."


class RecordStore:
    """The records of all references, read where they lie.

    Args:
        path: of the file of the records.
        references: how many the region has.
        max_bytes: no record is larger.

    Raises:
        RegionError: a file is missing, damaged, or of another number of references.
    """

    def __init__(self, path: Path, references: int, max_bytes: int) -> None:
        self._path = path
        self._offsets = _read_offsets(path.with_name(OFFSETS), references, max_bytes)
        try:
            with path.open("rb") as file:
                size = os.fstat(file.fileno()).st_size
                # An empty file cannot be mapped.
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
        except OSError as error:
            raise RegionError(f"{path}: cannot be read: {error}. {ADVICE}") from None
        if len(data) != self._offsets[-1]:
            raise RegionError(
                f"{path}: damaged: {len(data)} bytes instead of {self._offsets[-1]}. {ADVICE}"
            )
        self._data = memoryview(data)

    def __len__(self) -> int:
        return len(self._offsets) - 1

    def encoded(self, reference: int) -> memoryview:
        """The bytes of a reference, empty if it has no record; to copy them to another store."""
        return self._data[self._offsets[reference] : self._offsets[reference + 1]]

    def _damaged(self, reference: int, error: object) -> RegionError:
        return RegionError(f"{self._path}: damaged at reference {reference}: {error}. {ADVICE}")


class RecordStoreWriter:
    """Writes a store, record by record; nothing is there until the `with` block ends well.

    Args:
        path: of the file of the records; its folder is made if absent.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._partial = path.with_name(f"{path.name}.partial")
        self._ends = [0]

    def __enter__(self) -> RecordStoreWriter:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._partial.open("wb")
        return self

    def append(self, encoded: Iterable[bytes | memoryview]) -> None:
        """Add the records of the next references; b"" for one that has none."""
        for data in encoded:
            self._file.write(data)
            self._ends.append(self._ends[-1] + len(data))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._partial.replace(self._path)
        finally:  # also when the disk is full
            self._partial.unlink(missing_ok=True)
            self._file.close()
        if kind is not None:
            return
        buffer = io.BytesIO()
        np.save(buffer, np.array(self._ends, "<i8"), allow_pickle=False)
        write_atomic(self._path.with_name(OFFSETS), buffer.getvalue())
        sync_folder(self._path.parent)


def _read_offsets(path: Path, references: int, max_bytes: int) -> npt.NDArray[np.int64]:
    """Offsets that lie in order, start at 0, and are no further apart than a record can be."""
    try:
        # Mapped: a header that claims more than the file holds is refused, not allocated.
        offsets = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # numpy raises what its parser of headers raises
        raise RegionError(f"{path}: cannot be read: {error}. {ADVICE}") from None
    if offsets.dtype != np.dtype("<i8") or offsets.shape != (references + 1,):
        raise RegionError(
            f"{path}: damaged: {offsets.dtype} {offsets.shape} instead of int64 "
            f"({references + 1},). {ADVICE}"
        )
    # Compared, not subtracted: differences of hostile numbers overflow.
    ascending = (offsets[1:] >= offsets[:-1]).all() and offsets[0] == 0
    if not ascending or (offsets[1:] - offsets[:-1] > max_bytes).any():
        raise RegionError(f"{path}: damaged: its numbers are out of order. {ADVICE}")
    return np.asarray(offsets)
