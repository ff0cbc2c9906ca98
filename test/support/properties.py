"""hypothesis as the tests use it: the same examples on every run, no deadline."""

from hypothesis import assume, given, settings
from hypothesis import strategies as st

settings.register_profile("repeatable", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("repeatable")

__all__ = ["assume", "given", "st"]
