"""sketch.npy: what 128 bits tell, and what a damaged file can do (nothing)."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.region.sketch import BITS, Sketch, Sketcher

DIM, COUNT = 64, 3000


def unit(count: int, seed: int) -> np.ndarray:
    vectors = np.random.default_rng(seed).normal(size=(count, DIM))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


REFERENCES = unit(COUNT, 0)


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    np.save(tmp_path / "sketch.npy", Sketcher(DIM).codes(REFERENCES))
    return tmp_path / "sketch.npy"


def test_the_planes_are_the_same_on_every_machine() -> None:
    codes = Sketcher(DIM).codes(np.eye(DIM, dtype=np.float32))
    assert hashlib.sha256(codes.tobytes()).hexdigest().startswith("539c35821abc2e96")


def test_bits_differ_as_the_angle_says() -> None:
    a, b = unit(400, 1), unit(400, 2)
    for mix in (0.1, 0.5, 1.0):
        c = a + mix * b
        c /= np.linalg.norm(c, axis=1, keepdims=True)
        bits = np.unpackbits(Sketcher(DIM).codes(a) ^ Sketcher(DIM).codes(c), axis=1)
        angle = np.arccos((a * c).sum(axis=1))
        assert bits.mean() == pytest.approx(angle.mean() / np.pi, abs=0.01)


def test_a_noisy_view_is_among_the_nearest(file: Path) -> None:
    sketch = Sketch.open(file, DIM, COUNT)
    seen = 0
    for row in range(100):
        query = REFERENCES[row] + 0.5 * unit(1, 100 + row)[0]
        nearest = sketch.nearest(query / np.linalg.norm(query), 30)
        assert len(nearest) == len(set(nearest.tolist())) == 30
        seen += row in nearest
    assert seen > 95
    assert sketch.nearest(REFERENCES[7], 1).tolist() == [7]


def test_all_of_them_at_most(file: Path) -> None:
    nearest = Sketch.open(file, DIM, COUNT).nearest(REFERENCES[0], 10 * COUNT)
    assert sorted(nearest.tolist()) == list(range(COUNT))


@pytest.mark.parametrize(("dim", "count"), [(DIM, COUNT - 1), (DIM, COUNT + 1)])
def test_another_number_than_the_manifest_promises(file: Path, dim: int, count: int) -> None:
    with pytest.raises(RegionError, match=r"sketch\.npy: damaged.*Copy the region again"):
        Sketch.open(file, dim, count)


def test_damaged_files_are_refused_or_searched(file: Path) -> None:
    good = file.read_bytes()
    header = len(good) - COUNT * BITS // 8
    rng = np.random.default_rng(0)
    variants = [good[:length] for length in range(0, header + 40, 7)]
    variants += [
        good[:at] + bytes([good[at] ^ 1 << bit]) + good[at + 1 :]
        for at in range(header)
        for bit in range(8)
    ]
    variants += [rng.bytes(500), good + b"x", good.replace(b"False", b"True "), b""]
    refused = 0
    for data in variants:
        file.write_bytes(data)
        try:
            sketch = Sketch.open(file, DIM, COUNT)
        except RegionError:
            refused += 1
            continue
        nearest = sketch.nearest(REFERENCES[0], 5)
        assert ((nearest >= 0) & (nearest < COUNT)).all()
    assert refused > len(variants) / 2
