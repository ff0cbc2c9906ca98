"""Observations to stored descriptors, batch by batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.mapping.batches import Batch, BatchStore, FailedImage
from vlm_vpr_ros.mapping.observation import Observation
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.thumbnails import encode_thumbnail
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import Descriptor, RgbImage
from vlm_vpr_ros.verification.feature_codec import encode_features

BATCH = 16

Decoded = list[RgbImage | ImageError]


def encode_all(
    observations: Iterator[Observation], networks: Networks, store: BatchStore, thumbnails: bool
) -> Iterator[list[Observation]]:
    """Encode observations into the store, and yield each batch when it is there.

    Batches that the store has already are neither decoded nor encoded again, unless the recording
    has changed and they would be of other images.
    """
    for number, (batch, decoded) in enumerate(_decoded_ahead(observations, store)):
        if decoded is not None:
            store.put(number, _identity(batch), _encode(batch, decoded, networks, thumbnails))
        yield batch


def _decoded_ahead(
    observations: Iterator[Observation], store: BatchStore
) -> Iterator[tuple[list[Observation], Decoded | None]]:
    """Yield batches with their images, while a thread decodes the next batch."""
    waiting: tuple[list[Observation], Future[Decoded] | None] | None = None
    with ThreadPoolExecutor(1) as decoder:
        number = 0
        while batch := list(islice(observations, BATCH)):
            stored = store.has(number, _identity(batch))
            decoding = None if stored else decoder.submit(_load_all, batch)
            if waiting:
                yield waiting[0], waiting[1].result() if waiting[1] else None
            waiting = (batch, decoding)
            number += 1
        if waiting:
            yield waiting[0], waiting[1].result() if waiting[1] else None


def _load_all(batch: Sequence[Observation]) -> Decoded:
    return [_load(observation) for observation in batch]


def _load(observation: Observation) -> RgbImage | ImageError:
    try:
        return observation.load()
    except (ImageError, OSError) as error:
        return ImageError(str(error))


def _identity(batch: Sequence[Observation]) -> str:
    text = repr([(o.source, o.drive, o.stamp_ns) for o in batch])
    return hashlib.sha256(text.encode()).hexdigest()


def _encode(
    batch: Sequence[Observation], decoded: Decoded, networks: Networks, thumbnails: bool
) -> Batch:
    descriptors = np.empty((len(batch), networks.encoder.card.dim), np.float32)
    rows: list[int] = []
    features: list[bytes] = []
    pictures: list[bytes] = []
    failures: list[FailedImage] = []
    for row, (image, result) in enumerate(
        zip(decoded, _described(decoded, networks.encoder), strict=True)
    ):
        if isinstance(image, ImageError) or isinstance(result, ImageError):
            failures.append(FailedImage(batch[row].source, str(result)))
            continue
        descriptors[len(rows)] = result
        rows.append(row)
        extractor = networks.extractor
        features.append(encode_features(extractor.extract(image)) if extractor else b"")
        pictures.append(encode_thumbnail(image) if thumbnails else b"")
    return Batch(descriptors[: len(rows)], features, pictures, rows, failures)


def _described(decoded: Decoded, encoder: Encoder) -> list[Descriptor | ImageError]:
    """The descriptor of each image, or why there is none."""
    images = [image for image in decoded if not isinstance(image, ImageError)]
    descriptors: Iterator[Descriptor | ImageError]
    try:
        descriptors = iter(encoder.encode_batch(images))
    except ImageError:  # one of them: find it
        descriptors = (_encode_one(image, encoder) for image in images)
    return [image if isinstance(image, ImageError) else next(descriptors) for image in decoded]


def _encode_one(image: RgbImage, encoder: Encoder) -> Descriptor | ImageError:
    try:
        return encoder.encode(image)
    except ImageError as error:
        return error
