"""Downloads from a real server on this machine: resumed, checked, atomic, and never elsewhere."""

from __future__ import annotations

import fcntl
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from vlm_vpr_ros.cli.main import main
from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.model_store.download import Wanted, download
from vlm_vpr_ros.model_store.manifest import read_model_manifest, url_of
from vlm_vpr_ros.model_store.store import FileState, ModelStore

CONTENT = bytes(i * 7 % 251 for i in range(3_000_000))
SHA256 = hashlib.sha256(CONTENT).hexdigest()
MODELS = Path(__file__).resolve().parents[2] / "models"


@dataclass
class Site:
    """What the server has and does; what it was asked."""

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int | None = None
    ranges: bool = True
    etag: str = '"v1"'
    if_range: bool = True
    redirect: str = ""
    seen: list[tuple[str, str]] = field(default_factory=list)
    url: str = ""


class Handler(http.server.BaseHTTPRequestHandler):
    site: Site

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        site, asked = self.site, self.headers.get("Range", "")
        site.seen.append((self.path, asked))
        if site.redirect:
            self.send_response(302)
            self.send_header("Location", site.redirect)
            self.end_headers()
            return
        if self.path not in site.files:
            self.send_error(404)
            return
        data, first = site.files[self.path], 0
        same = not site.if_range or self.headers.get("If-Range", site.etag) == site.etag
        if asked and site.ranges and same:
            first = int(asked.removeprefix("bytes=").rstrip("-"))
            if first >= len(data):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {first}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - first))
        if site.etag:
            self.send_header("ETag", site.etag)
        self.end_headers()
        end = len(data) if site.cut_after is None else first + site.cut_after
        self.wfile.write(data[first:end])


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("no_proxy", "*")
    site = Site({"/file": CONTENT})
    handler = type("OurHandler", (Handler,), {"site": site})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        site.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield site
        server.shutdown()
        thread.join()


def wanted(site: Site, **changes: object) -> Wanted:
    known = {"about_bytes": len(CONTENT), "exact_bytes": len(CONTENT), "sha256": SHA256}
    return Wanted(f"{site.url}/file", **{**known, **changes})  # type: ignore[arg-type]


def cut_short(site: Site, path: Path, after: int, want: Wanted | None = None) -> None:
    site.cut_after = after
    with pytest.raises(ModelError, match=f"ended after {after} of {len(CONTENT)}.*Repeat"):
        download(want or wanted(site), path)
    site.cut_after = None
    assert not path.exists()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_whole(site: Site, tmp_path: Path) -> None:
    steps: list[int] = []
    assert download(wanted(site), tmp_path / "f", steps.append) == SHA256
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert sum(steps) == len(CONTENT)
    assert names(tmp_path) == ["f"]


def test_resumed_where_it_was_cut(site: Site, tmp_path: Path) -> None:
    cut_short(site, tmp_path / "f", 1_000_000)
    assert names(tmp_path) == ["f.partial", "f.partial.etag"]
    steps: list[int] = []
    download(wanted(site), tmp_path / "f", steps.append)
    assert site.seen[-1] == ("/file", "bytes=1000000-")
    assert steps[0] == 1_000_000 and sum(steps) == len(CONTENT)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert names(tmp_path) == ["f"]


@pytest.mark.parametrize("change", ["no ranges", "another version"])
def test_begun_anew_where_it_cannot_be_resumed(site: Site, tmp_path: Path, change: str) -> None:
    site.files["/file"] = CONTENT[::-1]
    unknown = wanted(site, sha256=None)
    cut_short(site, tmp_path / "f", 1_000_000, unknown)
    site.files["/file"] = CONTENT
    site.ranges = change != "no ranges"
    site.etag = '"v2"'
    steps: list[int] = []
    assert download(wanted(site), tmp_path / "f", steps.append) == SHA256
    assert sum(steps) == len(CONTENT)


@pytest.mark.parametrize("etag", ["", 'W/"v1"'])
def test_without_a_hash_only_a_strong_etag_continues(site: Site, tmp_path: Path, etag: str) -> None:
    site.etag = etag
    site.files["/file"] = CONTENT[::-1]
    unknown = wanted(site, sha256=None)
    cut_short(site, tmp_path / "f", 1_000_000, unknown)
    site.files["/file"] = CONTENT  # its publisher changes it, and no ETag tells
    assert download(unknown, tmp_path / "f") == SHA256
    assert site.seen[-1] == ("/file", "")


