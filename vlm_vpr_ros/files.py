"""Writing and checking files so that neither a crash nor a stranger's data does harm."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import numpy.typing as npt
import yaml

_CHUNK = 1 << 20


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def read_yaml(path: Path) -> object:
    """Content of a YAML file.

    Raises:
        ValueError: it cannot be read or is not YAML.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ValueError(f"cannot be read as YAML: {error}") from None
    return parse_yaml(text)


def parse_yaml(text: str) -> object:
    """What a YAML text says.

    Raises:
        ValueError: it is not YAML.
    """
    try:
        return yaml.safe_load(text)
    except Exception as error:  # besides YAMLError: `2024-13-01`, `!!bool x`, ten thousand `[` ...
        raise ValueError(f"cannot be read as YAML: {error}") from None


def read_vector(path: Path, length: int) -> npt.NDArray[np.float32]:
    """Read a .npy file of `length` finite float32 numbers; allocates no more than that.

    Raises:
        ValueError: it is something else.
    """
    try:
        # Mapped: no memory is taken before the shape that the header names was compared.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if mapped.shape != (length,) or mapped.dtype != np.float32:
            raise ValueError(f"it holds {mapped.dtype} of shape {mapped.shape}")
        vector = np.array(mapped, np.float32)
    except Exception as error:  # the header is Python text, which fails in many ways
        raise ValueError(f"not {length} float32 numbers: {error}") from None
    if not np.isfinite(vector).all():
        raise ValueError("it holds numbers that are not finite")
    return vector


def write_atomic(path: Path, data: bytes) -> None:
    """Write a file that is, after a crash at any moment, whole or absent.

    Raises:
        OSError: of `path`; nothing of it stays.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        with _errors_of(path):
            with partial.open("wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink()
        raise


def write_output(path: Path, data: bytes) -> None:
    """Write a file that the user named: through links, and into pipes and devices as they are.

    Raises:
        OSError: of `path`.
    """
    with _errors_of(path):
        if path.exists() and not path.is_file():  # to replace it would make a plain file of it
            path.write_bytes(data)
        else:
            write_atomic(path.resolve(), data)


@contextmanager
def _errors_of(path: Path) -> Iterator[None]:
    """A full disk names no file, and nobody knows the name of a temporary one."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(path)) from None


def sync(path: Path) -> None:
    """Flush a file, or the list of a folder's files, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Flush a folder and the files directly in it to the disk."""
    for path in [*(p for p in folder.iterdir() if p.is_file()), folder]:
        sync(path)
