"""Model cards: what a model file is, and how images are prepared for it.

A card is a YAML file beside its model. Any ONNX encoder becomes usable by writing one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal, TypeVar, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.files import read_vector, read_yaml, sha256_of
from vlm_vpr_ros.resources import model_path

Positive = Annotated[float, Field(gt=0)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class HashedFile(_Part):
    """A file beside the card and the hash it must have."""

    file: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class InputSpec(_Part):
    """How an RGB uint8 image becomes the network's input: `(x * scale - mean) / std`."""

    name: str
    width: int | None = Field(None, ge=16, le=4096)
    height: int | None = Field(None, ge=16, le=4096)
    """None: the image's own size (the network's input is dynamic)."""
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    dtype: Literal["float32", "uint8"] = "float32"
    color: Literal["RGB", "BGR"] = "RGB"
    interpolation: Literal["area", "linear", "cubic"] = "area"
    scale: float = Field(1 / 255, gt=0)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[Positive, Positive, Positive] = (1.0, 1.0, 1.0)

    @model_validator(mode="after")
    def _consistent(self) -> InputSpec:
        if (self.width is None) != (self.height is None):
            raise ValueError("give width and height, or neither for a network of dynamic size")
        if self.dtype == "uint8" and self.model_fields_set & {"scale", "mean", "std"}:
            raise ValueError("scale, mean and std do not apply to a uint8 input")
        return self


class OutputSpec(_Part):
    """Which output of the network is the descriptor."""

    name: str


class ModelCard(HashedFile):
    """What the cards of all kinds of networks say."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    description: str
    input: InputSpec
    source: str
    licence: str


class EncoderCard(ModelCard):
    """A place-recognition encoder: one image in, one descriptor out."""

    kind: Literal["encoder"]
    dim: int = Field(ge=1, le=65536)
    output: OutputSpec
    generic_mean: HashedFile | None = None
    """(dim,) .npy: mean descriptor of photos of everywhere, for maps too small to have a mean."""
    chance_similarity: float = Field(ge=-1, le=1)
    """Centred cosine that the best wrong match exceeds for 5 % of photos of different places."""


Card = TypeVar("Card", bound=ModelCard)


def read_encoder_card(name_or_path: str) -> tuple[EncoderCard, Path]:
    """Read the card of an encoder, as `read_card` does."""
    return read_card(name_or_path, EncoderCard)


def read_card(name_or_path: str, card_type: type[Card]) -> tuple[Card, Path]:
    """Find a card by name in models/ or by path; return it and the folder of its files.

    Raises:
        ModelError: there is no such card, it is not valid, or the model's hash differs.
    """
    by_path = name_or_path.endswith((".yaml", ".yml"))
    path = Path(name_or_path).expanduser() if by_path else model_path(f"{name_or_path}.yaml")
    try:
        card = card_type.model_validate(read_yaml(path))
    except ValidationError as error:
        (kind,) = get_args(card_type.model_fields["kind"].annotation)
        faults = "; ".join(
            f"{'.'.join(str(p) for p in e['loc']) or 'card'}: {e['msg']}" for e in error.errors()
        )
        raise ModelError(
            f"{path}: not a valid {kind} card: {faults}. models/README.md explains each key."
        ) from None
    except ValueError as error:  # after ValidationError, which is one
        raise ModelError(f"{path}: cannot read the model card: {error}") from None
    _check_hash(path.parent / card.file, card.sha256)
    return card, path.parent


def read_generic_mean(card: EncoderCard, folder: Path) -> npt.NDArray[np.float32] | None:
    """The encoder's generic mean descriptor, (dim,), or None if the card names none.

    Raises:
        ModelError: the file is missing, changed or of another shape.
    """
    if card.generic_mean is None:
        return None
    path = folder / card.generic_mean.file
    _check_hash(path, card.generic_mean.sha256)
    try:
        return read_vector(path, card.dim)
    except ValueError as error:
        raise ModelError(f"{path}: {error}; the card says dim {card.dim}") from None


def _check_hash(path: Path, sha256: str) -> None:
    """Raise ModelError unless the file exists and has this hash."""
    if not path.is_file():
        raise ModelError(f"{path}: the model file is missing; fetch it again or mend its card")
    try:
        found = sha256_of(path)
    except OSError as error:
        raise ModelError(f"{path}: cannot read the model file: {error}") from None
    if found != sha256:
        raise ModelError(
            f"{path}: the file is not the one its card describes (SHA-256 differs). Fetch it "
            "again, or write the new hash into the card if you changed the model on purpose."
        )
