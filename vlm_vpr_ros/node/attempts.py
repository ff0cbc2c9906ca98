"""Attempts to localize: from the newest image, through the worker, to everybody who is told."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as WorkerFuture

from rclpy.clock import Clock
from rclpy.node import Node
from rclpy.task import Future

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.node.diagnostics import Diagnostics
from vlm_vpr_ros.node.dispatcher import Dispatcher
from vlm_vpr_ros.node.executor_tasks import ExecutorTasks
from vlm_vpr_ros.node.inbox import Arrived
from vlm_vpr_ros.node.inputs import Inputs
from vlm_vpr_ros.node.outputs import Outputs
from vlm_vpr_ros.node.worker import Worker
from vlm_vpr_ros.types import Frame, Outcome, Reason, RgbImage

_WITHOUT_IMAGE = frozenset({Reason.NO_IMAGE, Reason.STALE_IMAGE})


class Attempts:
    """Localizes on request and at the rate of continuous mode, and tells how it ended.

    The `Desk` of its dispatcher.

    Args:
        node: has the timers.
        clock: a steady one.
        config: the present parameters.
        worker: localizes.
        outputs: what the outcomes go out on.
        diagnostics: is told every outcome.
    """

    def __init__(
        self,
        node: Node,
        *,
        clock: Clock,
        config: Callable[[], NodeConfig],
        worker: Worker,
        outputs: Outputs,
        diagnostics: Diagnostics,
    ) -> None:
        self.active = False
        """Whether images are taken."""
        self.inputs = Inputs(node, self._on_image, worker.tell_prior)
        self._log = node.get_logger()
        self._config = config
        self._worker = worker
        self._outputs = outputs
        self._diagnostics = diagnostics
        self._tasks = ExecutorTasks(node)
        self._frames = Dispatcher(config, self)
        self._call: Future[Outcome] | None = None
        self._reminder = node.create_timer(1.0, self._on_reminder, clock=clock)
        self._rate_timer = node.create_timer(1.0, self._frames.tick, clock=clock)
        self._reminder.cancel()
        self._rate_timer.cancel()

    def resume(self) -> None:
        """Take images from now on."""
        self.active = True
        self.set_rate()

    def pause(self) -> None:
        """Answer who waits, and take no more images."""
        self.active = False
        self.set_rate()
        self._frames.pause("the node was deactivated meanwhile")
        self._diagnostics.forget()

    @property
    def call_waits(self) -> bool:
        """Whether a call was not answered yet."""
        return self._frames.call_waits

    def call(self) -> Future[Outcome]:
        """Localize for a caller; no other may be waiting."""
        self._call = self._tasks.future()
        self._outputs.say("SEARCHING")
        self._frames.call()
        return self._call

    def set_rate(self) -> None:
        """Take over the parameters of continuous mode."""
        config = self._config()
        if not (self.active and config.continuous):
            self._rate_timer.cancel()
            return
        period_ns = int(1e9 / config.rate)
        if self._rate_timer.is_canceled() or self._rate_timer.timer_period_ns != period_ns:
            self._rate_timer.timer_period_ns = period_ns
            self._rate_timer.reset()
            self._frames.tick()

    def tell_health(self) -> None:
        """Publish how the node is."""
        self._outputs.health(self._diagnostics.status(self._outputs.state, self._overdue()))

    def begin(self, image: Arrived, wait_for_prior_s: float) -> None:
        """Give a frame to the worker."""
        if self._outputs.state == "IDLE":
            self._outputs.say("SEARCHING")
        localized = self._worker.localize(self.inputs.load(image), wait_for_prior_s)
        self._tasks.when_done(localized, self._on_outcome)

    def tell(self, outcome: Outcome) -> None:
        """Publish what was found in a frame."""
        self._diagnostics.record(outcome)
        if outcome.reason not in _WITHOUT_IMAGE:
            self._outputs.outcome(outcome)
            if self._outputs.picture_wanted:
                self._tasks.when_done(self._worker.picture(), self._on_picture)
        if not self.call_waits:
            self._tell_verdict(outcome)

    def answer(self, outcome: Outcome) -> None:
        """Answer the call, whose frames were told already."""
        self._reminder.cancel()
        if self._call is not None:
            self._tasks.resolve(self._call, outcome)
        if self.active:
            self._tell_verdict(outcome)
        else:
            self._diagnostics.count(outcome.reason)

    def remind(self, after_s: float) -> None:
        """Start the timer of the call."""
        self._reminder.timer_period_ns = int(1e9 * after_s)
        self._reminder.reset()

    def silence(self) -> str:
        """Why no images come."""
        return self.inputs.silence()

    def _overdue(self) -> bool:
        """Whether continuous mode waits for an image, and the newest is too old."""
        config = self._config()
        awaited = self.active and config.continuous
        return awaited and not self._frames.inbox.fresh(config.max_image_age_s)

    def _on_image(self, message: bytes) -> None:
        if self.active:
            self._diagnostics.image_arrived()
            self._frames.image(message)

    def _on_reminder(self) -> None:
        self._reminder.cancel()
        self._frames.expire()

    def _on_outcome(self, future: WorkerFuture[Outcome]) -> None:
        if not future.cancelled():
            self._frames.finished(future.result())

    def _on_picture(self, future: WorkerFuture[tuple[RgbImage, Frame] | None]) -> None:
        if not self.active or future.cancelled():
            return
        if error := future.exception():
            self._log.warning(f"~/debug_image cannot be drawn: {error}", once=True)
        elif drawn := future.result():
            self._outputs.picture(*drawn)

    def _tell_verdict(self, outcome: Outcome) -> None:
        state = "LOCALIZED" if outcome.accepted else "LOST"
        if state != self._outputs.state:
            self._log.info(f"{state}: {outcome.reason.value}: {outcome.detail}")
        self._outputs.say(state)
        self.tell_health()
