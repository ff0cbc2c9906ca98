"""Helpers of the tests: `pythonpath = ["test"]` makes them importable as `support`."""
