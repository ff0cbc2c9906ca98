"""Builds a region from recordings, or adds recordings to one."""

from __future__ import annotations

import datetime
import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros import __version__
from vlm_vpr_ros.errors import ConfigError, RegionError, SourceError
from vlm_vpr_ros.files import sha256_of
from vlm_vpr_ros.mapping.batches import BatchStore, FailedImage
from vlm_vpr_ros.mapping.build_lock import locked
from vlm_vpr_ros.mapping.encoding import BATCH, encode_all
from vlm_vpr_ros.mapping.extra_files import carry_over
from vlm_vpr_ros.mapping.observation import Observation, Source, SourceReport
from vlm_vpr_ros.mapping.place_names import places_of
from vlm_vpr_ros.mapping.placing import empty_staging, mend_after_crash, move_into_place
from vlm_vpr_ros.mapping.reference_table import CELL_RESOLUTION, references_of
from vlm_vpr_ros.mapping.selection import Selection
from vlm_vpr_ros.mapping.swapped import swapped_remark
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.manifest import BUILDING, JOURNAL, MANIFEST, EncoderId, FeaturesId
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.region.writer import write_region
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import RgbImage
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor

_RAW_CHUNK = 4096

Progress = Callable[[int], None]
"""Called with the number of images finished since the last call."""


@dataclass(frozen=True)
class BuildSummary:
    """What a build did.

    Attributes:
        region: where it lies.
        added: references added by this build, by drive.
        total: references in the region.
        failures: images that could not be read.
        report: what was left out, and what the readers have to say.
    """

    region: Path
    added: dict[str, int]
    total: int
    failures: list[FailedImage] = field(default_factory=list)
    report: SourceReport = field(default_factory=SourceReport)


def build_region(
    sources: Sequence[Source],
    out: Path,
    networks: Networks,
    *,
    every_m: float = 0.0,
    thumbnails: bool = True,
    resume: bool = False,
    progress: Progress = lambda _: None,
) -> BuildSummary:
    """Build a region at `out`, or add to the region that lies there.

    The work is done in the folder `OUT.building` and moved to `out` when it is whole; killed at any
    moment, the build continues with `resume` and ends with the same bytes.

    Args:
        sources: what to read.
        out: folder of the region.
        networks: make the descriptors and, if wanted, the local features.
        every_m: skip images nearer than this to the last one taken of their drive, in metres.
        thumbnails: keep a small picture of each image, for people.
        resume: continue an interrupted build.
        progress: told about every batch.

    Raises:
        SourceError: a source cannot be read or has no image with a position.
        RegionError: `out` is something else, damaged, of another encoder, cannot be written, or
            another build is at work on it.
        ConfigError: `every_m` is no distance.
    """
    if not every_m >= 0:  # NaN, too
        raise ConfigError(f"every_m {every_m}: must be a distance in metres, 0 or more")
    out = out.resolve()
    if not out.name:
        raise RegionError(f"{out}: cannot become a region. Name a folder below it.")
    work = out.with_name(out.name + BUILDING)
    try:
        with locked(work):
            return _build(
                sources,
                out,
                work,
                networks,
                every_m=every_m,
                thumbnails=thumbnails,
                resume=resume,
                progress=progress,
            )
    except OSError as error:
        raise RegionError(f"{out}: the build stopped: {error}. Mend that and resume it.") from None


