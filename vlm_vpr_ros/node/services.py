"""The services `~/relocalize`, `~/reset` and `~/set_continuous`."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future as WorkerFuture
from functools import partial

from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node
from rclpy.parameter import Parameter
from rclpy.task import Future
from std_srvs.srv import SetBool, Trigger

from vlm_vpr_ros.node import conversions
from vlm_vpr_ros.node.attempts import Attempts
from vlm_vpr_ros.node.diagnostics import Diagnostics
from vlm_vpr_ros.node.executor_tasks import ExecutorTasks
from vlm_vpr_ros.node.outputs import Outputs
from vlm_vpr_ros.node.worker import Worker
from vlm_vpr_ros.types import Outcome, Reason


class Services:
    """Answers requests; one that has to wait keeps nothing else waiting.

    Args:
        node: offers the services.
        attempts: localizes.
        worker: forgets earlier frames.
        outputs: tells the state.
        diagnostics: counts the answers that say nothing of a frame.
        unable: why nothing can be asked of the node now; None if it can.
    """

    def __init__(
        self,
        node: Node,
        attempts: Attempts,
        *,
        worker: Worker,
        outputs: Outputs,
        diagnostics: Diagnostics,
        unable: Callable[[], Outcome | None],
    ) -> None:
        self._node = node
        self._attempts = attempts
        self._worker = worker
        self._outputs = outputs
        self._diagnostics = diagnostics
        self._unable = unable
        self._tasks = ExecutorTasks(node)
        # Reentrant: while one call waits, a second one must hear BUSY.
        group = ReentrantCallbackGroup()
        for kind, name, callback in (
            (Trigger, "~/relocalize", self._on_relocalize),
            (Trigger, "~/reset", self._on_reset),
            (SetBool, "~/set_continuous", self._on_set_continuous),
        ):
            node.create_service(kind, name, callback, callback_group=group)

    async def _on_relocalize(
        self, _request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        started_s = time.monotonic()
        outcome = self._unable()
        if outcome is None and self._attempts.call_waits:
            outcome = Outcome(0, Reason.BUSY, "another call is being answered")
        if outcome is None:
            outcome = await self._tasks.result(self._attempts.call())
        else:
            self._diagnostics.count(outcome.reason)
        response.success = outcome.accepted
        response.message = conversions.answer(outcome, 1e3 * (time.monotonic() - started_s))
        return response

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
            elif self._attempts.active and not self._attempts.call_waits:
                self._outputs.say("IDLE")
        response.success = refused is None
        response.message = "earlier frames are forgotten" if refused is None else _plain(refused)
        return response

    def _on_set_continuous(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        refused = self._unable()
        if refused is None:
            self._node.set_parameters([Parameter("continuous", value=bool(request.data))])
            rate = self._node.get_parameter("rate").value
            response.message = f"continuous at {rate:g} Hz" if request.data else "on request only"
        else:
            response.message = _plain(refused)
        response.success = refused is None
        return response


def _plain(outcome: Outcome) -> str:
    return f"{outcome.reason.value}: {outcome.detail}"
