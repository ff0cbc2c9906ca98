"""Files that are whole or absent."""

from __future__ import annotations

import contextlib
import hashlib
import os
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.files import (
    parse_yaml,
    read_vector,
    read_yaml,
    sha256_of,
    sync_folder,
    write_atomic,
    write_output,
)


def test_sha256(tmp_path: Path) -> None:
    data = np.random.default_rng(0).bytes((1 << 20) + 17)
    (tmp_path / "a").write_bytes(data)
    assert sha256_of(tmp_path / "a") == hashlib.sha256(data).hexdigest()


def test_a_crash_while_writing_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a"
    write_atomic(path, b"old")

    def crash(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", crash)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, b"new")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    write_atomic(path, b"new")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    sync_folder(tmp_path)


@contextlib.contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """What a full disk does, in small: writing fails with an error that names no file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("write", [write_atomic, write_output])
def test_where_it_does_not_fit_nothing_stays(
    tmp_path: Path, write: Callable[[Path, bytes], None]
) -> None:
    path = tmp_path / "result.json"
    with files_of_at_most(1000), pytest.raises(OSError, match="File too large") as caught:
        write(path, bytes(100_000))
    assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


def test_outputs_go_through_links(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "there" / "file")
    for data in (b"first", b"second"):
        write_output(link, data)
        assert link.is_symlink()
        assert (tmp_path / "there" / "file").read_bytes() == data
    assert [p.name for p in (tmp_path / "there").iterdir()] == ["file"]


def test_outputs_go_into_pipes(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as pool:
        read = pool.submit(pipe.read_bytes)
        write_output(pipe, b"through")
        assert read.result(60) == b"through"
    assert pipe.is_fifo()
    assert [p.name for p in tmp_path.iterdir()] == ["pipe"]


def test_vectors(tmp_path: Path) -> None:
    path = tmp_path / "v.npy"
    np.save(path, np.arange(5, dtype=np.float32))
    vector = read_vector(path, 5)
    np.testing.assert_array_equal(vector, np.arange(5))
    assert vector.flags.writeable  # a copy, not the mapped file
    with pytest.raises(ValueError, match="not 4 float32 numbers: it holds float32 of shape"):
        read_vector(path, 4)


def test_yaml_says_what_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be read: No such file"):
        read_yaml(tmp_path / "absent")
    (tmp_path / "latin").write_bytes("naïve".encode("latin-1"))
    with pytest.raises(ValueError, match="cannot be read as YAML: 'utf-8' codec"):
        read_yaml(tmp_path / "latin")


@pytest.mark.parametrize(
    "text", ["[", "2024-13-01", "!!bool x", "[" * 10_000, "!!python/tuple [1]"]
)
def test_what_is_no_yaml_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be read as YAML"):
        parse_yaml(text)


@given(st.text())
def test_arbitrary_text_is_yaml_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_yaml(text)
