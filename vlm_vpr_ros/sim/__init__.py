"""A small rendered world for the demo and the tests: towns, drives, their recordings."""
