"""A store of records is whole or absent."""

from __future__ import annotations

from pathlib import Path

import pytest

from vlm_vpr_ros.record_store import RecordStore, RecordStoreWriter


def open_files() -> list[str]:
    folder = Path("/proc/self/fd")
    return [str(entry.readlink()) for entry in folder.iterdir() if entry.is_symlink()]


def test_records_come_back(tmp_path: Path) -> None:
    with RecordStoreWriter(tmp_path / "new" / "r.bin") as writer:
        writer.append([b"one", b"", b"three"])
    store = RecordStore(tmp_path / "new" / "r.bin", 3, max_bytes=5)
    assert [bytes(store.encoded(i)) for i in range(3)] == [b"one", b"", b"three"]


@pytest.mark.parametrize("size", [10, 1 << 20])
def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, size: int) -> None:
    (tmp_path / "r.bin.partial").symlink_to("/dev/full")  # fails when it is flushed
    with (
        pytest.raises(OSError, match="No space left"),
        RecordStoreWriter(tmp_path / "r.bin") as writer,
    ):
        writer.append([bytes(size)])
    assert list(tmp_path.iterdir()) == []
    assert "/dev/full" not in open_files()


def test_an_error_inside_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(KeyError), RecordStoreWriter(tmp_path / "r.bin") as writer:
        writer.append([b"one"])
        raise KeyError
    assert list(tmp_path.iterdir()) == []
