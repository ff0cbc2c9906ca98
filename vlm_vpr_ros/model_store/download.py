"""Downloading a large file: resumed where it stopped, whole and of the right hash, or not there."""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.files import sha256_of, sync, write_atomic

PARTIAL = ".partial"
"""Added to the name of a file that is not whole yet."""
_ETAG = ".etag"
"""Added to that: which version of the file it is a part of."""
_CHUNK = 1 << 20
_TIMEOUT_S = 30.0
_SLACK = 1.1
"""A file whose size is known only roughly may be larger by this factor."""

Progress = Callable[[int], None]
"""Called with the number of bytes that are there more, negative when a part was thrown away."""


@dataclass(frozen=True)
class Wanted:
    """A file to download.

    Attributes:
        url: where it is.
        about_bytes: its size, roughly.
        exact_bytes: its size, if known.
        sha256: its hash, if known.
    """

    url: str
    about_bytes: int
    exact_bytes: int | None = None
    sha256: str | None = None

    @property
    def most_bytes(self) -> int:
        """More than this is not taken."""
        return self.exact_bytes or round(_SLACK * self.about_bytes)


def download(wanted: Wanted, path: Path, progress: Progress = lambda _: None) -> str:
    """Download a file and return its SHA-256.

    A part that an earlier, interrupted download left is continued if the server can send the rest,
    and either says that it is of the same version or the hash is known, which would show that it is
    not; else it begins anew.

    Args:
        wanted: what to download.
        path: where to put it; its folder exists.
        progress: told about every part, that of an earlier download first.

    Raises:
        ModelError: no network, not found, cut short, another size or hash, no room, or another
            download of the same file is at work.
    """
    partial = path.with_name(path.name + PARTIAL)
    try:
        with _only_one(partial) as file:
            _fill(wanted, file, partial, progress)
            found = sha256_of(partial)
            if wanted.sha256 is not None and found != wanted.sha256:
                _forget(partial)
                raise ModelError(
                    f"{wanted.url}: arrived damaged, or was changed by its publisher (SHA-256 "
                    f"{found}, expected {wanted.sha256}). It was deleted; fetch it again."
                )
            sync(partial)
            partial.replace(path)
            sync(path.parent)
            _etag_file(partial).unlink(missing_ok=True)
    except OSError as error:
        raise ModelError(f"{path}: {error.strerror or error}") from None
    return found


@contextlib.contextmanager
def _only_one(partial: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    with os.fdopen(descriptor, "r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ModelError(f"{partial}: another download is at work on it.") from None
        try:
            yield file
        finally:
            if os.fstat(descriptor).st_size == 0:  # nothing came: leave nothing
                _forget(partial)


def _fill(wanted: Wanted, file: IO[bytes], partial: Path, progress: Progress) -> None:
    there = file.seek(0, os.SEEK_END)
    progress(there)
    if there == wanted.exact_bytes:
        return  # whole, but for the check of its hash
    with _opened(wanted, partial, there) as response:
        if there and not _continues(response, there):
            progress(-there)
            there = file.seek(0)
            file.truncate()
        write_atomic(_etag_file(partial), response.headers.get("ETag", "").encode())
        total = _total(response, there)
        _check_size(wanted, total, there, partial)
        while chunk := _read(response, wanted.url, there, total):
            there += len(chunk)
            if there > wanted.most_bytes:
                _forget(partial)
                raise ModelError(f"{wanted.url}: sends more than {wanted.most_bytes} bytes.")
            file.write(chunk)
            progress(len(chunk))
        file.flush()
    expected = wanted.exact_bytes or total
    if expected is not None and there < expected:
        raise ModelError(_cut_short(wanted.url, there, expected))


def _continues(response: http.client.HTTPResponse, there: int) -> bool:
    """Whether the server sends the rest, and not the whole file again."""
    sent = response.headers.get("Content-Range", "")
    partial = response.status == http.HTTPStatus.PARTIAL_CONTENT
    return partial and sent.startswith(f"bytes {there}-")


def _check_size(wanted: Wanted, total: int | None, there: int, partial: Path) -> None:
    if total is not None and (total > wanted.most_bytes or total != (wanted.exact_bytes or total)):
        expected = wanted.exact_bytes or f"at most {wanted.most_bytes}"
        raise ModelError(
            f"{wanted.url}: the server's file has {total} bytes, expected {expected}: it is "
            "another version."
        )
    missing = (total or wanted.about_bytes) - there
    if missing > shutil.disk_usage(partial.parent).free:
        raise ModelError(f"{partial.parent}: there is no room for {missing} bytes.")


def _opened(wanted: Wanted, partial: Path, there: int) -> http.client.HTTPResponse:
    url = wanted.url
    request = urllib.request.Request(url, headers={"User-Agent": "vlm_vpr_ros"})
    version = _version(partial)
    if there and (version or wanted.sha256 is not None):
        request.add_header("Range", f"bytes={there}-")
        if version:
            request.add_header("If-Range", version)
    try:
        opener = urllib.request.build_opener(_OnlyHttps)
        response: http.client.HTTPResponse = opener.open(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            raise _another_version(url, partial) from None
        raise ModelError(
            f"{url}: the server answers {error.code} {error.reason}. "
            "See whether the repository still has the file, or asks for a login."
        ) from None
    except (OSError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ModelError(
            f"{url}: cannot be reached ({reason}). Without network, copy the file from another "
            f"machine to {partial.with_name(partial.name.removesuffix(PARTIAL))}."
        ) from None
    continues = response.status == http.HTTPStatus.PARTIAL_CONTENT
    if continues and version and response.headers.get("ETag", version) != version:
        response.close()
        raise _another_version(url, partial)  # of a server that knows no If-Range
    return response


def _another_version(url: str, partial: Path) -> ModelError:
    _forget(partial)
    return ModelError(f"{url}: another version than was begun. Fetch it again.")


def _version(partial: Path) -> str:
    """The ETag of what is there; "" without one, or if it does not promise the same bytes."""
    etag = _etag_file(partial)
    text = etag.read_text(encoding="utf-8", errors="replace").strip() if etag.is_file() else ""
    return text if text.startswith('"') else ""  # a weak one begins with W/


def _read(response: http.client.HTTPResponse, url: str, there: int, total: int | None) -> bytes:
    try:
        return response.read(_CHUNK)
    except (OSError, http.client.HTTPException):
        raise ModelError(_cut_short(url, there, total)) from None


def _cut_short(url: str, there: int, total: int | None) -> str:
    of = f" of {total}" if total is not None else ""
    return f"{url}: the connection ended after {there}{of} bytes. Repeat the command to go on."


def _total(response: http.client.HTTPResponse, there: int) -> int | None:
    """Size of the whole file, as far as the server says it."""
    length = response.headers.get("Content-Length", "")
    return there + int(length) if length.isascii() and length.isdigit() else None


def _etag_file(partial: Path) -> Path:
    return partial.with_name(partial.name + _ETAG)


def _forget(partial: Path) -> None:
    partial.unlink(missing_ok=True)
    _etag_file(partial).unlink(missing_ok=True)


class _OnlyHttps(urllib.request.HTTPRedirectHandler):
    """Follows a redirection from https to https alone."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):  # type: ignore[no-untyped-def]  # noqa: PLR0917
        """Refuse to be sent from https to anything else."""
        if req.full_url.startswith("https:") and not newurl.startswith("https:"):
            raise urllib.error.URLError(f"it redirects to {newurl}, which is not https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)
