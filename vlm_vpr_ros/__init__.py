"""Relocalize a lost robot from its camera: place recognition with a calibrated refusal."""

__version__ = "0.1.0"
