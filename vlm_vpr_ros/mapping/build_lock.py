"""One build at a time works in a folder."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from vlm_vpr_ros.errors import RegionError

LOCK = "lock"

_NO_LOCKS_HERE = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}
"""What some network file systems say: there, builds must do without."""


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a work folder, made if absent; afterwards it is deleted if it is empty.

    The kernel releases the lock with the process, however it ends.

    Raises:
        RegionError: another process holds it.
        OSError: the folder or its lock cannot be made.
    """
    descriptor = _acquire(folder)
    try:
        yield
    finally:
        try:
            _delete_if_empty(folder)
        finally:
            os.close(descriptor)


def _delete_if_empty(folder: Path) -> None:
    """Delete a folder with nothing but its lock, which its holder may do and nobody else."""
    if {path.name for path in folder.iterdir()} == {LOCK}:
        (folder / LOCK).unlink()
        with contextlib.suppress(OSError):  # the next build has come in
            folder.rmdir()


def _acquire(folder: Path) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        except FileNotFoundError:  # the build before this one has just deleted the folder
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            raise RegionError(
                f"{folder}: another build is at work here. Wait for its end, or name another --out."
            ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS_HERE:
                os.close(descriptor)
                raise
        # A file that was deleted between its opening and its locking excludes nobody.
        if _is_at(descriptor, folder / LOCK):
            return descriptor
        os.close(descriptor)


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