def test_a_server_that_knows_no_if_range_gives_no_mix(site: Site, tmp_path: Path) -> None:
    site.if_range = False
    unknown = wanted(site, sha256=None)
    cut_short(site, tmp_path / "f", 1_000_000, unknown)
    site.files["/file"], site.etag = CONTENT[::-1], '"v2"'
    with pytest.raises(ModelError, match="another version than was begun. Fetch it again"):
        download(unknown, tmp_path / "f")
    assert names(tmp_path) == []
    download(unknown, tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT[::-1]


@pytest.mark.parametrize("etag", ["", 'W/"v1"'])
def test_with_a_hash_it_continues_and_finds_a_change(site: Site, tmp_path: Path, etag: str) -> None:
    site.etag = etag
    cut_short(site, tmp_path / "f", 1_000_000)
    assert download(wanted(site), tmp_path / "f") == SHA256
    assert site.seen[-1] == ("/file", "bytes=1000000-")
    site.files["/file"] = CONTENT[::-1]
    cut_short(site, tmp_path / "g", 1_000_000)
    site.files["/file"] = CONTENT
    with pytest.raises(ModelError, match="damaged.*fetch it again"):
        download(wanted(site), tmp_path / "g")
    assert download(wanted(site), tmp_path / "g") == SHA256


def test_whole_but_for_the_renaming(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f.partial").write_bytes(CONTENT)
    download(wanted(site), tmp_path / "f")
    assert site.seen == []


def test_wrong_hash_leaves_nothing(site: Site, tmp_path: Path) -> None:
    site.files["/file"] = CONTENT[:-1] + b"x"
    with pytest.raises(ModelError, match="damaged.*fetch it again"):
        download(wanted(site), tmp_path / "f")
    assert names(tmp_path) == []


@pytest.mark.parametrize("length", [10, len(CONTENT) + 1, 2 * len(CONTENT)])
def test_wrong_size_is_refused_before_it_is_downloaded(
    site: Site, tmp_path: Path, length: int
) -> None:
    site.files["/file"] = bytes(length)
    with pytest.raises(ModelError, match=f"has {length} bytes, expected {len(CONTENT)}"):
        download(wanted(site), tmp_path / "f")
    assert not (tmp_path / "f").exists()


def test_size_known_roughly(site: Site, tmp_path: Path) -> None:
    rough = wanted(site, exact_bytes=None, sha256=None)
    assert download(rough, tmp_path / "f") == SHA256
    site.files["/file"] = CONTENT * 2
    with pytest.raises(ModelError, match="expected at most"):
        download(rough, tmp_path / "g")


def test_no_room(site: Site, tmp_path: Path) -> None:
    site.files["/file"] = b"x"
    huge = 1 << 60
    with pytest.raises(ModelError, match="no room|another version"):
        download(wanted(site, about_bytes=huge, exact_bytes=huge), tmp_path / "f")


def test_not_found_and_no_network(site: Site, tmp_path: Path) -> None:
    site.files.clear()
    with pytest.raises(ModelError, match="404"):
        download(wanted(site), tmp_path / "f")
    with pytest.raises(ModelError, match="cannot be reached.*copy the file"):
        download(Wanted("http://127.0.0.1:9/file", 10), tmp_path / "f")
    with pytest.raises(ModelError, match="cannot be reached"):
        download(Wanted("https://no-such-host.invalid/file", 10), tmp_path / "f")
    assert names(tmp_path) == []


def test_two_at_once(site: Site, tmp_path: Path) -> None:
    with (tmp_path / "f.partial").open("wb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(ModelError, match="another download"):
            download(wanted(site), tmp_path / "f")


def test_a_link_in_place_of_the_partial_file_is_not_followed(site: Site, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"mine")
    (tmp_path / "f.partial").symlink_to(precious)
    with pytest.raises(ModelError):
        download(wanted(site), tmp_path / "f")
    assert precious.read_bytes() == b"mine"


def write_manifest(folder: Path, site: Site, **changes: object) -> Path:
    files = {
        "model": {"name": "model.gguf", "bytes": len(CONTENT), "sha256": SHA256},
        "mmproj": {"name": "mmproj.gguf", "gigabytes": len(CONTENT) / 1e9},
    }
    entry = {
        "name": "tiny",
        "description": "For tests.",
        "repository": "someone/tiny-GGUF",
        "revision": "main",
        "files": files,
        "licence": "MIT",
        "chat_handler": "",
        "memory_gb": 0.1,
        "run_here": False,
        **changes,
    }
    site.files["/someone/tiny-GGUF/resolve/main/model.gguf"] = CONTENT
    site.files["/someone/tiny-GGUF/resolve/main/mmproj.gguf"] = CONTENT[::-1]
    path = folder / "manifest.yaml"
    path.write_text(yaml.safe_dump({"host": site.url, "models": [entry]}), encoding="utf-8")
    return path


def test_command_fetches_verifies_and_lists(
    site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    manifest, store = write_manifest(tmp_path, site), tmp_path / "store"
    options = ["--manifest", str(manifest), "--dir", str(store)]
    assert main(["models", "list", *options]) == 0
    assert site.seen == []  # nothing is asked of the network but by `fetch`
    assert main(["models", "fetch", "tiny", *options]) == 0
    out = capsys.readouterr().out
    assert f"vlm.model:  {store / 'tiny' / 'model.gguf'}" in out
    assert "licence: MIT" in out
    assert (store / "tiny" / "model.gguf").read_bytes() == CONTENT
    recorded = json.loads((store / "tiny" / "checksums.json").read_text())
    assert recorded == {"mmproj.gguf": hashlib.sha256(CONTENT[::-1]).hexdigest()}

    assert main(["models", "verify", *options]) == 0
    out = capsys.readouterr().out
    assert "model.gguf: as published" in out
    assert "mmproj.gguf: as when it was first fetched" in out
    asked = len(site.seen)
    assert main(["models", "fetch", "tiny", *options]) == 0  # it is all there
    assert len(site.seen) == asked

    (store / "tiny" / "mmproj.gguf").write_bytes(CONTENT)
    assert main(["models", "verify", "tiny", *options]) == 2
    assert "mmproj.gguf: damaged" in capsys.readouterr().err
    (store / "tiny" / "mmproj.gguf").unlink()
    assert main(["models", "list", *options]) == 0
    assert "partly" in capsys.readouterr().out
    site.files["/someone/tiny-GGUF/resolve/main/mmproj.gguf"] = CONTENT  # changed by its publisher
    assert main(["models", "fetch", "tiny", *options]) == 2
    assert "changed by its publisher" in capsys.readouterr().err


def test_wrong_use(site: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--manifest", str(write_manifest(tmp_path, site)), "--dir", str(tmp_path / "store")]
    assert main(["models", "fetch", "tinny", *options]) == 2
    assert "did you mean `tiny`?" in capsys.readouterr().err
    assert main(["models", "fetch", "tiny", "--host", "ftp://example.org", *options]) == 2
    assert "https" in capsys.readouterr().err
    assert main(["models", "verify", "tiny", *options]) == 2
    assert "vlm_vpr models fetch tiny" in capsys.readouterr().err
    assert main(["models", "verify", *options]) == 0
    assert "no model is in" in capsys.readouterr().out
    unfetchable = write_manifest(tmp_path, site, files=None, note="Convert it.")
    assert main(["models", "fetch", "tiny", "--manifest", str(unfetchable)]) == 2
    assert "Convert it." in capsys.readouterr().err
    assert site.seen == []


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../up"},
        {"name": "a/b"},
        {"repository": "someone/../../etc"},
        {"revision": ".."},
        {"files": {"model": {"name": "../x", "bytes": 1}, "mmproj": {"name": "y", "bytes": 1}}},
        {"files": {"model": {"name": "x"}, "mmproj": {"name": "y", "bytes": 1}}},
        {"memory_gb": -1},
        {"colour": "red"},
    ],
)
def test_manifests_that_lead_elsewhere_are_refused(
    site: Site, tmp_path: Path, changes: dict[str, object]
) -> None:
    with pytest.raises(ModelError, match="manifest.yaml"):
        read_model_manifest(write_manifest(tmp_path, site, **changes))


@pytest.mark.parametrize(
    "host",
    ["http://example.org", "file:///etc", "https://", "example.org", "http://127.0.0.1.evil"],
)
def test_hosts_without_https_are_refused(site: Site, tmp_path: Path, host: str) -> None:
    entry = read_model_manifest(write_manifest(tmp_path, site)).models[0]
    assert entry.files is not None
    with pytest.raises(ModelError, match="https"):
        url_of(host, entry, entry.files.model)


def test_our_manifest() -> None:
    manifest = read_model_manifest(MODELS / "manifest.yaml")
    assert len(manifest.models) >= 5
    for entry in manifest.models:
        assert entry.files is not None or entry.note
        for file in entry.files.both if entry.files else ():
            assert url_of(manifest.host, entry, file).startswith("https://")
            assert (file.sha256 is None) == (file.bytes is None)
            assert entry.memory_gb * 1e9 > file.about_bytes


def test_models_are_kept_in_the_users_data_folder(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert ModelStore().folder == tmp_path / "vlm_vpr_ros" / "models"
    monkeypatch.setenv("XDG_DATA_HOME", "relative")  # to be ignored, says the specification
    monkeypatch.setenv("HOME", "/home/somebody")
    assert ModelStore().folder == Path("/home/somebody/.local/share/vlm_vpr_ros/models")
    entry = read_model_manifest(write_manifest(tmp_path, site)).models[0]
    assert entry.files is not None
    assert ModelStore(tmp_path / "s").state(entry, entry.files.model) is FileState.ABSENT
