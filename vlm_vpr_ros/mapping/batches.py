"""The work folder of a build: encoded batches that survive a kill.

Batches are fixed by the order of the references, so that a resumed build repeats nothing and ends
with the bytes an uninterrupted one would have written.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.files import write_atomic
from vlm_vpr_ros.mapping.build_lock import LOCK

_PLAN = "plan.json"
_BATCHES = "batch_*"


@dataclass(frozen=True)
class FailedImage:
    """An image that could not be used, and why."""

    source: str
    error: str


@dataclass(frozen=True)
class _Entry:
    """A finished batch: of which images, which were encoded, and why the others were not."""

    images: str
    rows: list[int]
    feature_bytes: list[int]
    thumbnail_bytes: list[int]
    failures: list[FailedImage]


_ENTRY = TypeAdapter(_Entry)


@dataclass(frozen=True)
class Batch:
    """Encoded images.

    Attributes:
        descriptors: (n, dim) of the images that could be encoded.
        features: (n,) their local features as bytes; empty where none were asked for.
        thumbnails: (n,) small pictures of them as bytes; empty where none were asked for.
        rows: (n,) which images of the batch those are.
        failures: the others.
    """

    descriptors: npt.NDArray[np.float32]
    features: Sequence[bytes]
    thumbnails: Sequence[bytes]
    rows: Sequence[int]
    failures: Sequence[FailedImage]


class BatchStore:
    """Encoded batches on disk.

    Args:
        folder: the work folder, made if absent.
        plan: what is being built; a store made for another plan is not resumed.
        resume: continue what lies in the folder instead of refusing it.

    Raises:
        RegionError: an interrupted build lies there and `resume` is not given, or it is a build of
            something else.
    """

    def __init__(self, folder: Path, plan: dict[str, object], resume: bool) -> None:
        self.folder = folder
        text = json.dumps(plan, sort_keys=True, indent=1).encode()
        if (folder / _PLAN).is_file() and any(folder.glob(_BATCHES)):
            if not resume:
                raise RegionError(
                    f"{folder}: an interrupted build lies here. Add --resume to continue it, or "
                    "delete the folder to start again."
                )
            if (folder / _PLAN).read_bytes() != text:
                raise RegionError(
                    f"{folder}: the interrupted build was started with other sources, options or "
                    "another encoder. Repeat its command, or delete the folder to start again."
                )
        else:  # without a plan, batches are what a kill left of a folder that was being deleted
            for leftover in folder.glob(_BATCHES):
                leftover.unlink()
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / _PLAN, text)

    def has(self, batch: int, images: str) -> bool:
        """Whether a batch is stored and was made from these images (see `put`)."""
        path = self._entry_path(batch)
        return path.is_file() and self._entry(batch).images == images

    def put(self, number: int, images: str, batch: Batch) -> None:
        """Store a batch under its number; `images` identifies its images."""
        buffer = io.BytesIO()
        np.save(buffer, batch.descriptors, allow_pickle=False)
        write_atomic(self._path(number, "descriptors.npy"), buffer.getvalue())
        entry = _Entry(
            images,
            list(batch.rows),
            self._put_records(number, "features.bin", batch.features),
            self._put_records(number, "thumbnails.bin", batch.thumbnails),
            list(batch.failures),
        )
        write_atomic(self._entry_path(number), _ENTRY.dump_json(entry))  # last: now it is whole

    def rows_and_failures(self, number: int) -> tuple[list[int], list[FailedImage]]:
        """Which images of a batch were encoded, and the others."""
        entry = self._entry(number)
        return entry.rows, entry.failures

    def descriptors(self, number: int) -> npt.NDArray[np.float32]:
        """(n, dim) descriptors of a batch."""
        entry = self._entry(number)
        try:
            descriptors = np.load(self._path(number, "descriptors.npy"), allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise self._damaged(number, error) from None
        if len(descriptors) != len(entry.rows):
            raise self._damaged(number, "its files contradict each other")
        return np.asarray(descriptors)

    def features(self, number: int) -> list[bytes]:
        """(n,) local features of a batch as bytes; empty where none were asked for."""
        return self._records(number, "features.bin", self._entry(number).feature_bytes)

    def thumbnails(self, number: int) -> list[bytes]:
        """(n,) small pictures of a batch as bytes; empty where none were asked for."""
        return self._records(number, "thumbnails.bin", self._entry(number).thumbnail_bytes)

    def remove(self) -> None:
        """Empty the work folder."""
        remove_work(self.folder)

    def _put_records(self, number: int, name: str, records: Sequence[bytes]) -> list[int]:
        """Store the records, if there are any, and return their sizes."""
        if any(records):
            write_atomic(self._path(number, name), b"".join(records))
        return [len(record) for record in records]

    def _records(self, number: int, name: str, sizes: Sequence[int]) -> list[bytes]:
        try:
            stored = self._path(number, name).read_bytes() if any(sizes) else b""
        except OSError as error:
            raise self._damaged(number, error) from None
        ends = np.cumsum([0, *sizes])
        if len(sizes) != len(self._entry(number).rows) or ends[-1] != len(stored):
            raise self._damaged(number, "its files contradict each other")
        return [stored[a:b] for a, b in pairwise(ends.tolist())]

    def _path(self, batch: int, name: str) -> Path:
        return self.folder / f"batch_{batch:07d}.{name}"

    def _entry_path(self, batch: int) -> Path:
        return self._path(batch, "json")

    def _entry(self, batch: int) -> _Entry:
        try:
            return _ENTRY.validate_json(self._entry_path(batch).read_bytes())
        except (OSError, ValidationError) as error:
            raise self._damaged(batch, error) from None

    def _damaged(self, batch: int, why: object) -> RegionError:
        return RegionError(
            f"{self.folder}: batch {batch} of the interrupted build is damaged: {why}. "
            "Delete the folder to start again."
        )


def remove_work(folder: Path) -> None:
    """Empty the work folder of a finished build; whoever holds its lock deletes the folder."""
    (folder / _PLAN).unlink(missing_ok=True)  # first: without it the rest is known as a leftover
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
