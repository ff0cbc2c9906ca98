"""A region as a whole: manifest, files beside it, search."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.small_regions import (
    DIM,
    ENCODER,
    raw_descriptors,
    references,
    write_small_region,
)

from vlm_vpr_ros.descriptors import without_mean
from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.region.manifest import (
    DESCRIPTORS,
    HASHED_FILES,
    MANIFEST,
    MEAN_DESCRIPTOR,
    READ_WHOLE,
    file_entries,
    read_manifest,
)
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.region.writer import write_region

COUNT = 40


@pytest.fixture(name="pristine", scope="module")
def _pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("regions") / "region"
    write_small_region(folder, COUNT)
    return folder


@pytest.fixture(name="folder")
def _folder(pristine: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(pristine, tmp_path / "region"))


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the manifest as a text editor would."""
    content = json.loads((folder / MANIFEST).read_text())
    change(content)
    (folder / MANIFEST).write_text(json.dumps(content))


def resign(folder: Path) -> None:
    """Sizes and hashes as a hostile author would write them: right."""
    entries = {n: e.model_dump() for n, e in file_entries(folder, HASHED_FILES).items()}
    edit(folder, lambda m: m.update(files=entries))


def query(row: int = 5) -> np.ndarray:
    raw = raw_descriptors(COUNT)
    return without_mean(raw[row], raw.mean(axis=0))


def test_finds_what_was_written(folder: Path) -> None:
    region = Region.open(folder, verify=True)
    raw = raw_descriptors(COUNT)
    np.testing.assert_allclose(region.mean_descriptor, raw.mean(axis=0), atol=1e-6)
    for row in range(COUNT):
        best = region.search(query(row), 3)
        assert best[0].reference == row
        assert best[0].similarity == pytest.approx(1, abs=1e-3)
        assert best[0].position == region.references.point(row)
        assert [c.similarity for c in best] == sorted((c.similarity for c in best), reverse=True)
    np.testing.assert_allclose(region.raw_descriptors(), raw, atol=1e-3)


def test_search_in_cells(folder: Path) -> None:
    region = Region.open(folder)
    cells = region.references.cell
    wanted = [int(cells[7]), int(cells[21]), 12345]
    rows = {c.reference for c in region.search(query(), COUNT, wanted)}
    assert rows == set(np.flatnonzero(np.isin(cells, wanted)).tolist())
    assert region.search(query(), 5, [12345]) == ()
    assert region.search(query(), 5, []) == ()
    assert region.search(query(), COUNT, cells.tolist()) == region.search(query(), COUNT)


def test_manifest_says_what_is_there(folder: Path) -> None:
    manifest = read_manifest(folder)
    table = references(COUNT)
    assert manifest.drives == {"morning": 20, "abend 夜": 20}
    assert manifest.cells == len(np.unique(table.cell))
    assert manifest.bounds.south == table.lat_deg.min()
    assert manifest.bounds.east == table.lon_deg.max()
    assert manifest.encoder == ENCODER


def test_background_is_what_a_wrong_place_reaches(folder: Path) -> None:
    background = read_manifest(folder).background
    assert background is not None and background.sample == COUNT
    table, raw = references(COUNT), raw_descriptors(COUNT)
    centred = without_mean(raw, raw.mean(axis=0))
    similarity = (centred @ centred.T).astype(np.float64)
    far = distance_m(table.lat_deg[:, None], table.lon_deg[:, None], table.lat_deg, table.lon_deg)
    similarity[far <= 50] = -np.inf
    expected = np.quantile(similarity.max(axis=1), np.arange(1, 100) / 100)
    np.testing.assert_allclose(background.quantiles, expected, atol=2e-6)


def test_writing_twice_gives_the_same_bytes(pristine: Path, tmp_path: Path) -> None:
    write_small_region(tmp_path / "again", COUNT)
    for name in (*HASHED_FILES, MANIFEST):
        assert (tmp_path / "again" / name).read_bytes() == (pristine / name).read_bytes(), name


