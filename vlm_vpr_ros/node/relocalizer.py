"""The lifecycle node `relocalizer`.

Everything in this folder but the worker's jobs runs in the thread of one single-threaded executor,
so there are no locks; decoding and localizing run in the worker's thread, which hands results back
as executor tasks.
"""

from __future__ import annotations

from concurrent.futures import Future as WorkerFuture
from pathlib import Path
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.clock import Clock, ClockType  # type: ignore[attr-defined]
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from vlm_vpr_ros.config import NodeConfig
from vlm_vpr_ros.errors import ConfigError, RegionError, VlmVprError
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.node import declaration, parameters
from vlm_vpr_ros.node.attempts import Attempts
from vlm_vpr_ros.node.diagnostics import Diagnostics
from vlm_vpr_ros.node.executor_tasks import ExecutorTasks
from vlm_vpr_ros.node.outputs import Outputs
from vlm_vpr_ros.node.services import Services
from vlm_vpr_ros.node.worker import OpenLocalizer, Worker
from vlm_vpr_ros.types import Outcome, Reason

_TOLD_AT_START = (
    *("region", "references", "encoder", "provider"),
    *("verification", "calibration", "prior"),
)


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
        self._config = declaration.declare(self, NodeConfig(), parameters.descriptor)
        self.add_on_set_parameters_callback(self._on_parameters)
        self._configured = False
        clock = Clock(clock_type=ClockType.STEADY_TIME)
        self._tasks = ExecutorTasks(self)
        self._worker = Worker(open_localizer)
        self._diagnostics = Diagnostics(self.get_fully_qualified_name().lstrip("/"))
        self._outputs = Outputs(self, self._present_config)
        self._attempts = Attempts(
            self,
            clock=clock,
            config=self._present_config,
            worker=self._worker,
            outputs=self._outputs,
            diagnostics=self._diagnostics,
        )
        self._offered = Services(
            self,
            self._attempts,
            worker=self._worker,
            outputs=self._outputs,
            diagnostics=self._diagnostics,
            unable=self._unable,
        )
        self._description: WorkerFuture[dict[str, str]] | None = None
        self.create_timer(1.0, self._on_health_timer, clock=clock)
        self._outputs.say("UNCONFIGURED")

    def start(self) -> None:
        """Configure and activate, if the parameter `autostart` says so."""
        if self._config.autostart and self.trigger_configure() == TransitionCallbackReturn.SUCCESS:
            self.trigger_activate()

    def finish(self) -> None:
        """Shut down, answering who waits."""
        if self._outputs.state != "FINALIZED":
            self.trigger_shutdown()

    def join(self, timeout_s: float) -> bool:
        """Wait for the worker after `finish`; False if the frame in flight takes longer."""
        return self._worker.join(timeout_s)

    # Lifecycle

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Open the region and subscribe."""
        try:
            region = self._config.region
            if not region:
                raise RegionError("the parameter `region` is empty: give the folder of a region")
            self._diagnostics.region = self._worker.open(Path(region), self._config).result()
        except Exception as error:
            ours = not isinstance(error, VlmVprError)
            text = f"{type(error).__name__}: {error}" if ours else str(error)
            reason = Reason.INTERNAL_ERROR if ours else Reason.REGION_UNAVAILABLE
            self._diagnostics.fault = (reason, text)
            self.get_logger().error(f"cannot be configured: {text}")
            self._outputs.say("ERROR")
            return TransitionCallbackReturn.FAILURE
        self._diagnostics.fault = None
        self._attempts.inputs.open(self._config)
        self._configured = True
        described = self._diagnostics.region
        shown = (f"{key} {described[key]}" for key in _TOLD_AT_START if key in described)
        self.get_logger().info(", ".join(shown))
        self._outputs.say("INACTIVE")
        return super().on_configure(state)

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to take images and to answer."""
        self._attempts.resume()
        self.get_logger().info(self._attempts.inputs.describe())
        self._outputs.say("IDLE")
        return super().on_activate(state)

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Answer who waits, and pause."""
        self._attempts.pause()
        self._outputs.say("INACTIVE")
        return super().on_deactivate(state)

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of the region."""
        self._release()
        self._outputs.say("UNCONFIGURED")
        return super().on_cleanup(state)

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Answer who waits, and end."""
        self._release()
        self._worker.stop()
        self._outputs.say("FINALIZED")
        return super().on_shutdown(state)

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Return to `unconfigured` after a transition failed."""
        del state
        self._release()
        self._outputs.say("ERROR")
        return TransitionCallbackReturn.SUCCESS

    def _release(self) -> None:
        self._attempts.pause()
        self._configured = False
        self._outputs.forget()
        self._worker.release()
        self._diagnostics.region = {}
        self._attempts.inputs.close()

    def _unable(self) -> Outcome | None:
        if self._diagnostics.fault is not None:
            return Outcome(0, *self._diagnostics.fault)
        if not self._attempts.active:
            return Outcome(0, Reason.INACTIVE, "the node is not active: activate it first")
        return None

    # Health

    def _on_health_timer(self) -> None:
        """Tell what was described last; behind a frame that takes long, nothing queues up."""
        if self._configured and (self._description is None or self._description.done()):
            self._description = self._worker.describe()
            self._tasks.when_done(self._description, self._on_description)
        self._attempts.tell_health()

    def _on_description(self, future: WorkerFuture[dict[str, str]]) -> None:
        if self._configured and not future.cancelled():
            self._diagnostics.region = future.result()

    # Parameters

    def _present_config(self) -> NodeConfig:
        return self._config

    def set_parameters_atomically(
        self, parameter_list: list[Parameter[Any]]
    ) -> SetParametersResult:
        """As rclpy's, which has no good answer to a name that nobody declared."""
        unknown = {p.name: p.value for p in parameter_list if not self.has_parameter(p.name)}
        try:
            declaration.updated(self._config, unknown)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        return super().set_parameters_atomically(parameter_list)

    def _on_parameters(self, changed: list[Parameter[Any]]) -> SetParametersResult:
        values = {p.name: p.value for p in changed if not declaration.foreign(p.name)}
        try:
            config = parameters.changed_live(self._config, values, fixed=self._configured)
        except ConfigError as error:
            return SetParametersResult(successful=False, reason=str(error))
        sections = ("gate", "fix", "prior")
        if self._configured and any(
            getattr(config, name) != getattr(self._config, name) for name in sections
        ):
            self._tasks.when_done(self._worker.reconfigure(config), self._on_reconfigured)
        self._config = config
        self._attempts.set_rate()
        return SetParametersResult(successful=True)

    def _on_reconfigured(self, future: WorkerFuture[None]) -> None:
        if future.exception() is not None:
            self.get_logger().error(f"the change of parameters failed: {future.exception()}")
