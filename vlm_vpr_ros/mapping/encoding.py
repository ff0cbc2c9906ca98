"""Observations to stored descriptors, batch by batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

import numpy as np

from vlm_vpr_ros.errors import ImageError
from vlm_vpr_ros.mapping.batches import BatchStore, FailedImage
from vlm_vpr_ros.mapping.observation import Observation
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import RgbImage

BATCH = 16

Decoded = list[RgbImage | ImageError]


def encode_all(
    observations: Iterator[Observation], encoder: Encoder, store: BatchStore
) -> Iterator[list[Observation]]:
    """Encode observations into the store, and yield each batch when it is there.

    Batches that the store has already are neither decoded nor encoded again.
    """
    for number, (batch, decoded) in enumerate(_decoded_ahead(observations, store)):
        if decoded is not None:
            _encode(batch, decoded, encoder, store, number)
        yield batch


def _decoded_ahead(
    observations: Iterator[Observation], store: BatchStore
) -> Iterator[tuple[list[Observation], Decoded | None]]:
    """Yield batches with their images, while a thread decodes the next batch."""
    waiting: tuple[list[Observation], Future[Decoded] | None] | None = None
    with ThreadPoolExecutor(1) as decoder:
        number = 0
        while batch := list(islice(observations, BATCH)):
            decoding = None if number in store else decoder.submit(_load_all, batch)
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
    except ImageError as error:
        return error


def _encode(
    batch: Sequence[Observation],
    decoded: Decoded,
    encoder: Encoder,
    store: BatchStore,
    number: int,
) -> None:
    images: list[RgbImage] = []
    rows: list[int] = []
    failures: list[FailedImage] = []
    for row, (observation, image) in enumerate(zip(batch, decoded, strict=True)):
        if isinstance(image, ImageError):
            failures.append(FailedImage(observation.source, str(image)))
        else:
            images.append(image)
            rows.append(row)
    descriptors = (
        encoder.encode_batch(images) if images else np.empty((0, encoder.card.dim), np.float32)
    )
    store.put(number, descriptors, rows, failures)