def _build(
    sources: Sequence[Source],
    out: Path,
    work: Path,
    networks: Networks,
    *,
    every_m: float,
    thumbnails: bool,
    resume: bool,
    progress: Progress,
) -> BuildSummary:
    mend_after_crash(out, work)
    base = _open_base(out, networks)
    plan = _plan(sources, out, networks, every_m, thumbnails)
    store = BatchStore(work, plan, resume)

    selection = Selection(base.manifest.drives if base else (), every_m)
    observed: list[Observation] = []
    failures: list[FailedImage] = []
    batches = 0
    for batch in encode_all(selection.of(sources), networks, store, thumbnails):
        rows, failed = store.rows_and_failures(batches)
        observed += [replace(batch[row], load=_released) for row in rows]
        failures += failed
        batches += 1
        progress(len(batch))
    report = selection.report
    for source in sources:
        report.absorb(source.report)
    if not observed:
        store.remove()
        raise SourceError(_nothing_to_map(sources, report, failures))

    def raw_chunks() -> Iterator[npt.NDArray[np.float32]]:
        if base:
            raw = base.raw_descriptors()
            yield from (raw[i : i + _RAW_CHUNK] for i in range(0, len(raw), _RAW_CHUNK))
        stored = (store.descriptors(number) for number in range(batches))
        yield from (descriptors for descriptors in stored if len(descriptors))

    def encoded_features() -> Iterator[bytes | memoryview]:
        if base and base.features:
            yield from map(base.features.encoded, range(len(base.features)))
        for number in range(batches):
            yield from store.features(number)

    def pictures() -> Iterator[bytes | memoryview]:
        if base:
            of_base = base.thumbnails.encoded if base.thumbnails else lambda _: b""
            yield from map(of_base, range(len(base.references)))
        for number in range(batches):
            yield from store.thumbnails(number)

    references = references_of(observed)
    if question := swapped_remark(references):
        report.remark(question)
    if base:
        references = References.concatenate(base.references, references)
    staged = empty_staging(work)
    manifest = write_region(
        staged,
        references,
        raw_chunks,
        encoder=_encoder_id(networks.encoder),
        generic_mean=networks.encoder.generic_mean,
        cell_resolution=CELL_RESOLUTION,
        places=places_of(references),
        features=_features_id(networks.extractor),
        encoded_features=encoded_features(),
        thumbnails=pictures() if thumbnails or (base and base.thumbnails) else None,
    )
    added = dict(Counter(o.drive for o in observed))
    _write_journal(staged, base, plan, added, failures)
    for name in carry_over(base.folder, staged) if base else ():
        report.remark(f"{name} was made for the region without the new drives and is left out now.")
    move_into_place(out, staged, work)
    store.remove()
    return BuildSummary(out, added, manifest.references, failures, report)


def _released() -> RgbImage:
    raise AssertionError("the pixels of a mapped observation were released")


def _encoder_id(encoder: Encoder) -> EncoderId:
    return EncoderId(name=encoder.card.name, fingerprint=encoder.fingerprint, dim=encoder.card.dim)


def _features_id(extractor: LocalFeatureExtractor | None) -> FeaturesId | None:
    if extractor is None:
        return None
    return FeaturesId(name=extractor.card.name, fingerprint=extractor.fingerprint)


def _open_base(out: Path, networks: Networks) -> Region | None:
    if not out.exists():
        return None
    if out.is_dir() and not any(out.iterdir()):
        return None
    if not (out / MANIFEST).is_file():
        raise RegionError(f"{out}: exists and is not a region. Name another --out.")
    base = Region.open(out, verify=True)
    card = networks.encoder.card
    base.check_encoder(card.name, networks.encoder.fingerprint, card.dim)
    if base.manifest.features != _features_id(networks.extractor):
        has = base.manifest.features.name if base.manifest.features else "none"
        raise RegionError(
            f"{out}: its local features ({has}) are not those of this build; a region has one "
            "kind. Build with the same options (--no-features or not), or make a new region."
        )
    return base


def _plan(
    sources: Sequence[Source], out: Path, networks: Networks, every_m: float, thumbnails: bool
) -> dict[str, object]:
    """What decides the content of the batches."""
    return {
        "sources": [source.name for source in sources],
        "every_m": every_m,
        "encoder": networks.encoder.fingerprint,
        "features": networks.extractor.fingerprint if networks.extractor else None,
        "thumbnails": thumbnails,
        "batch": BATCH,
        "base": sha256_of(out / MANIFEST) if (out / MANIFEST).is_file() else None,
    }


def _nothing_to_map(
    sources: Sequence[Source], report: SourceReport, failures: Sequence[FailedImage]
) -> str:
    names = ", ".join(source.name for source in sources)
    reasons = [*report.remarks, *(f"{n} x {why}" for why, n in report.left_out.most_common())]
    reasons += [failure.error for failure in failures[:3]]
    return f"{names}: no image with a position to map. " + ("; ".join(reasons) or "They list none.")


def _write_journal(
    folder: Path,
    base: Region | None,
    plan: dict[str, object],
    added: dict[str, int],
    failures: Sequence[FailedImage],
) -> None:
    earlier = base.folder / JOURNAL if base else None
    lines = earlier.read_bytes() if earlier and earlier.is_file() else b""
    entry = {
        "finished": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "version": __version__,
        "added": added,
        "failed_images": len(failures),
        **plan,
    }
    (folder / JOURNAL).write_bytes(lines + json.dumps(entry).encode() + b"\n")
