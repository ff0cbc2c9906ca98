"""descriptors.faiss: search, and what a damaged or hostile file can do (nothing)."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import faiss
import numpy as np
import pytest

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.region.geo_ivf import GeoIvf

DIM = 16
COUNT = 60
CELLS = 6


def unit(count: int, seed: int = 0) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


LISTS = np.arange(COUNT, dtype=np.int64) % CELLS


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    index = GeoIvf.empty(DIM, CELLS)
    for start in range(0, COUNT, 25):  # in pieces, as a build does
        rows = np.arange(start, min(start + 25, COUNT))
        index.add(unit(COUNT)[rows], LISTS[rows], rows)
    index.write(tmp_path / "d.faiss")
    return tmp_path / "d.faiss"


def opened(file: Path) -> GeoIvf:
    return GeoIvf.open(file, DIM, COUNT, CELLS)


def test_search_of_all_cells_equals_brute_force(file: Path) -> None:
    index = opened(file)
    for query in unit(20, seed=1):
        rows, similarity = index.search(query, 10)
        exact = unit(COUNT).astype(np.float16).astype(np.float32) @ query
        best = np.argsort(-exact)[:10]
        assert rows.tolist() == best.tolist()
        np.testing.assert_allclose(similarity, exact[best], atol=1e-5)


def test_descriptors_come_back_to_half_precision(file: Path) -> None:
    np.testing.assert_array_equal(
        opened(file).descriptors(COUNT), unit(COUNT).astype(np.float16).astype(np.float32)
    )


def test_search_looks_only_in_the_named_lists(file: Path) -> None:
    rows, _ = opened(file).search(unit(1, seed=2)[0], COUNT, np.array([4, 1]))
    assert sorted(rows.tolist()) == sorted(np.flatnonzero((LISTS == 4) | (LISTS == 1)).tolist())


def test_the_order_of_lists_does_not_change_the_result(file: Path) -> None:
    index, query = opened(file), unit(1, seed=3)[0]
    first = index.search(query, 8, np.array([0, 3, 5]))
    second = index.search(query, 8, np.array([5, 0, 3]))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])


def test_more_results_asked_than_there_are(file: Path) -> None:
    rows, similarity = opened(file).search(unit(1)[0], 500)
    assert len(rows) == len(similarity) == COUNT


def test_no_lists_no_results(file: Path) -> None:
    rows, similarity = opened(file).search(unit(1)[0], 5, np.array([], np.int64))
    assert len(rows) == len(similarity) == 0


def test_similarity_is_a_cosine(file: Path) -> None:
    index = opened(file)
    for vector in unit(COUNT):
        assert index.search(vector, 1)[1][0] <= 1.0
        assert index.search(-vector, COUNT)[1].min() >= -1.0


def test_query_without_structure_is_no_error(file: Path) -> None:
    for value in (0.0, np.nan, np.inf):
        _, similarity = opened(file).search(np.full(DIM, value, np.float32), 5)
        assert np.isfinite(similarity).all()


@pytest.mark.parametrize(
    ("dim", "count", "cells"),
    [(DIM + 1, COUNT, CELLS), (DIM, COUNT - 1, CELLS), (DIM, COUNT, CELLS + 1), (DIM, COUNT, 1)],
)
def test_another_shape_than_the_manifest_promises(
    file: Path, dim: int, count: int, cells: int
) -> None:
    with pytest.raises(RegionError, match="damaged.*Copy the region again"):
        GeoIvf.open(file, dim, count, cells)


def test_no_such_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "absent", tmp_path):
        with pytest.raises(RegionError, match="damaged"):
            opened(path)


@pytest.mark.parametrize("other", ["flat", "l2", "sq8", "residual"])
def test_other_faiss_indexes_are_refused(tmp_path: Path, other: str) -> None:
    vectors = unit(COUNT)
    kind, metric, residual = {
        "flat": (None, faiss.METRIC_INNER_PRODUCT, False),
        "l2": (faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_L2, False),
        "sq8": (faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT, False),
        "residual": (faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT, True),
    }[other]
    if kind is None:
        index = faiss.IndexFlatIP(DIM)
    else:
        quantizer = faiss.IndexFlatIP(DIM)
        index = faiss.IndexIVFScalarQuantizer(quantizer, DIM, CELLS, kind, metric, residual)
        index.train(vectors)
    index.add(vectors)
    faiss.write_index(index, str(tmp_path / "d.faiss"))
    with pytest.raises(RegionError, match="damaged"):
        opened(tmp_path / "d.faiss")


# What follows runs in a process of its own: a crash of faiss would end it, and fail the test.
FUZZ = textwrap.dedent(
    """
    import json, sys
    from pathlib import Path
    import numpy as np
    from vlm_vpr_ros.errors import RegionError
    from vlm_vpr_ros.region.geo_ivf import GeoIvf

    folder, dim, count, cells, part = Path(sys.argv[1]), *map(int, sys.argv[2:])
    good = (folder / "d.faiss").read_bytes()
    header = len(good) - count * (2 * dim + 8)
    rng = np.random.default_rng(part)
    query = rng.normal(size=dim).astype(np.float32)
    query /= np.linalg.norm(query)

    def variants():
        if part == 0:  # every bit of the header
            for at in range(header):
                for bit in range(8):
                    yield at, good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
        elif part == 1:  # every byte of the header, other values
            for at in range(header):
                for value in (0, 1, 2, 0x7F, 0x80, 0xFF):
                    yield at, good[:at] + bytes([value]) + good[at + 1 :]
        elif part == 2:  # every field, aligned or not, with numbers that overflow
            for at in range(header - 8):
                for value in (2**63, 2**64 - 1, 2**61, 2**32, 2**31 - 1, count + 1):
                    yield at, good[:at] + value.to_bytes(8, "little") + good[at + 8 :]
        elif part == 3:  # the wrong length, and garbage
            for length in [*range(header + 1), *range(header, len(good), 97), len(good) - 1]:
                yield length, good[:length]
            for more in (1, 8, 4096):
                yield -more, good + bytes(more)
            for _ in range(100):
                yield None, rng.bytes(len(good))
                yield None, good[:4] + rng.bytes(len(good) - 4)
        else:  # descriptors and ids
            for _ in range(400):
                at = int(rng.integers(header, len(good) - 64))
                yield at, good[:at] + rng.bytes(64) + good[at + 64 :]
            for value in (-1, -2, count, 2**31, 2**63 - 1, -(2**63)):
                ids = value.to_bytes(8, "little", signed=True)
                yield value, good[:-8] + ids

    refused = searched = 0
    target = folder / f"fuzz_{part}.faiss"
    for what, data in variants():
        target.write_bytes(data)
        try:
            index = GeoIvf.open(target, dim, count, cells)
        except RegionError:
            refused += 1
            continue
        rows, similarity = index.search(query, 10)
        assert len(rows) == len(similarity) <= 10, what
        assert (np.abs(similarity) <= 1).all() and (rows >= 0).all(), what
        index.search(query, 5, np.array([cells - 1, 0]))
        try:
            assert np.isfinite(index.descriptors(count)).all()
        except ValueError:
            pass
        searched += 1
    print(json.dumps([header, refused, searched]))
    """
)


@pytest.mark.parametrize("part", range(5))
def test_no_file_ends_the_process(file: Path, part: int) -> None:
    arguments = [str(n) for n in (file.parent, DIM, COUNT, CELLS, part)]
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    header, refused, searched = json.loads(done.stdout.splitlines()[-1])
    if part == 0:
        free = 8 + 4 * 8 + 8  # nprobe, four fields that faiss does not use, range training
        assert searched <= free * 8, "the header has a field that is neither checked nor unused"
        assert refused > 4 * header
    if part == 3:
        assert not searched