@pytest.mark.parametrize("name", HASHED_FILES)
def test_verify_finds_every_flipped_byte(folder: Path, name: str) -> None:
    path = folder / name
    data = path.read_bytes()
    for at in {0, 1, len(data) // 2, len(data) - 1}:
        path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
        with pytest.raises(RegionError, match=f"{name}: damaged .SHA-256 differs.*Copy the region"):
            Region.open(folder, verify=True)


@pytest.mark.parametrize("name", READ_WHOLE)
def test_what_is_read_whole_is_always_verified(folder: Path, name: str) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 64
    path.write_bytes(data)
    with pytest.raises(RegionError, match=f"{name}: damaged"):
        Region.open(folder)


@pytest.mark.parametrize("name", [*HASHED_FILES, MANIFEST])
@pytest.mark.parametrize("damage", ["missing", "empty", "short", "long", "folder"])
def test_missing_and_truncated_files(folder: Path, name: str, damage: str) -> None:
    path = folder / name
    data = path.read_bytes()
    path.unlink()
    if damage == "folder":
        path.mkdir()
    elif damage != "missing":
        path.write_bytes({"empty": b"", "short": data[:-3], "long": data + b"x"}[damage])
    with pytest.raises(RegionError, match=name):
        Region.open(folder)


def test_no_folder_and_no_region(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path / ("x" * 300), Path("a\0b")):
        with pytest.raises(RegionError):
            Region.open(path)
    with pytest.raises(RegionError, match="not a region"):
        Region.open(tmp_path)


def _set(*path: str, value: object) -> Callable[[dict[str, Any]], None]:
    def change(manifest: dict[str, Any]) -> None:
        *branch, leaf = path
        for key in branch:
            manifest = manifest[key]
        manifest[leaf] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_set("format_version", value=1), "format version 1, this program reads 2. Rebuild"),
        (_set("format_version", value="new"), "format_version"),
        (_set("references", value=COUNT + 1), "contradict"),
        (_set("references", value=-1), "references"),
        (_set("references", value=10**30), "references"),
        (_set("cells", value=10**8), "contradict"),
        (_set("cells", value=10**30), "cells"),
        (_set("cells", value=COUNT - 1), "damaged"),
        (_set("encoder", "dim", value=65536), "damaged"),
        (_set("encoder", "dim", value=10**12), "encoder.dim"),
        (_set("encoder", "fingerprint", value="../../etc/passwd"), "encoder.fingerprint"),
        (_set("drives", value={"a": COUNT + 1, "b": -1}), "drives"),
        (_set("drives", value={}), "contradict"),
        (_set("bounds", "north", value=91), "bounds.north"),
        (_set("bounds", "east", value="NaN"), "bounds.east"),
        (_set("background", "quantiles", value=[0.5]), "background.quantiles"),
        (_set("background", "quantiles", value=[1e9] * 99), "background.quantiles"),
        (_set("files", value={}), "contradict"),
        (_set("files", "../../secret", value={"bytes": 1, "sha256": "0" * 64}), "contradict"),
        (_set("files", DESCRIPTORS, "bytes", value=10**15), DESCRIPTORS),
        (_set("extra", value=1), "extra"),
        (lambda m: m.pop("encoder"), "encoder"),
    ],
)
def test_tampered_manifest(
    folder: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    edit(folder, change)
    with pytest.raises(RegionError, match=message):
        Region.open(folder)


def test_the_old_region_is_named_after_a_kill_between_two_moves(folder: Path) -> None:
    work = folder.with_name(folder.name + ".building")
    work.mkdir()
    previous = folder.rename(work / "previous")
    with pytest.raises(RegionError, match=f"no such region.* in {previous}. Repeat .*--resume"):
        Region.open(folder)
    with pytest.raises(RegionError, match="no such region. `vlm_vpr build` makes one"):
        Region.open(folder.with_name("another"))


def test_a_newer_manifest_is_named_as_such(folder: Path) -> None:
    edit(folder, lambda m: m.update(format_version=3, new_key=[1], cells={"res": 9}))
    with pytest.raises(RegionError, match="format version 3"):
        Region.open(folder)


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"[" * 100_000, b'{"format_version": 2}']
)
def test_garbage_manifest(folder: Path, text: bytes) -> None:
    (folder / MANIFEST).write_bytes(text)
    with pytest.raises(RegionError, match="manifest.json: damaged"):
        Region.open(folder)


def test_huge_manifest(folder: Path) -> None:
    with (folder / MANIFEST).open("r+b") as file:
        file.truncate(1 << 40)  # sparse
    with pytest.raises(RegionError, match="too large"):
        Region.open(folder)


