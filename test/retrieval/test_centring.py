"""The causal mean of a drive."""

from __future__ import annotations

import numpy as np
import pytest
from support.properties import given, st

from vlm_vpr_ros.descriptors import unit_rows, without_mean
from vlm_vpr_ros.retrieval.centring import MEMORY_FRAMES, CausalCentring

DIM = 32
seeds = st.integers(0, 2**32 - 1)


def region_mean(seed: int) -> np.ndarray:
    return (0.3 * unit_rows(np.random.default_rng(seed).normal(size=DIM))).astype(np.float32)


def drive(seed: int, frames: int, spread: float = 1.0) -> np.ndarray:
    """Descriptors of a drive: something in common, and more or less of their own."""
    rng = np.random.default_rng(seed)
    common = rng.normal(size=DIM)
    return unit_rows((common + spread * rng.normal(size=(frames, DIM))).astype(np.float32))


def run(centring: CausalCentring, descriptors: np.ndarray) -> np.ndarray:
    return np.stack([centring.centred(d) for d in descriptors])


@given(seeds, st.integers(1, 20), st.floats(0.1, 3), st.floats(0.0, 30))
def test_a_frame_sees_only_frames_up_to_it(
    seed: int, keep: int, spread: float, pseudo_frames: float
) -> None:
    frames = drive(seed, 20, spread)
    whole = run(CausalCentring(region_mean(seed), pseudo_frames), frames)
    prefix = run(CausalCentring(region_mean(seed), pseudo_frames), frames[:keep])
    np.testing.assert_array_equal(whole[:keep], prefix)


@given(seeds, st.integers(1, 10))
def test_a_parked_robot_scores_as_one_frame(seed: int, before: int) -> None:
    frames = drive(seed, before, spread=3)
    parked = np.concatenate([frames, np.repeat(frames[-1:], 60, axis=0)])
    centred = run(CausalCentring(region_mean(seed), 10), parked)
    np.testing.assert_array_equal(centred[before:], np.repeat(centred[before - 1 : before], 60, 0))


@given(seeds)
def test_a_parked_robot_with_a_noisy_camera(seed: int) -> None:
    rng = np.random.default_rng(seed)
    view = drive(seed, 1)[0]
    noise = unit_rows(rng.normal(size=(60, DIM)).astype(np.float32))
    parked = unit_rows(view + 0.1 * noise)
    centred = run(CausalCentring(region_mean(seed), 10), np.vstack([view, parked]))
    # Were each frame counted, the view would vanish from them: cosines near 0.
    assert (centred[1:] @ centred[0]).min() > 0.95


@given(seeds)
def test_what_a_drive_has_in_common_is_removed(seed: int) -> None:
    frames = drive(seed, 300, spread=1.5)
    centred = run(CausalCentring(np.zeros(DIM, np.float32), 10), frames)
    before = np.linalg.norm(frames.mean(axis=0))
    assert np.linalg.norm(centred[200:].mean(axis=0)) < 0.4 * before


@given(seeds)
def test_reset_forgets_the_drive(seed: int) -> None:
    frames = drive(seed, 10)
    centring = CausalCentring(region_mean(seed), 10)
    first = run(centring, frames)
    centring.reset()
    np.testing.assert_array_equal(run(centring, frames), first)


@given(seeds, st.floats(0.0, 1000.0))
def test_unit_length_or_zero_never_nan(seed: int, pseudo_frames: float) -> None:
    mean = region_mean(seed)
    degenerate = np.vstack(
        [np.zeros(DIM), unit_rows(mean), np.eye(DIM)[0], -np.eye(DIM)[0], *drive(seed, 3)]
    ).astype(np.float32)
    for frame in run(CausalCentring(mean, pseudo_frames), degenerate):
        assert frame.dtype == np.float32
        length = np.linalg.norm(frame)
        assert length == 0 or length == pytest.approx(1, abs=1e-5)


def test_a_long_drive_forgets_its_beginning() -> None:
    dusk, night = drive(1, MEMORY_FRAMES * 2), drive(2, MEMORY_FRAMES * 4)
    centring = CausalCentring(np.zeros(DIM, np.float32), 10)
    run(centring, dusk)
    late = run(centring, night)[-500:]
    fresh = run(CausalCentring(np.zeros(DIM, np.float32), 10), night)[-500:]
    assert (late * fresh).sum(axis=1).mean() > 0.95


def test_rounding_is_not_taken_for_a_view() -> None:
    mean = region_mean(0).astype(np.float64)
    dust = (mean + 1e-6 * drive(0, 5)).astype(np.float32)
    assert not without_mean(dust, mean).any()


@given(seeds)
def test_encoders_whose_descriptors_are_all_alike_learn_too(seed: int) -> None:
    """After a ReLU all raw cosines are near one, of different places too."""
    mean = unit_rows(np.ones(DIM, np.float32))
    map_views = unit_rows(mean + 0.2 * unit_rows(drive(seed, 200, spread=1e3)))
    night = unit_rows(map_views + 0.3 * drive(seed, 1))
    assert (night[1:] * night[:-1]).sum(axis=1).min() > 0.9
    centring = CausalCentring(map_views.mean(axis=0), 10)
    last = run(centring, night)[-20:]
    expected = without_mean(map_views, map_views.mean(axis=0))[-20:]
    assert (last * expected).sum(axis=1).mean() > 0.9
