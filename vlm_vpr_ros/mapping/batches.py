"""The work folder of a build: encoded batches that survive a kill.

Batches are fixed by the order of the references, so that a resumed build repeats nothing and ends
with the bytes an uninterrupted one would have written.
"""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import TypeAdapter, ValidationError

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.files import write_atomic

_PLAN = "plan.json"


@dataclass(frozen=True)
class FailedImage:
    """An image that could not be used, and why."""

    source: str
    error: str


_FAILURES = TypeAdapter(list[FailedImage])


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
        if (folder / _PLAN).is_file():
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
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / _PLAN, text)

    def __contains__(self, batch: int) -> bool:
        return self._failures_path(batch).is_file()  # written last

    def put(
        self,
        batch: int,
        descriptors: npt.NDArray[np.float32],
        rows: Sequence[int],
        failures: Sequence[FailedImage],
    ) -> None:
        """Store a batch.

        Args:
            batch: its number.
            descriptors: (n, dim) of the images that could be encoded.
            rows: (n,) which images of the batch those are.
            failures: the others.
        """
        buffer = io.BytesIO()
        np.save(buffer, descriptors, allow_pickle=False)
        write_atomic(self._path(batch, "descriptors.npy"), buffer.getvalue())
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(rows, np.int64), allow_pickle=False)
        write_atomic(self._path(batch, "rows.npy"), buffer.getvalue())
        write_atomic(self._failures_path(batch), _FAILURES.dump_json(list(failures)))

    def get(
        self, batch: int
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64], list[FailedImage]]:
        """What `put` stored."""
        try:
            return (
                np.load(self._path(batch, "descriptors.npy"), allow_pickle=False),
                np.load(self._path(batch, "rows.npy"), allow_pickle=False),
                _FAILURES.validate_json(self._failures_path(batch).read_bytes()),
            )
        except (OSError, ValueError, EOFError, ValidationError) as error:
            raise RegionError(
                f"{self.folder}: batch {batch} of the interrupted build is damaged: {error}. "
                "Delete the folder to start again."
            ) from None

    def all_descriptors(self, batches: int) -> Iterator[npt.NDArray[np.float32]]:
        """Descriptors of batch 0 ... batches - 1."""
        return (self.get(batch)[0] for batch in range(batches))

    def remove(self) -> None:
        """Delete the work folder."""
        shutil.rmtree(self.folder)

    def _path(self, batch: int, name: str) -> Path:
        return self.folder / f"batch_{batch:07d}.{name}"

    def _failures_path(self, batch: int) -> Path:
        return self._path(batch, "failures.json")
