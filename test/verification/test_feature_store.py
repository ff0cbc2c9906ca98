from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scenes import random_features

from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.verification.feature_codec import MAX_BYTES, encode_features
from vlm_vpr_ros.verification.feature_store import (
    FEATURES,
    OFFSETS,
    FeatureStore,
    FeatureStoreWriter,
)

COUNTS = [10, 0, 25, 7]
BLOBS = [encode_features(random_features(n, n)) if n else b"" for n in COUNTS]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with FeatureStoreWriter(tmp_path / "features") as writer:
        writer.append(BLOBS)
    return tmp_path / "features"


def write_offsets(folder: Path, offsets: object) -> None:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(offsets), allow_pickle=True)
    (folder / OFFSETS).write_bytes(buffer.getvalue())


def test_gives_back_what_was_written(folder: Path) -> None:
    store = FeatureStore.open(folder, len(BLOBS))
    assert len(store) == len(BLOBS)
    for i, (count, blob) in enumerate(zip(COUNTS, BLOBS, strict=True)):
        features = store.features(i)
        assert (len(features) if features else 0) == count
        assert store.encoded(i) == blob
    assert store.features(1) is None


def test_batches_leave_no_trace(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    with FeatureStoreWriter(other) as writer:
        writer.append(BLOBS[:1])
        writer.append([])
        writer.append(iter(BLOBS[1:]))
    for name in (FEATURES, OFFSETS):
        assert (folder / name).read_bytes() == (other / name).read_bytes()


def test_a_store_is_copied_into_another(folder: Path, tmp_path: Path) -> None:
    """As when a drive is added to a region."""
    base = FeatureStore.open(folder, len(BLOBS))
    with FeatureStoreWriter(tmp_path / "grown") as writer:
        writer.append(base.encoded(i) for i in range(len(base)))
        writer.append(BLOBS[:1])
    grown = FeatureStore.open(tmp_path / "grown", len(BLOBS) + 1)
    assert [bytes(grown.encoded(i)) for i in range(len(grown))] == [*BLOBS, BLOBS[0]]


def test_no_features_at_all(tmp_path: Path) -> None:
    with FeatureStoreWriter(tmp_path) as writer:
        writer.append([b""] * 3)
    store = FeatureStore.open(tmp_path, 3)
    assert [store.features(i) for i in range(3)] == [None] * 3


def test_an_interrupted_writer_leaves_nothing(tmp_path: Path) -> None:
    class InterruptedBuildError(Exception):
        pass

    with pytest.raises(InterruptedBuildError), FeatureStoreWriter(tmp_path) as writer:
        writer.append(BLOBS)
        raise InterruptedBuildError
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(RegionError, match=r"cannot be read.*rebuild"):
        FeatureStore.open(tmp_path, len(BLOBS))


@pytest.mark.parametrize("name", [FEATURES, OFFSETS])
def test_a_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(RegionError, match=name):
        FeatureStore.open(folder, len(BLOBS))


def test_another_number_of_references(folder: Path) -> None:
    with pytest.raises(RegionError, match="damaged"):
        FeatureStore.open(folder, len(BLOBS) + 1)


@pytest.mark.parametrize("size", [-1, 1])
def test_a_file_of_another_length(folder: Path, size: int) -> None:
    data = (folder / FEATURES).read_bytes()
    (folder / FEATURES).write_bytes(data[:size] if size < 0 else data + b"x")
    with pytest.raises(RegionError, match="bytes instead of"):
        FeatureStore.open(folder, len(BLOBS))


@pytest.mark.parametrize(
    "offsets",
    [
        [1, 2, 3, 4, 5],
        [0, 9, 5, 9, 9],
        [0, -(2**63), 2**63 - 1, 0, 1],
        [0, 2**63 - 1, 2**63 - 1, 2**63 - 1, 2**63 - 1],
        [0, 0, 0, 0, MAX_BYTES + 1],
        [0.0, 1.0, 2.0, 3.0, 4.0],
        [[0, 1, 2, 3, 4]],
        [0, 1],
        np.array([0, 1, 2, 3, 4], ">i8"),
        np.array([0, 1, 2, 3, None], object),
    ],
)
def test_hostile_offsets(folder: Path, offsets: object) -> None:
    write_offsets(folder, offsets)
    with pytest.raises(RegionError):
        FeatureStore.open(folder, len(BLOBS))


@given(at=st.integers(0, 167), value=st.integers(0, 255))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_changed_byte_of_the_offsets(folder: Path, at: int, value: int) -> None:
    path = folder / OFFSETS
    sound = path.read_bytes()
    try:
        path.write_bytes(sound[:at] + bytes([value]) + sound[at + 1 :])
        store = FeatureStore.open(folder, len(BLOBS))
        for i in range(len(store)):
            store.features(i)
    except RegionError:
        pass
    finally:
        path.write_bytes(sound)


@given(data=st.binary(max_size=300))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_offsets_of_random_bytes(folder: Path, data: bytes) -> None:
    path = folder / OFFSETS
    sound = path.read_bytes()
    for start in (b"", sound[:10], sound[:128]):
        path.write_bytes(start + data)
        try:
            FeatureStore.open(folder, len(BLOBS))
        except RegionError:
            continue
        finally:
            path.write_bytes(sound)


def test_a_damaged_reference_is_named(folder: Path) -> None:
    data = bytearray((folder / FEATURES).read_bytes())
    data[len(BLOBS[0])] ^= 0xFF  # the first byte of reference 2
    (folder / FEATURES).write_bytes(data)
    store = FeatureStore.open(folder, len(BLOBS))
    assert store.features(0) is not None
    with pytest.raises(RegionError, match="reference 2"):
        store.features(2)
