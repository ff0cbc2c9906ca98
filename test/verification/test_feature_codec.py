from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scenes import random_features

from vlm_vpr_ros.verification.feature_codec import (
    MAX_BYTES,
    MAX_DIM,
    MAX_KEYPOINTS,
    decode_features,
    encode_features,
)
from vlm_vpr_ros.verification.local_features import LocalFeatures


@given(count=st.integers(0, 80), half_dim=st.integers(1, MAX_DIM // 2), seed=st.integers(0, 10_000))
def test_round_trip(count: int, half_dim: int, seed: int) -> None:
    features = random_features(count, seed, 2 * half_dim)
    data = encode_features(features)
    back = decode_features(data)
    assert len(back) == count
    assert back.keypoints.dtype == back.descriptors.dtype == np.float32
    assert back.descriptors.shape == features.descriptors.shape
    np.testing.assert_allclose(back.keypoints, features.keypoints, atol=1 / 128 + 1e-4)
    np.testing.assert_allclose(np.linalg.norm(back.descriptors, axis=1), 1, atol=1e-5)
    cosine = (back.descriptors * features.descriptors).sum(axis=1)
    assert (cosine > 0.97).all()


def test_coding_twice_changes_nothing_more() -> None:
    """References that are copied from region to region do not wear out."""
    once = decode_features(encode_features(random_features(200, 0)))
    again = decode_features(encode_features(once))
    np.testing.assert_array_equal(once.keypoints, again.keypoints)
    np.testing.assert_allclose(once.descriptors, again.descriptors, atol=0.03)


def test_a_reference_fits_its_budget() -> None:
    assert len(encode_features(random_features(1024, 0))) <= 40_000


def test_the_largest_features_fit_the_bound() -> None:
    assert len(encode_features(random_features(MAX_KEYPOINTS, 0, MAX_DIM))) == MAX_BYTES


def test_equal_features_give_equal_bytes() -> None:
    assert encode_features(random_features(50, 3)) == encode_features(random_features(50, 3))


def test_zero_descriptors_survive() -> None:
    features = LocalFeatures(np.zeros((3, 2), np.float32), np.zeros((3, 64), np.float32))
    assert np.isfinite(decode_features(encode_features(features)).descriptors).all()


@pytest.mark.parametrize("bad", [-1.0, 1024.0, np.nan, np.inf])
def test_keypoints_off_the_scale_are_refused(bad: float) -> None:
    features = random_features(3, 0)
    features.keypoints[1, 1] = bad
    with pytest.raises(ValueError, match="outside"):
        encode_features(features)


def test_too_many_features_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot encode"):
        encode_features(random_features(MAX_KEYPOINTS + 1, 0, 2))


@given(data=st.binary(max_size=200))
def test_hostile_bytes(data: bytes) -> None:
    with pytest.raises(ValueError, match="local features"):
        decode_features(data)


@given(count=st.integers(0, 1 << 15), dim=st.integers(0, 1 << 15), payload=st.binary(max_size=400))
def test_hostile_counts(count: int, dim: int, payload: bytes) -> None:
    """Whatever the header claims: sound features or a ValueError, and no allocation to match."""
    data = struct.pack("<4sHH", b"VLF1", count, dim) + payload
    try:
        features = decode_features(data)
    except ValueError:
        return
    assert len(features) == count <= MAX_KEYPOINTS


@given(payload=st.binary(min_size=12 * 5, max_size=12 * 5))
def test_any_payload_of_the_right_size_is_finite(payload: bytes) -> None:
    features = decode_features(struct.pack("<4sHH", b"VLF1", 5, 16) + payload)
    assert np.isfinite(features.keypoints).all()
    np.testing.assert_allclose(np.linalg.norm(features.descriptors, axis=1), 1, atol=1e-5)


@given(cut=st.integers(0, 1000))
def test_truncated(cut: int) -> None:
    data = encode_features(random_features(20, 0))
    with pytest.raises(ValueError, match="local features"):
        decode_features(data[: cut % len(data)])
