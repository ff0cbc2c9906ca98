"""Results of other threads, brought into the thread of a node's executor."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future as WorkerFuture
from typing import TypeVar

from rclpy.executors import Executor
from rclpy.node import Node
from rclpy.task import Future

T = TypeVar("T")


class ExecutorTasks:
    """What callbacks await, and what runs when another thread is done.

    Args:
        node: added to an executor before the first call.
    """

    def __init__(self, node: Node) -> None:
        self._node = node

    def when_done(
        self, future: WorkerFuture[T], callback: Callable[[WorkerFuture[T]], None]
    ) -> None:
        """Run a callback in the executor's thread when a job of another thread is done."""
        executor = self._executor()
        future.add_done_callback(lambda done: executor.create_task(callback, done))

    def future(self) -> Future[T]:
        """Something for a callback to await."""
        return Future(executor=self._executor())

    async def result(self, future: Future[T]) -> T:
        """What a future of ours was resolved with."""
        result = await future
        assert result is not None, "futures here are resolved with a result"
        return result

    def resolve(self, future: Future[T], result: T) -> None:
        """Give a future its result, and wake who awaits it."""
        future.set_result(result)
        # The executor polls waiting coroutines only when something happens.
        self._executor().wake()

    def _executor(self) -> Executor:
        if self._node.executor is None:
            raise RuntimeError("the node must be added to an executor first")
        return self._node.executor
