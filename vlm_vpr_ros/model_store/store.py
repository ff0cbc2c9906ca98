"""The folder in which fetched models are kept, and whether they are whole."""

from __future__ import annotations

import enum
import json
import os
from pathlib import Path

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.files import sha256_of, write_atomic
from vlm_vpr_ros.model_store.download import PARTIAL, Progress, Wanted, download
from vlm_vpr_ros.model_store.manifest import ModelEntry, ModelFile, url_of

_CHECKSUMS = "checksums.json"
"""In the folder of a model: file name -> SHA-256 when it was first fetched."""


class FileState(str, enum.Enum):
    """What is there of a file."""

    ABSENT = "absent"
    PARTLY = "partly"
    THERE = "there"


class ModelStore:
    """Models in a folder, each in one of its own."""

    def __init__(self, folder: Path | None = None) -> None:
        """Use a folder; None: the user's data folder ($XDG_DATA_HOME)."""
        self.folder = folder or _default_folder()

    def path(self, entry: ModelEntry, file: ModelFile) -> Path:
        """Where a file of a model is, or would be."""
        return self.folder / entry.name / file.name

    def state(self, entry: ModelEntry, file: ModelFile) -> FileState:
        """What is there of a file, by its size alone."""
        path = self.path(entry, file)
        if path.is_file():
            whole = file.bytes is None or path.stat().st_size == file.bytes
            return FileState.THERE if whole else FileState.PARTLY
        begun = path.with_name(path.name + PARTIAL)
        return FileState.PARTLY if begun.is_file() else FileState.ABSENT

    def fetch(
        self, entry: ModelEntry, file: ModelFile, host: str, progress: Progress = lambda _: None
    ) -> Path:
        """Download a file that is not there yet.

        Raises:
            ModelError: it cannot be had, or is not what the manifest promises.
        """
        path = self.path(entry, file)
        if self.state(entry, file) is FileState.THERE:
            return path
        path.parent.mkdir(parents=True, exist_ok=True)
        expected = file.sha256 or self._recorded(entry).get(file.name)
        wanted = Wanted(url_of(host, entry, file), file.about_bytes, file.bytes, expected)
        found = download(wanted, path, progress)
        if expected is None:
            self._record(entry, file, found)
        return path

    def verify(self, entry: ModelEntry, file: ModelFile) -> str:
        """Read a file whole, and say what its hash was compared with.

        Raises:
            ModelError: it is absent, not whole, or damaged.
        """
        path = self.path(entry, file)
        if self.state(entry, file) is not FileState.THERE:
            raise ModelError(
                f"{path}: {self.state(entry, file).value}. `vlm_vpr models fetch {entry.name}`"
            )
        found = sha256_of(path)
        expected = file.sha256 or self._recorded(entry).get(file.name)
        if expected is None:
            self._record(entry, file, found)
            return "its hash was not known, and is recorded now"
        if found != expected:
            raise ModelError(
                f"{path}: damaged (SHA-256 {found}, expected {expected}). "
                "Delete it and fetch it again."
            )
        return "as published" if file.sha256 else "as when it was first fetched"

    def _recorded(self, entry: ModelEntry) -> dict[str, str]:
        path = self.folder / entry.name / _CHECKSUMS
        if not path.is_file():
            return {}
        try:
            recorded = json.loads(path.read_text(encoding="utf-8"))
            return {str(name): str(value) for name, value in recorded.items()}
        except (ValueError, AttributeError, RecursionError):
            raise ModelError(f"{path}: damaged. Delete it; it is made anew.") from None

    def _record(self, entry: ModelEntry, file: ModelFile, sha256: str) -> None:
        recorded = {**self._recorded(entry), file.name: sha256}
        text = json.dumps(recorded, indent=1, sort_keys=True) + "\n"
        write_atomic(self.folder / entry.name / _CHECKSUMS, text.encode())


def _default_folder() -> Path:
    data = os.environ.get("XDG_DATA_HOME", "")
    base = Path(data) if Path(data).is_absolute() else Path.home() / ".local" / "share"
    return base / "vlm_vpr_ros" / "models"
