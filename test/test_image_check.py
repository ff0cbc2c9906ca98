"""Frames that show nothing, or nothing new."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from support.streets import view

from vlm_vpr_ros.image_check import FrozenCamera, blurredness, flaw
from vlm_vpr_ros.types import Frame, Odometry, Reason, RgbImage


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (3, 5), (480, 640)])
@pytest.mark.parametrize("level", [0, 5, 100, 255])
def test_even_images(shape: tuple[int, int], level: int) -> None:
    found = flaw(np.full((*shape, 3), level, np.uint8))
    assert found is not None
    reason, detail = found
    assert reason is (Reason.DARK_IMAGE if level < 16 else Reason.FEATURELESS_IMAGE)
    assert detail


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 0, 3), np.uint8),
        np.zeros((4, 0, 3), np.uint8),
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((1, 4, 4, 3), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((), np.uint8),
    ],
)
def test_what_is_no_rgb_image(image: np.ndarray) -> None:
    found = flaw(image)
    assert found is not None and found[0] is Reason.CORRUPT_IMAGE
    assert f"{image.dtype} of shape" in found[1]


def test_noise_in_the_dark_and_fog_with_noise() -> None:
    noise = np.random.default_rng(0).normal(0, 4, (480, 640, 3))
    for level, reason in ((4, Reason.DARK_IMAGE), (180, Reason.FEATURELESS_IMAGE)):
        found = flaw(np.clip(level + noise, 0, 255).astype(np.uint8))
        assert found is not None and found[0] is reason


def test_views_are_not_refused() -> None:
    assert all(flaw(view(place)) is None for place in range(20))
    night = (view(3) * 0.15).astype(np.uint8)
    night[10:20, 30:40] = 255  # a lamp
    assert flaw(night) is None


def test_blurred_images() -> None:
    sharp = cv2.resize(view(5), (640, 480), interpolation=cv2.INTER_NEAREST)
    shares = [blurredness(cv2.GaussianBlur(sharp, (0, 0), s) if s else sharp) for s in range(30)]
    assert 0 <= shares[0] < 0.6 and shares[20] > shares[5] > shares[1]
    found = flaw(cv2.GaussianBlur(sharp, (0, 0), 25))
    assert found is not None and found[0] is Reason.BLURRED_IMAGE


def test_a_camera_that_hangs() -> None:
    camera = FrozenCamera()
    image, other = view(5), view(6)

    def flaw_at(image: RgbImage, x_m: float | None) -> Reason | None:
        odometry = None if x_m is None else Odometry(x_m, 0.0, 0.0)
        found = camera.flaw(Frame(image.copy(), 0, odometry=odometry))
        return found[0] if found else None

    assert [flaw_at(image, x) for x in (0.0, 0.5, 0.9)] == [None] * 3
    assert flaw_at(image, 1.1) is flaw_at(image, 2.0) is Reason.FROZEN_IMAGE
    assert flaw_at(other, 2.0) is None
    assert flaw_at(other, None) is None  # a simulated robot may stand still
    camera.reset()
    assert flaw_at(other, 9.0) is None
