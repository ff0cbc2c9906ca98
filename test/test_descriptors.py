"""Unit length, and nothing of what is common."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vlm_vpr_ros.descriptors import unit_rows, without_mean


@given(
    hnp.arrays(
        np.float32,
        (3, 8),
        elements=st.floats(width=32, allow_nan=False, allow_infinity=False),
    )
)
def test_unit_rows(vectors: np.ndarray) -> None:
    unit = unit_rows(vectors)
    for row, before in zip(unit, vectors, strict=True):
        assert np.linalg.norm(row) == pytest.approx(1 if before.any() else 0, abs=1e-5)


def test_what_is_common_is_gone() -> None:
    raw = unit_rows(np.array([[3, 1, 0], [3, 0, 1], [3, -1, -1]], np.float32))
    centred = without_mean(raw, raw.mean(axis=0))
    np.testing.assert_allclose(np.linalg.norm(centred, axis=1), 1, atol=1e-6)
    assert (centred @ centred.T)[np.triu_indices(3, 1)].max() < 0 < (raw @ raw.T).min()
    assert not without_mean(raw, raw[0])[0].any()
