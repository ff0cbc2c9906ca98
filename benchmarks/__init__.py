"""Measurements behind the figures in the README. Each is a command: `python -m benchmarks.NAME`."""
