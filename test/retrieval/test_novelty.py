"""Whether two frames show different views."""

from __future__ import annotations

import numpy as np
import pytest

from vlm_vpr_ros.retrieval.novelty import NOVELTY, Novelty


@pytest.mark.parametrize("common", [0.0, 0.9])
def test_in_units_of_how_much_places_differ(common: float) -> None:
    """Descriptors that all have much in common are no more alike for it."""
    mean = np.array([common, 0, 0], np.float32)
    novelty = Novelty(mean)
    for share, differ in ((0.9 * NOVELTY, False), (1.1 * NOVELTY, True)):
        cosine = 1 - share * (1 - common**2)
        a = np.array([1, 0, 0], np.float32)
        b = np.array([cosine, np.sqrt(1 - cosine**2), 0], np.float32)
        assert novelty.differ(a, b) is differ and novelty.differ(b, a) is differ


def test_a_region_of_one_place() -> None:
    view = np.array([1, 0], np.float32)
    assert not Novelty(view).differ(view, view)
