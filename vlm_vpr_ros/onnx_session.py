"""Opens ONNX networks, the same way for every network of the package."""

from __future__ import annotations

import difflib
from pathlib import Path

import onnxruntime

from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.errors import ModelError

_LOG_FATAL_ONLY = 4
_EXTERNAL_LOCATION = b"\x0a\x08location\x12"
"""How protobuf writes the key `location` of a tensor whose data are in another file."""


def open_session(path: Path, config: EncoderConfig) -> onnxruntime.InferenceSession:
    """Open a network with the execution providers and the threads of the config.

    Raises:
        ModelError: onnxruntime cannot load it, or has none of the providers.
    """
    _check_self_contained(path)
    # A provider that does not start is no error here (the next one is tried, and get_providers()
    # of the session says which one runs), but onnxruntime prints pages about it.
    onnxruntime.set_default_logger_severity(_LOG_FATAL_ONLY)
    options = onnxruntime.SessionOptions()
    if config.threads:
        options.intra_op_num_threads = config.threads
    # Threads spin while a frame is computed (a tenth faster), and not between frames: the robot
    # has other work for its cores.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    for provider in config.providers:
        _check_provider(provider)
    known = onnxruntime.get_available_providers()
    providers = [p for p in config.providers if p in known]
    if not providers:
        raise ModelError(
            f"encoder.providers {list(config.providers)}: this onnxruntime has only {known}"
        )
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # onnxruntime raises classes of its own, one for each code
        raise ModelError(f"{path}: onnxruntime cannot load the network: {error}") from None


def _check_self_contained(path: Path) -> None:
    """Refuse weights in other files: a card's hash does not cover them.

    And their path could lead anywhere: onnxruntime before 1.24 follows it.
    """
    if _EXTERNAL_LOCATION in path.read_bytes():
        raise ModelError(
            f"{path}: some of its weights are in another file. Save the network with all weights "
            "inside (`onnx.save(model, path, save_as_external_data=False)`)."
        )


def _check_provider(name: str) -> None:
    every = onnxruntime.get_all_providers()
    if name not in every:
        near = difflib.get_close_matches(name, every, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"onnxruntime knows {every}"
        raise ModelError(f"encoder.providers: there is no `{name}`: {hint}")
