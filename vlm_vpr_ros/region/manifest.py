"""manifest.json: what a region contains, and the sizes and hashes of its files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.files import sha256_of, write_atomic
from vlm_vpr_ros.region.places import PLACES
from vlm_vpr_ros.region.sketch import SKETCH
from vlm_vpr_ros.region.thumbnails import THUMBNAIL_FILES
from vlm_vpr_ros.validation import first_problem
from vlm_vpr_ros.verification.feature_store import FEATURES, OFFSETS

FORMAT_VERSION = 2
MANIFEST = "manifest.json"
REFERENCES = "references.parquet"
DESCRIPTORS = "descriptors.faiss"
MEAN_DESCRIPTOR = "mean_descriptor.npy"
JOURNAL = "build_journal.jsonl"
"""When and from what the region was built. Not hashed: two builds of the same input differ here
alone."""
FEATURE_FOLDER = "features"
HASHED_FILES = (REFERENCES, DESCRIPTORS, MEAN_DESCRIPTOR, PLACES, SKETCH)
READ_WHOLE = (REFERENCES, MEAN_DESCRIPTOR, PLACES)
"""Read when a region is opened: to compare their hashes as well costs little."""
FEATURE_FILES = (f"{FEATURE_FOLDER}/{FEATURES}", f"{FEATURE_FOLDER}/{OFFSETS}")
"""Hashed too, in a region with local features."""

BUILDING = ".building"
"""Added to the name of a region: the folder beside it in which a build works."""
PREVIOUS = "previous"
"""In that folder: the old region, for the moment in which the new one takes its place."""

MAX_REFERENCES = 100_000_000
_MAX_MANIFEST_BYTES = 16 << 20

Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
Similarity = Annotated[float, Field(ge=-1.001, le=1.001)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EncoderId(_Part):
    """The encoder that made the descriptors; `fingerprint` covers network and image preparation."""

    name: str
    fingerprint: Sha256
    dim: int = Field(ge=1, le=65536)


class FeaturesId(_Part):
    """The network that made the local features."""

    name: str
    fingerprint: Sha256


class FileEntry(_Part):
    """Size and hash of a file of the region."""

    bytes: int = Field(ge=0)
    sha256: Sha256


class Bounds(_Part):
    """The box around all references; `west` > `east` when it spans the antimeridian."""

    south: Latitude
    west: Longitude
    north: Latitude
    east: Longitude


class Background(_Part):
    """How much views of *different* places of this region resemble each other.

    For each of a sample of references: the highest centred similarity to a reference farther
    away than `radius_m`. `quantiles` are its 1st to 99th percentiles: the similarity that a wrong
    place reaches by chance.
    """

    radius_m: float = Field(gt=0)
    sample: int = Field(ge=1)
    quantiles: tuple[Similarity, ...] = Field(min_length=99, max_length=99)


class _Version(BaseModel):
    format_version: int


class Manifest(_Part):
    """The content of manifest.json."""

    format_version: int
    encoder: EncoderId
    features: FeaturesId | None
    """None in a region without local features."""
    thumbnails: bool = False
    """Whether there are small pictures of the references."""
    sketch: Literal["gaussian_signs_128"]
    """How the sketches of the descriptors are made."""
    references: int = Field(ge=1, le=MAX_REFERENCES)
    drives: dict[str, Annotated[int, Field(ge=1)]]
    """References of each drive, in the order they were added."""
    cell_resolution: int = Field(ge=0, le=15)
    """H3 resolution of the inverted lists."""
    cells: int = Field(ge=1, le=MAX_REFERENCES)
    """Number of H3 cells with references, each an inverted list, in ascending order of the cell."""
    bounds: Bounds
    background: Background | None
    """None when no two references are far enough apart to be different places."""
    files: dict[str, FileEntry]

    @property
    def hashed_files(self) -> tuple[str, ...]:
        """The files that the manifest answers for."""
        return (
            HASHED_FILES
            + (FEATURE_FILES if self.features else ())
            + (THUMBNAIL_FILES if self.thumbnails else ())
        )

    def write(self, folder: Path) -> None:
        """Write manifest.json."""
        write_atomic(folder / MANIFEST, (self.model_dump_json(indent=1) + "\n").encode())


def read_manifest(folder: Path) -> Manifest:
    """Read and validate manifest.json, and check that the files beside it have the sizes it names.

    Raises:
        RegionError: the folder is not a region, is damaged, or of another format version.
    """
    path = folder / MANIFEST
    try:
        if folder.is_file():
            raise RegionError(
                f"{folder}: not a region, which is a folder that `vlm_vpr build` makes"
            )
        if not folder.is_dir():
            raise RegionError(f"{folder}: there is no such region. {_advice_if_missing(folder)}")
        if not path.is_file():
            raise RegionError(f"{folder}: not a region: {MANIFEST} is missing")
        if path.stat().st_size > _MAX_MANIFEST_BYTES:
            raise RegionError(f"{path}: too large to be a manifest")
        manifest = _validated(path.read_bytes(), path)
        for name, entry in manifest.files.items():
            _check_size(folder / name, entry.bytes)
    except OSError as error:
        raise RegionError(f"{folder}: cannot be read: {error}") from None
    return manifest


def _advice_if_missing(folder: Path) -> str:
    place = folder.absolute()
    previous = place.with_name(place.name + BUILDING) / PREVIOUS
    if not previous.is_dir():
        return "`vlm_vpr build` makes one."
    return (
        f"A build that was killed left the old one in {previous}. Repeat the build's command with "
        "--resume, or move that folder back."
    )


def verify_hashes(folder: Path, manifest: Manifest, names: Sequence[str]) -> None:
    """Read some files of the region and compare their hashes with the manifest.

    Raises:
        RegionError: naming the first file that differs.
    """
    for name in names:
        try:
            found = sha256_of(folder / name)
        except OSError as error:
            raise RegionError(f"{folder / name}: cannot be read: {error}") from None
        if found != manifest.files[name].sha256:
            raise RegionError(
                f"{folder / name}: damaged (SHA-256 differs). Copy the region again, or rebuild it."
            )


def file_entries(folder: Path, names: Sequence[str]) -> dict[str, FileEntry]:
    """Sizes and hashes of files for a new manifest."""
    return {
        name: FileEntry(bytes=(folder / name).stat().st_size, sha256=sha256_of(folder / name))
        for name in names
    }


def _validated(text: bytes, path: Path) -> Manifest:
    try:
        # The version first: a manifest of another version may have other keys.
        version = _Version.model_validate_json(text).format_version
        if version != FORMAT_VERSION:
            raise RegionError(
                f"{path}: format version {version}, this program reads {FORMAT_VERSION}. "
                "Rebuild the region."
            )
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise RegionError(
            f"{path}: damaged: {first_problem(error)}. Copy the region again, or rebuild it."
        ) from None
    if (
        set(manifest.files) != set(manifest.hashed_files)
        or sum(manifest.drives.values()) != manifest.references
        or manifest.cells > manifest.references
    ):
        raise RegionError(f"{path}: damaged: its file list or counts contradict each other")
    return manifest


def _check_size(path: Path, expected_bytes: int) -> None:
    if not path.is_file():
        raise RegionError(f"{path}: missing. Copy the region again, or rebuild it.")
    size = path.stat().st_size
    if size != expected_bytes:
        raise RegionError(
            f"{path}: damaged: {size} bytes instead of {expected_bytes}. "
            "Copy the region again, or rebuild it."
        )
