"""A localizer in the course of drives: in one go, or in windows of so many frames."""

from __future__ import annotations

from collections import deque
from typing import Protocol

from vlm_vpr_ros.mapping.observation import Observation
from vlm_vpr_ros.types import Frame, Outcome, RgbImage


class Localizing(Protocol):
    """What is evaluated: a `Localizer`."""

    def localize(self, frame: Frame, wait_for_prior_s: float = 0.0) -> Outcome:
        """Localize one frame."""

    def reset(self) -> None:
        """Forget earlier frames."""


class Course:
    """Gives a localizer the frames before a query, and the query.

    Args:
        localizer: forgets at the start of each drive, or before each window.
        frames: of a window; None: a drive is one long window.
        wait_for_prior_s: how long a frame may wait for the answer of a model.
    """

    def __init__(self, localizer: Localizing, frames: int | None, wait_for_prior_s: float) -> None:
        self._localizer = localizer
        self._frames = frames
        self._wait_s = wait_for_prior_s
        self._window: deque[Frame] = deque(maxlen=frames)
        self._stamp_ns = 0

    def begin_drive(self) -> None:
        """The next frame is the first of a drive."""
        self._localizer.reset()
        self._window.clear()
        self._stamp_ns = 0

    def frame(self, image: RgbImage, observation: Observation) -> Frame:
        """An image of the drive as a frame."""
        # Without a stamp it keeps the last one: a stamp that goes back means a new drive.
        if observation.stamp_ns is not None:
            self._stamp_ns = observation.stamp_ns
        return Frame(image, self._stamp_ns, observation.source, observation.odometry)

    def outcomes(self, frame: Frame) -> list[Outcome]:
        """Of the frames of the window that ends with this one; none before the first whole one.

        Without windows, of this frame after all those before it.
        """
        if self._frames is None:
            return [self._localizer.localize(frame, self._wait_s)]
        self._window.append(frame)
        if len(self._window) < self._frames:
            return []
        self._localizer.reset()
        return [self._localizer.localize(frame, self._wait_s) for frame in self._window]
