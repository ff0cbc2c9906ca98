"""The real local features in builds of streets that do not exist."""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnx
import yaml

from vlm_vpr_ros.config import EncoderConfig, LocalizerConfig, VerificationConfig

MODELS = Path(__file__).parents[2] / "models"


def with_features(encoder_card: Path, **verification: object) -> LocalizerConfig:
    """A config of a tiny encoder and the real local features, on one thread of the CPU."""
    encoder = EncoderConfig(name=str(encoder_card), providers=("CPUExecutionProvider",), threads=1)
    return LocalizerConfig(
        encoder=encoder,
        verification=VerificationConfig(**verification),  # type: ignore[arg-type]
    )


def write_other_features(folder: Path) -> Path:
    """The card of another local-feature network: the same, of images half as long."""
    folder.mkdir(parents=True, exist_ok=True)
    card = yaml.safe_load((MODELS / "xfeat.yaml").read_text(encoding="utf-8"))
    model = (MODELS / card["file"]).read_bytes()
    assert hashlib.sha256(model).hexdigest() == card["sha256"]
    (folder / card["file"]).write_bytes(model)
    path = folder / "other.yaml"
    path.write_text(yaml.safe_dump(card | {"name": "other", "long_side": 320}), encoding="utf-8")
    return path


def write_failing_features(folder: Path) -> Path:
    """The card of a network that runs when it is opened, and fails on every image after that.

    It takes images of 256 x 128 pixels only, which are tried first.
    """
    folder.mkdir(parents=True, exist_ok=True)
    card = yaml.safe_load((MODELS / "xfeat.yaml").read_text(encoding="utf-8"))
    model = onnx.load(MODELS / card["file"])
    sides = model.graph.input[0].type.tensor_type.shape.dim
    sides[1].dim_value, sides[2].dim_value = 128, 256
    written = model.SerializeToString()
    (folder / "failing.onnx").write_bytes(written)
    changes = {"file": "failing.onnx", "sha256": hashlib.sha256(written).hexdigest()}
    path = folder / "failing.yaml"
    path.write_text(yaml.safe_dump(card | {"name": "failing"} | changes), encoding="utf-8")
    return path
