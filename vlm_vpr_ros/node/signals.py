"""The signals that end a node."""

from __future__ import annotations

import queue
import signal

_ENDING = (signal.SIGINT, signal.SIGTERM)


def ending_signal() -> queue.SimpleQueue[None]:
    """Where the first SIGINT or SIGTERM will be found; those that follow are ignored.

    `ros2 launch` and systemd both tell every process: the second signal must not kill an
    interpreter that is being torn down. To be called in the main thread, and to go with
    `SignalHandlerOptions.NO` and `rclpy.utilities.try_shutdown`: rclpy's own handlers close the
    context under waiting calls, and `rclpy.try_shutdown` sets the default handlers for a moment to
    see what stood there, in which a second signal kills.
    """
    # Not an Event: its `set` must not be interrupted by another signal that sets it as well.
    heard: queue.SimpleQueue[None] = queue.SimpleQueue()
    for number in _ENDING:
        signal.signal(number, lambda *_: _heed_no_more(heard))
    return heard


def _heed_no_more(heard: queue.SimpleQueue[None]) -> None:
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)
    heard.put(None)
