"""Keeps what is known of where the robot is from one frame to the next.

Three sources: what the user configured (it stays), the last position that somebody told
(`observe`), and the last answers of a vision-language model, averaged: a frame may mislead it. The
latter two are widened as the robot may have moved since, and forgotten on `reset` and when a robot
that was found is lost again. The sources multiply.
"""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, wait
from dataclasses import dataclass
from typing import Any, Protocol

from vlm_vpr_ros.config import PriorConfig
from vlm_vpr_ros.errors import PriorError
from vlm_vpr_ros.prior.fixed import fixed_prior
from vlm_vpr_ros.prior.fusion import averaged, fused
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.prior.odometer import Odometer
from vlm_vpr_ros.text import length, plain
from vlm_vpr_ros.types import Frame, PriorReport, PriorStatus, RgbImage

ANSWERS = 7
"""Of the model, the last ones that are averaged."""


class Answer(Protocol):
    """What a model said."""

    @property
    def failure(self) -> str:
        """One sentence why it said nothing; "" if it did."""
        ...


class Model(Protocol):
    """A vision-language model that is asked beside the search."""

    def ask(self, image: RgbImage, stamp_ns: int) -> Future[Any]:
        """Start on an image and return at once; the result is an `Answer`."""
        ...

    def health(self) -> dict[str, str]:
        """How it is, for diagnostics."""
        ...

    def close(self) -> None:
        """End it."""
        ...


@dataclass(frozen=True)
class _Moment:
    stamp_ns: int
    travelled_m: float | None


@dataclass(frozen=True)
class _Known:
    """A prior, and when it was true."""

    prior: GeoPrior
    since: _Moment