def test_unreadable_files(folder: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    for name in (*HASHED_FILES, MANIFEST):
        (folder / name).chmod(0)
        with pytest.raises(RegionError):
            Region.open(folder, verify=True)
        (folder / name).chmod(0o600)


def test_links_cannot_lead_to_anything_but_a_valid_file(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(b"root:x:0:0")
    (folder / MEAN_DESCRIPTOR).unlink()
    (folder / MEAN_DESCRIPTOR).symlink_to(secret)
    with pytest.raises(RegionError) as raised:
        Region.open(folder)
    assert "root:x" not in str(raised.value)
    (folder / MEAN_DESCRIPTOR).unlink()
    (folder / MEAN_DESCRIPTOR).symlink_to(folder / MEAN_DESCRIPTOR)  # a loop
    with pytest.raises(RegionError):
        Region.open(folder)


def _npy(header: str, data: bytes = b"") -> bytes:
    text = header.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 a zip",
        b"\x80\x04 a pickle.",
        b"\x93NUMPY\x01\x00\xff\xff",
        _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (24,), }", bytes(95)),
        _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,), }", bytes(96)),
        _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-24,), }", bytes(96)),
        _npy("{'descr': '<f8', 'fortran_order': False, 'shape': (24,), }", bytes(192)),
        _npy("{'descr': '|O', 'fortran_order': False, 'shape': (24,), }", bytes(192)),
        _npy("{'descr': '<f4', 'fortran_order': False, 'shape': (24, 1), }", bytes(96)),
        _npy("((((((((((((((((", bytes(96)),
        _npy("{'descr': '<f4'", bytes(96)),
        _npy("[" * 110, bytes(96)),
        _npy(
            "{'descr': '<f4', 'fortran_order': False, 'shape': (24,), }",
            np.full(24, np.nan, np.float32).tobytes(),
        ),
    ],
)
def test_hostile_mean_descriptor(folder: Path, data: bytes) -> None:
    (folder / MEAN_DESCRIPTOR).write_bytes(data)
    resign(folder)
    with pytest.raises(RegionError, match="mean_descriptor.npy: damaged"):
        Region.open(folder, verify=True)


def test_ids_out_of_range_are_not_found_and_not_used(folder: Path) -> None:
    path = folder / DESCRIPTORS
    data = path.read_bytes()
    path.write_bytes(data[:-8] + (10**9).to_bytes(8, "little"))
    resign(folder)
    region = Region.open(folder, verify=True)
    assert len(region.search(query(), COUNT)) == COUNT - 1
    with pytest.raises(RegionError, match="references that do not exist"):
        region.raw_descriptors()


def test_infinite_descriptors_make_no_infinite_similarity(folder: Path) -> None:
    path = folder / DESCRIPTORS
    data = path.read_bytes()
    half = np.full(DIM, np.inf, np.float16).tobytes()
    path.write_bytes(data[: -8 - 2 * DIM] + half + data[-8:])
    resign(folder)
    region = Region.open(folder, verify=True)
    assert all(abs(c.similarity) <= 1 for c in region.search(query(), COUNT))
    with pytest.raises(RegionError, match="not finite"):
        region.raw_descriptors()


def test_another_encoder_is_refused(folder: Path) -> None:
    region = Region.open(folder)
    region.check_encoder("tiny", "0" * 64, DIM)
    with pytest.raises(RegionError, match="another version of the encoder `tiny`.*Rebuild"):
        region.check_encoder("tiny", "1" * 64, DIM)
    with pytest.raises(RegionError, match="another version"):
        region.check_encoder("tiny", "0" * 64, DIM + 1)
    with pytest.raises(RegionError, match="Set encoder.name to `tiny`"):
        region.check_encoder("megaloc", "1" * 64, DIM)


def test_bounds_across_the_antimeridian(tmp_path: Path) -> None:
    table = references(COUNT, lat_deg=-17.0, lon_deg=179.9)
    assert table.lon_deg.min() < -179 and table.lon_deg.max() > 179
    raw = raw_descriptors(COUNT)
    manifest = write_region(
        tmp_path,
        table,
        lambda: iter([raw]),
        encoder=ENCODER,
        generic_mean=None,
        cell_resolution=8,
    )
    assert manifest.bounds.west == table.lon_deg[table.lon_deg > 0].min()
    assert manifest.bounds.east == table.lon_deg[table.lon_deg < 0].max()
    assert Region.open(tmp_path).search(query(), 1)[0].reference == 5


def test_one_reference(tmp_path: Path) -> None:
    manifest = write_small_region(tmp_path / "one", 1)
    assert manifest.background is None
    assert manifest.bounds.west == manifest.bounds.east
    region = Region.open(tmp_path / "one", verify=True)
    # Its own mean is all there is: nothing is left to compare, and nothing may seem to match.
    (found,) = region.search(without_mean(raw_descriptors(1)[0], region.mean_descriptor), 5)
    assert found.similarity == 0


@pytest.mark.parametrize(("count", "small"), [(40, True), (120, False)])
def test_generic_mean_helps_small_regions_only(tmp_path: Path, count: int, small: bool) -> None:
    raw, generic = raw_descriptors(count), np.full(DIM, 0.1, np.float32)
    write_region(
        tmp_path,
        references(count),
        lambda: iter([raw]),
        encoder=ENCODER,
        generic_mean=generic,
        cell_resolution=8,
    )
    own = raw.mean(axis=0, dtype=np.float64)
    expected = (count * own + 30 * generic) / (count + 30) if small else own
    np.testing.assert_allclose(Region.open(tmp_path).mean_descriptor, expected, atol=1e-6)
