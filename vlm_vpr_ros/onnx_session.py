"""Opens ONNX networks, the same way for every network of the package."""

from __future__ import annotations

from pathlib import Path

import onnxruntime

from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.errors import ModelError

_LOG_ERRORS_ONLY = 3


def open_session(path: Path, config: EncoderConfig) -> onnxruntime.InferenceSession:
    """Open a network with the execution providers and the threads of the config.

    Raises:
        ModelError: onnxruntime cannot load it, or has none of the providers.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _LOG_ERRORS_ONLY
    if config.threads:
        options.intra_op_num_threads = config.threads
    # Spinning threads would keep the robot's cores busy between frames.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    known = onnxruntime.get_available_providers()
    providers = [p for p in config.providers if p in known]
    if not providers:
        raise ModelError(
            f"encoder.providers {list(config.providers)}: this onnxruntime has only {known}"
        )
    try:
        return onnxruntime.InferenceSession(path, options, providers=providers)
    except Exception as error:  # onnxruntime raises classes of its own, one for each code
        raise ModelError(f"{path}: onnxruntime cannot load the network: {error}") from None
