"""Image to descriptor, by any ONNX network that has a model card."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.descriptors import unit_rows
from vlm_vpr_ros.errors import ImageError, ModelError
from vlm_vpr_ros.onnx_session import open_session
from vlm_vpr_ros.retrieval.model_card import (
    EncoderCard,
    InputSpec,
    read_encoder_card,
    read_generic_mean,
)
from vlm_vpr_ros.types import Descriptor, RgbImage

_INTERPOLATIONS = {
    "area": cv2.INTER_AREA,
    "linear": cv2.INTER_LINEAR,
    "cubic": cv2.INTER_CUBIC,
}


class Encoder:
    """An ONNX encoder in use.

    Attributes:
        card: what it is.
        fingerprint: hash of the network and of the preparation of images; descriptors are
            comparable only if it is equal.
        provider: the onnxruntime execution provider that really runs it.
        generic_mean: (dim,) mean descriptor of photos of everywhere, or None.
    """

    def __init__(self, card: EncoderCard, folder: Path, config: EncoderConfig) -> None:
        self.card = card
        self.fingerprint = _fingerprint(card)
        self.generic_mean = read_generic_mean(card, folder)
        self._session = open_session(folder / card.file, config)
        # What get_available_providers() lists need not start: only the session knows what runs.
        self.provider: str = self._session.get_providers()[0]
        batch = self._session.get_inputs()[0].shape[:1]
        self._one_at_a_time = batch == [1]
        self._check_signature()

    @classmethod
    def load(cls, config: EncoderConfig) -> Encoder:
        """Load the encoder that the config names.

        Raises:
            ModelError: no such card or model, or it cannot run.
        """
        return cls(*read_encoder_card(config.name), config)

    def encode(self, image: RgbImage) -> Descriptor:
        """Descriptor of one image, (dim,), unit length.

        Raises:
            ImageError: not an RGB image, or too small for a network of dynamic size.
            ModelError: the network fails.
        """
        descriptor: Descriptor = self.encode_batch([image])[0]
        return descriptor

    def encode_batch(self, images: Sequence[RgbImage]) -> npt.NDArray[np.float32]:
        """Descriptors of images, (n, dim), unit length.

        Raises:
            ImageError: one of them is not an RGB image, or too small for a network of dynamic size.
            ModelError: the network fails.
        """
        for image in images:
            _check_pixels(image)
        inputs = [prepared(image, self.card.input) for image in images]
        together: dict[object, list[int]] = {}  # images of one run have one size
        for i, values in enumerate(inputs):
            together.setdefault(i if self._one_at_a_time else values.shape, []).append(i)
        descriptors = np.empty((len(images), self.card.dim), np.float32)
        for rows in together.values():
            try:
                descriptors[rows] = self._run(np.stack([inputs[i] for i in rows]))
            except Exception as error:  # onnxruntime raises classes of its own, one for each code
                if self.card.input.width is not None:
                    raise ModelError(f"{self.card.file}: the encoder fails: {error}") from None
                height, width, _ = images[rows[0]].shape
                raise ImageError(
                    f"the encoder cannot take an image of {width} x {height} pixels: {error}"
                ) from None
        if not np.isfinite(descriptors).all():
            raise ImageError("the encoder gives numbers that are not finite")
        return unit_rows(descriptors)

    def _run(self, batch: npt.NDArray[np.generic]) -> npt.NDArray[np.float32]:
        output = self._session.run([self.card.output.name], {self.card.input.name: batch})[0]
        return np.asarray(output, np.float32).reshape(len(batch), -1)

    def _check_signature(self) -> None:
        """Run blank images, so that a card that does not fit is found now and not on the robot."""
        spec = self.card.input
        blank = np.zeros((spec.height or 224, spec.width or 224, 3), np.uint8)
        count = 1 if self._one_at_a_time else 2
        try:
            output = self._run(np.stack([prepared(blank, spec)] * count))
        except Exception as error:  # onnxruntime raises classes of its own, one for each code
            raise ModelError(
                f"{self.card.file}: does not run on the input that its card describes: {error}. "
                "Its batch must be of dynamic size or 1."
            ) from None
        if output.shape[1] != self.card.dim:
            raise ModelError(
                f"{self.card.file}: gives {output.shape[1]} numbers an image, its card says "
                f"{self.card.dim}: mend `dim` or `output.name`"
            )


def _check_pixels(image: RgbImage) -> None:
    if image.ndim != 3 or image.shape[2] != 3 or not image.size or image.dtype != np.uint8:
        raise ImageError(f"not an RGB image: {image.dtype} of shape {image.shape}")


def prepared(image: RgbImage, spec: InputSpec) -> npt.NDArray[np.float32 | np.uint8]:
    """One image as the network wants it: (3, h, w) or (h, w, 3)."""
    size = (spec.width or image.shape[1], spec.height or image.shape[0])
    if size != (image.shape[1], image.shape[0]):
        interpolation = _INTERPOLATIONS[spec.interpolation]
        image = np.asarray(cv2.resize(image, size, interpolation=interpolation), np.uint8)
    if spec.color == "BGR":
        image = image[..., ::-1]
    axes = (2, 0, 1) if spec.layout == "NCHW" else (0, 1, 2)
    if spec.dtype == "uint8":
        return np.ascontiguousarray(image.transpose(axes))
    # (x * scale - mean) / std, as one multiplication and one addition.
    gain = np.float32(spec.scale) / np.asarray(spec.std, np.float32)
    offset = -np.asarray(spec.mean, np.float32) / np.asarray(spec.std, np.float32)
    channels = (3, 1, 1) if spec.layout == "NCHW" else (1, 1, 3)
    values = np.multiply(image.transpose(axes), gain.reshape(channels), dtype=np.float32, order="C")
    values += offset.reshape(channels)
    return values


def _fingerprint(card: EncoderCard) -> str:
    text = card.sha256 + card.input.model_dump_json() + card.output.model_dump_json()
    return hashlib.sha256(text.encode()).hexdigest()
