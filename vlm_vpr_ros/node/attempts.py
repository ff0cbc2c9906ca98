"""Attempts to localize: from the newest image, through the worker, to everybody who is told.

Everything here runs in the executor's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as WorkerFuture
from functools import partial

from rclpy.clock import Clock
from rclpy.node import Node
from rclpy.task import Future

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.node.diagnostics import Diagnostics
from vlm_vpr_ros.node.dispatcher import Dispatcher
from vlm_vpr_ros.node.executor_tasks import ExecutorTasks
from vlm_vpr_ros.node.inputs import Inputs
from vlm_vpr_ros.node.outputs import Outputs
from vlm_vpr_ros.node.worker import Worker
from vlm_vpr_ros.types import Outcome, Reason

_WITHOUT_IMAGE = frozenset({Reason.NO_IMAGE, Reason.STALE_IMAGE})


class Attempts:
    """Localizes on request and at the rate of continuous mode, and tells how it ended.

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
        self.inputs = Inputs(node, self._on_image)
        self._config = config
        self._worker = worker
        self._outputs = outputs
        self._diagnostics = diagnostics
        self._tasks = ExecutorTasks(node)
        self._frames = Dispatcher(config, self._begin, self._conclude)
        self._call: Future[Outcome] | None = None
        self._call_timer = node.create_timer(1.0, self._on_call_deadline, clock=clock)
        self._rate_timer = node.create_timer(1.0, self._frames.tick, clock=clock)
        self._call_timer.cancel()
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

    @property
    def call_waits(self) -> bool:
        """Whether a call was not answered yet."""
        return self._frames.call_waits

    def call(self) -> Future[Outcome]:
        """Localize for a caller; no other may be waiting."""
        self._call = self._tasks.future()
        self._call_timer.timer_period_ns = int(1e9 * self._config().relocalize_timeout_s)
        self._call_timer.reset()
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

    def _overdue(self) -> bool:
        """Whether continuous mode waits for an image, and the newest is too old."""
        config = self._config()
        awaited = self.active and config.continuous
        return awaited and not self._frames.inbox.fresh(config.max_image_age_s)

    def _on_image(self, message: bytes) -> None:
        if self.active:
            self._diagnostics.image_arrived()
            self._frames.image(message)

    def _on_call_deadline(self) -> None:
        self._call_timer.cancel()
        self._frames.expire()

    def _begin(self, message: bytes, for_call: bool) -> None:
        if for_call or self._outputs.state == "IDLE":
            self._outputs.say("SEARCHING")
        localized = self._worker.localize(self.inputs.load(message))
        self._tasks.when_done(localized, partial(self._on_outcome, for_call))

    def _on_outcome(self, for_call: bool, future: WorkerFuture[Outcome]) -> None:
        if not future.cancelled():
            self._frames.finished(future.result(), for_call)

    def _conclude(self, outcome: Outcome, for_call: bool) -> None:
        """Tell everybody how an attempt ended, the caller first."""
        if for_call and self._call is not None:
            self._call_timer.cancel()
            self._tasks.resolve(self._call, outcome)
        if not self.active:
            self._diagnostics.count(outcome.reason)
            return
        self._diagnostics.record(outcome)
        if outcome.reason not in _WITHOUT_IMAGE:
            self._outputs.outcome(outcome)
        self._outputs.say("LOCALIZED" if outcome.accepted else "LOST")
        self.tell_health()
