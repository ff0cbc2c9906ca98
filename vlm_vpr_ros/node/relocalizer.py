"""The lifecycle node `relocalizer`: it translates messages and decides which frame comes next.

Everything in this module runs in the thread of one single-threaded executor, so there are no locks;
decoding and localizing run in the worker's thread, which hands results back as executor tasks.
"""

from __future__ import annotations

import time
from concurrent.futures import Future as WorkerFuture
from functools import partial
from pathlib import Path
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.msg import SetParametersResult
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.task import Future
from sensor_msgs.msg import NavSatFix
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from vlm_vpr_ros.errors import ConfigError, RegionError, VlmVprError
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.node import conversions, parameters
from vlm_vpr_ros.node.diagnostics import Diagnostics
from vlm_vpr_ros.node.dispatcher import Dispatcher
from vlm_vpr_ros.node.executor_tasks import ExecutorTasks
from vlm_vpr_ros.node.worker import OpenLocalizer, Worker
from vlm_vpr_ros.types import Outcome, Reason

_SENSOR = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
_LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
_WITHOUT_IMAGE = frozenset({Reason.NO_IMAGE, Reason.STALE_IMAGE})


class Relocalizer(LifecycleNode):
    """Answers "where am I?" from the newest image, on request or continuously.

    `~/state` is UNCONFIGURED, INACTIVE, IDLE (nothing was asked yet), SEARCHING (an answer is being
    sought), LOCALIZED or LOST (how the last attempt ended), ERROR (the region cannot be used;
    services and diagnostics say why) or FINALIZED.

    Args:
        open_localizer: opens a region.
        **arguments: of `rclpy.node.Node`.

    Raises:
        ConfigError: a parameter given at start is unknown or wrong.
    """

    def __init__(self, open_localizer: OpenLocalizer = Localizer.open, **arguments: Any) -> None:
        super().__init__(
            "relocalizer", automatically_declare_parameters_from_overrides=True, **arguments
        )
        self._config = parameters.declare(self)
        self.add_on_set_parameters_callback(self._on_parameters)
        self._worker = Worker(open_localizer)
        self._tasks = ExecutorTasks(self)
        self._frames = Dispatcher(lambda: self._config, self._begin, self._conclude)
        self._diagnostics = Diagnostics()
        self._configured = self._active = False
        self._fault: tuple[Reason, str] | None = None
        self._call: Future[Outcome] | None = None

        self._fix = self.create_lifecycle_publisher(NavSatFix, "~/fix", 10)
        self._hypotheses = self.create_lifecycle_publisher(String, "~/hypotheses", 10)
        # Ordinary publishers: a lifecycle publisher is silent just when there is a fault to tell.
        self._state = self.create_publisher(String, "~/state", _LATCHED)
        self._health = self.create_publisher(DiagnosticArray, "/diagnostics", 10)
        # Reentrant: while one call waits, a second one must hear BUSY.
        group = ReentrantCallbackGroup()
        for kind, name, callback in (
            (Trigger, "~/relocalize", self._on_relocalize),
            (Trigger, "~/reset", self._on_reset),
            (SetBool, "~/set_continuous", self._on_set_continuous),
        ):
            self.create_service(kind, name, callback, callback_group=group)
        self._image_subscription: Any = None
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._call_timer = self.create_timer(1.0, self._on_call_deadline, clock=clock)
        self._rate_timer = self.create_timer(1.0, self._frames.tick, clock=clock)
        self._call_timer.cancel()
        self._rate_timer.cancel()
        self.create_timer(1.0, self._publish_health, clock=clock)
        self._word = ""
        self._say("UNCONFIGURED")

    def start(self) -> None:
        """Configure and activate, if the parameter `autostart` says so."""
        if self._config.autostart and self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def finish(self) -> None:
        """Shut down, answering who waits."""
        if self._word != "FINALIZED":
            self.trigger_shutdown()

    def join(self, timeout_s: float) -> bool:
        """Wait for the worker after `finish`; False if the frame in flight takes longer."""
        return self._worker.join(timeout_s)

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the region and subscribe to images."""
        try:
            region = self._config.region
            if not region:
                raise RegionError("the parameter `region` is empty: give the folder of a region")
            self._diagnostics.region = self._worker.open(Path(region), self._config).result()
        except Exception as error:
            ours = not isinstance(error, VlmVprError)
            text = f"{type(error).__name__}: {error}" if ours else str(error)
            self._fault = (Reason.INTERNAL_ERROR if ours else Reason.REGION_UNAVAILABLE, text)
            self.get_logger().error(f"cannot be configured: {text}")
            self._say("ERROR")
            return TransitionCallbackReturn.FAILURE
        self._fault = None
        self._diagnostics.forget()
        self._image_subscription = self.create_subscription(
            conversions.IMAGE_TYPES[self._config.image_transport],
            "image",
            self._on_image,
            _SENSOR,
            raw=True,  # most frames are never looked at: deserializing them all would be waste
        )
        self._configured = True
        self._say("INACTIVE")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to take images and to answer."""
        self._active = True
        self._set_rate()
        self._say("IDLE")
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Answer who waits, and pause."""
        self._pause()
        self._say("INACTIVE")
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the region."""
        self._release()
        self._say("UNCONFIGURED")
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Answer who waits, and end."""
        self._release()
        self._worker.stop()
        self._say("FINALIZED")
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Return to `unconfigured` after a transition failed."""
        del state
        self._release()
        self._say("ERROR")
        return TransitionCallbackReturn.SUCCESS

    def _pause(self) -> None:
        self._active = False
        self._set_rate()
        self._frames.pause("the node was deactivated meanwhile")

    def _release(self) -> None:
        self._pause()
        self._configured = False
        self._diagnostics.forget()
        self._worker.release()
        self._diagnostics.region = {}
        if self._image_subscription is not None:
            self.destroy_subscription(self._image_subscription)
            self._image_subscription = None

    # Frames

    def _on_image(self, message: bytes) -> None:
        if self._active:
            self._diagnostics.image_arrived()
            self._frames.image(message)

    def _on_call_deadline(self) -> None:
        self._call_timer.cancel()
        self._frames.expire()

    def _begin(self, message: bytes, for_call: bool) -> None:
        if for_call or self._word == "IDLE":
            self._say("SEARCHING")
        subscription = self._image_subscription
        load = partial(conversions.frame, message, subscription.msg_type, subscription.topic_name)
        self._tasks.when_done(self._worker.localize(load), partial(self._on_outcome, for_call))

    def _on_outcome(self, for_call: bool, future: WorkerFuture[Outcome]) -> None:
        if not future.cancelled():
            self._frames.finished(future.result(), for_call)

    def _conclude(self, outcome: Outcome, for_call: bool) -> None:
        """Tell everybody how an attempt ended, the caller first."""
        if for_call and self._call is not None:
            self._call_timer.cancel()
            self._tasks.resolve(self._call, outcome)
        if not self._active:
            self._diagnostics.count(outcome.reason)
            return
        self._diagnostics.record(outcome)
        if outcome.reason not in _WITHOUT_IMAGE:
            if outcome.accepted or self._config.publish_refused:
                self._fix.publish(conversions.nav_sat_fix(outcome, self._config.frame_id))
            self._hypotheses.publish(String(data=conversions.hypotheses(outcome)))
        self._say("LOCALIZED" if outcome.accepted else "LOST")
        self._publish_health()

    # Services

    async def _on_relocalize(
        self, _request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        started_s = time.monotonic()
        outcome = self._unable()
        if outcome is None and self._frames.call_waits:
            outcome = Outcome(0, Reason.BUSY, "another call is being answered")
        if outcome is None:
            outcome = await self._tasks.result(self._asked())
        else:
            self._diagnostics.count(outcome.reason)
        response.success = outcome.accepted
        response.message = conversions.answer(outcome, 1e3 * (time.monotonic() - started_s))
        return response

    def _asked(self) -> Future[Outcome]:
        call: Future[Outcome] = self._tasks.future()
        self._call = call
        self._call_timer.timer_period_ns = int(1e9 * self._config.relocalize_timeout_s)
        self._call_timer.reset()
        self._say("SEARCHING")
        self._frames.call()
        return call

    async def _on_reset(
        self, _request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        refused = self._unable()
        if refused is None:
            # Awaited, so that after the answer no outcome rests on earlier frames.
            done: Future[WorkerFuture[None]] = self._tasks.future()
            self._tasks.when_done(self._worker.reset(), partial(self._tasks.resolve, done))
            result = await self._tasks.result(done)
            if result.cancelled():
                refused = self._unable()
            elif result.exception() is not None:
                refused = Outcome(0, Reason.INTERNAL_ERROR, str(result.exception()))
            elif self._active and not self._frames.call_waits:
                self._say("IDLE")
        response.success = refused is None
        response.message = "earlier frames are forgotten" if refused is None else _plain(refused)
        return response

    def _on_set_continuous(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        refused = self._unable()
        if refused is None:
            self.set_parameters([Parameter("continuous", value=bool(request.data))])
            rate = f"continuous at {self._config.rate:g} Hz"
            response.message = rate if request.data else "on request only"
        else:
            response.message = _plain(refused)
        response.success = refused is None
        return response

    def _unable(self) -> Outcome | None:
        if self._fault is not None:
            return Outcome(0, *self._fault)
        if not self._active:
            return Outcome(0, Reason.INACTIVE, "the node is not active: activate it first")
        return None

    # Parameters

    def _on_parameters(self, changed: list[Parameter[Any]]) -> SetParametersResult:
        values = {p.name: p.value for p in changed if not parameters.foreign(p.name)}
        try:
            config = parameters.changed_live(self._config, values, fixed=self._configured)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        sections = ("gate", "fix")
        if self._configured and any(
            getattr(config, name) != getattr(self._config, name) for name in sections
        ):
            self._tasks.when_done(self._worker.reconfigure(config), self._on_reconfigured)
        self._config = config
        self._set_rate()
        return SetParametersResult(successful=True)

    def _on_reconfigured(self, future: WorkerFuture[None]) -> None:
        if future.exception() is not None:
            self.get_logger().error(f"the change of parameters failed: {future.exception()}")

    def _set_rate(self) -> None:
        if not (self._active and self._config.continuous):
            self._rate_timer.cancel()
            return
        period_ns = int(1e9 / self._config.rate)
        if self._rate_timer.is_canceled() or self._rate_timer.timer_period_ns != period_ns:
            self._rate_timer.timer_period_ns = period_ns
            self._rate_timer.reset()
            self._frames.tick()

    # What is told

    def _say(self, word: str) -> None:
        if word != self._word:
            self._word = word
            self._state.publish(String(data=word))

    def _publish_health(self) -> None:
        message = DiagnosticArray()
        message.header.stamp = self.get_clock().now().to_msg()
        overdue = (
            self._active
            and self._config.continuous
            and not self._frames.inbox.fresh(self._config.max_image_age_s)
        )
        message.status = [
            self._diagnostics.status(self.get_name(), self._word, self._fault, overdue)
        ]
        self._health.publish(message)


def _plain(outcome: Outcome) -> str:
    return f"{outcome.reason.value}: {outcome.detail}"
