"""Runs the node `relocalizer` as a process."""

from __future__ import annotations

import argparse
import os
import queue
import sys
import threading
import traceback
from collections.abc import Sequence

import rclpy
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions
from rclpy.utilities import remove_ros_args, try_shutdown

from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.node.relocalizer import Relocalizer
from vlm_vpr_ros.node.signals import ending_signal
from vlm_vpr_ros.node.worker import OpenLocalizer

_FRAME_IN_FLIGHT_S = 5.0
# The executor's turns until a waiting call's answer is out: shut down, wake the call, send.
_TURNS = 3
_TURN_S = 1.0


def main(argv: Sequence[str] | None = None, open_localizer: OpenLocalizer = Localizer.open) -> int:
    """Run the node until SIGINT or SIGTERM.

    Args:
        argv: the command line with the program's name; `sys.argv` if None.
        open_localizer: opens a region.

    Returns:
        The exit code: 0 after a signal, 2 for wrong parameters or arguments.
    """
    arguments = list(sys.argv if argv is None else argv)
    stop = ending_signal()
    try:
        rclpy.init(args=arguments, signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # of several types, most of them private
        print(f"relocalizer: {error}", file=sys.stderr)
        return 2
    try:
        _parser().parse_args(remove_ros_args(arguments)[1:])
        return _run(Relocalizer(open_localizer), stop)
    except ConfigError as error:
        print(f"relocalizer: {error}", file=sys.stderr)
        return 2
    finally:
        try_shutdown()


def _run(node: Relocalizer, stop: queue.SimpleQueue[None]) -> int:
    ended = threading.Event()
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    executor.create_task(node.start)
    # Not in the main thread: there, a signal would have to wait for the executor's next event.
    spinner = threading.Thread(target=_spin, args=(executor, stop, ended), daemon=True)
    spinner.start()
    stop.get()
    executor.create_task(node.finish)
    for _ in range(_TURNS):
        _wait_for_a_turn(executor)
    executor.create_task(ended.set)
    spinner.join(_TURN_S)
    if not node.join(_FRAME_IN_FLIGHT_S):
        # Native code is still at work: tearing down the interpreter around it may crash.
        sys.stderr.flush()
        os._exit(0)
    executor.shutdown()
    node.destroy_node()
    return 0


def _wait_for_a_turn(executor: SingleThreadedExecutor) -> None:
    done = threading.Event()
    executor.create_task(done.set)
    done.wait(_TURN_S)


def _spin(
    executor: SingleThreadedExecutor, stop: queue.SimpleQueue[None], ended: threading.Event
) -> None:
    while not ended.is_set():
        try:
            executor.spin_once()
        except ExternalShutdownException:
            stop.put(None)
            return
        except Exception:
            # Such as a client that went away before its answer: the others still need the node.
            traceback.print_exc()


def _parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="relocalizer",
        description="The ROS 2 node that answers where the robot is, from its camera image.",
        epilog="Parameters: --ros-args --params-file relocalizer.yaml -p region:=my_region "
        "-r image:=/camera/image_raw/compressed",
    )


if __name__ == "__main__":
    sys.exit(main())