class PriorKeeper:
    """The prior of each frame.

    `observe` may be called from any thread, everything else from the one that localizes.

    Args:
        config: the section `prior`.
        max_speed_mps: bound of the robot's speed, where there is no odometry.
        model: asked about the frames; None: nobody is.
        prior_of: makes a prior of a model's answer that is no failure; raises PriorError if it
            cannot.

    Raises:
        PriorError: the file `prior.geojson` cannot be used.
    """

    def __init__(
        self,
        config: PriorConfig,
        max_speed_mps: float,
        model: Model | None = None,
        prior_of: Callable[[Any], GeoPrior] | None = None,
    ) -> None:
        self._config = config
        self._max_speed_mps = max_speed_mps
        self._model = model
        self._prior_of = prior_of
        self._fixed = fixed_prior(config)
        self._lock = threading.Lock()
        self._odometer = Odometer()
        self._told: _Known | None = None
        self._answers: deque[_Known] = deque(maxlen=ANSWERS)
        self._asked: _Moment | None = None
        """When the image was taken that the model saw last."""
        self._pending: Future[Any] | None = None
        self._failure = ""
        self._found = self._lost = False

    def ask(self, frame: Frame) -> None:
        """Note the frame's odometry, and show the frame to the model if it is time to."""
        self._odometer.see(frame.odometry)
        self._take_answer()
        if self._model is None or self._pending is not None or not self._due(frame.stamp_ns):
            return
        self._asked = self._moment(frame.stamp_ns)
        self._pending = self._model.ask(frame.image, frame.stamp_ns)

    def current(self, stamp_ns: int, wait_s: float) -> PriorReport:
        """What is known of where a frame was taken.

        Args:
            stamp_ns: of the frame that `ask` saw last.
            wait_s: how long to wait for an answer of the model that has not arrived.
        """
        if self._pending is not None and wait_s > 0:
            wait([self._pending], wait_s)
        self._take_answer()
        with self._lock:
            told = self._told
        priors = [self._fixed] if self._fixed else []
        if told:
            priors.append(self._widened(told, stamp_ns))
        if self._answers:
            priors.append(averaged([self._widened(known, stamp_ns) for known in self._answers]))
        waiting = "the model's answer has not arrived" if self._pending is not None else ""
        remarks = [text for text in (self._failure, waiting) if text]
        if priors:
            prior = fused(priors)
            return PriorReport(PriorStatus.USED, prior, "; ".join([said(prior), *remarks]))
        if self._failure and not waiting:
            return PriorReport(PriorStatus.FAILED, None, self._failure)
        if waiting:
            return PriorReport(PriorStatus.WAITING, None, "; ".join(remarks))
        return PriorReport(PriorStatus.OFF, None, "no prior is configured")

    def concluded(self, accepted: bool) -> None:
        """Take note of whether the frame gave a fix.

        A robot that was found and is lost again may have been carried away: what was told and
        answered before is forgotten. As long as it is lost it may be carried away unseen, so the
        model is asked about every frame for which it has time.
        """
        if self._found and not accepted:
            with self._lock:
                self._told = None
            self._answers.clear()
            self._asked = None
        self._found, self._lost = accepted, not accepted

    def observe(self, prior: GeoPrior, stamp_ns: int) -> None:
        """Take a prior that somebody told; it replaces the one told before."""
        with self._lock:
            self._told = _Known(prior, self._moment(stamp_ns))

    def reset(self) -> None:
        """Forget everything but what is configured."""
        with self._lock:
            self._told = None
        if self._pending is not None:
            self._pending.cancel()
        self._answers.clear()
        self._asked = self._pending = None
        self._failure = ""
        self._found = self._lost = False
        self._odometer = Odometer()

    def close(self) -> None:
        """End the model."""
        if self._model is not None:
            self._model.close()

    def describe(self) -> dict[str, str]:
        """What is in use, for diagnostics."""
        sources = {
            "fixed": self._fixed is not None,
            "told": self._told is not None,
            "model": self._model is not None,
        }
        used = ", ".join(name for name, there in sources.items() if there) or "off"
        return {"prior": used} | (self._model.health() if self._model else {})

    def _moment(self, stamp_ns: int) -> _Moment:
        return _Moment(stamp_ns, self._odometer.travelled_m)

    def _due(self, stamp_ns: int) -> bool:
        if self._asked is None or self._failure or self._lost:
            return True
        return self._moved_m(self._asked, stamp_ns) >= self._config.ask_again_m

    def _moved_m(self, since: _Moment, stamp_ns: int) -> float:
        """How far the robot can be from where it was: by odometry, else by its speed."""
        if since.travelled_m is not None and self._odometer.travelled_m is not None:
            return self._odometer.travelled_m - since.travelled_m
        return abs(stamp_ns - since.stamp_ns) * 1e-9 * self._max_speed_mps

    def _widened(self, known: _Known, stamp_ns: int) -> GeoPrior:
        # A distance in an unknown direction is this much on each axis.
        return known.prior.widened(self._moved_m(known.since, stamp_ns) / math.sqrt(2))

    def _take_answer(self) -> None:
        """Keep the model's answer if it has arrived; a failure leaves the earlier ones in use."""
        if self._pending is None or not self._pending.done():
            return
        pending, self._pending = self._pending, None
        try:
            answer = pending.result()
            self._failure = answer.failure
            if not self._failure and self._prior_of and self._asked:
                self._answers.append(_Known(self._prior_of(answer), self._asked))
        except (PriorError, CancelledError) as error:
            self._failure = f"the model's answer is no prior: {error}"


def said(prior: GeoPrior) -> str:
    """A prior in one line, for people: its three heaviest parts."""
    best = sorted(prior.components, key=lambda c: -c.weight)
    parts = [
        f"{plain(c.label) or f'{c.lat_deg:.2f}, {c.lon_deg:.2f}'} (weight {c.weight:.0%}, "
        f"sigma {length(c.sigma_m)})"
        for c in best[:3]
    ]
    more = f" and {len(best) - 3} more" if len(best) > 3 else ""
    return f"{prior.source}: {', '.join(parts)}{more}" if parts else f"{prior.source}: anywhere"
