"""Relocalize a lost robot from its camera: place recognition with a calibrated refusal."""

import os

# Threads of OpenBLAS wait by spinning. For products as small as those of a pair of images they win
# nothing, and take the cores from onnxruntime: a frame then takes a third longer. Whoever sets the
# variable decides; numpy reads it when it is loaded first.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

__version__ = "0.1.0"
