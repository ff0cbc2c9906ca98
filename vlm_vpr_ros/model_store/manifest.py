"""models/manifest.yaml: which vision-language models can be fetched by name."""

from __future__ import annotations

import difflib
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.files import read_yaml
from vlm_vpr_ros.validation import first_problem

_LOOPBACK = {"127.0.0.1", "::1", "localhost"}

PlainName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$")]
"""One part of a path: no separator, and nothing that leads out of a folder."""
Repository = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*$")
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ModelFile(_Part):
    """A file of a model: its exact size and hash, or a round size where they are not known."""

    name: PlainName
    bytes: int | None = Field(None, ge=1)
    gigabytes: float | None = Field(None, gt=0)
    sha256: str | None = Field(None, pattern=r"^[0-9a-f]{64}$")

    @model_validator(mode="after")
    def _has_a_size(self) -> ModelFile:
        if (self.bytes is None) == (self.gigabytes is None):
            raise ValueError("give either bytes or gigabytes")
        return self

    @property
    def about_bytes(self) -> int:
        """Its size, exact or round."""
        return self.bytes if self.bytes is not None else round(1e9 * (self.gigabytes or 0))


class ModelFiles(_Part):
    """The two files of a vision-language model."""

    model: ModelFile
    mmproj: ModelFile

    @property
    def both(self) -> tuple[ModelFile, ModelFile]:
        """The language model and its vision tower."""
        return self.model, self.mmproj


class ModelEntry(_Part):
    """A vision-language model; `models/manifest.yaml` says what each key means."""

    name: PlainName
    description: str
    repository: Repository
    revision: PlainName
    files: ModelFiles | None
    """None for a model that has to be converted first."""
    note: str = ""
    licence: str
    chat_handler: str
    memory_gb: float = Field(gt=0)
    run_here: bool

    def fetchable(self) -> ModelFiles:
        """Its files.

        Raises:
            ModelError: it has none: it has to be converted first.
        """
        if self.files is None:
            raise ModelError(f"{self.name} has no files to fetch. {self.note}")
        return self.files


class ModelManifest(_Part):
    """All models, and where they are."""

    host: str
    models: tuple[ModelEntry, ...]

    @model_validator(mode="after")
    def _names_are_unique(self) -> ModelManifest:
        names = [entry.name for entry in self.models]
        if len(set(names)) != len(names):
            raise ValueError("two models have one name")
        return self

    def entry(self, name: str) -> ModelEntry:
        """The model of that name.

        Raises:
            ModelError: there is none.
        """
        for entry in self.models:
            if entry.name == name:
                return entry
        names = [entry.name for entry in self.models]
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"it holds {', '.join(names)}"
        raise ModelError(f"no model `{name}` in the manifest: {hint}")


def read_model_manifest(path: Path) -> ModelManifest:
    """Read and validate a manifest.

    Raises:
        ModelError: it cannot be read or is not one.
    """
    try:
        return ModelManifest.model_validate(read_yaml(path))
    except ValidationError as error:
        raise ModelError(f"{path}: {first_problem(error)}") from None
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from None


def url_of(host: str, entry: ModelEntry, file: ModelFile) -> str:
    """Where a file can be downloaded.

    Raises:
        ModelError: the host is not https (or this machine itself).
    """
    parts = urlsplit(host)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname:
        raise ModelError(f"{host}: not a host to fetch from: expected https://NAME")
    return f"{host.rstrip('/')}/{entry.repository}/resolve/{entry.revision}/{file.name}"
