"""Geometric verification: time of a pair, of 20 candidates and of an image, and bytes stored.

Times are CPU time on one thread, which a busy machine stretches less than the wall clock. The pairs
are as hard as day against night: 1,024 points, a fifth of them matched, of which a third agree.
Where Gardens Point lies in the data folder, its re-ranking is measured too: night frames, day
references.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.targets import Report, arguments, data_folder
from vlm_vpr_ros.config import EncoderConfig, VerificationConfig
from vlm_vpr_ros.descriptors import unit_rows
from vlm_vpr_ros.images import read_image
from vlm_vpr_ros.retrieval.centring import CausalCentring
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import RgbImage
from vlm_vpr_ros.verification.feature_codec import decode_features, encode_features
from vlm_vpr_ros.verification.geometry import epipolar_inliers
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor, LocalFeatures
from vlm_vpr_ros.verification.matching import mutual_matches
from vlm_vpr_ros.verification.verifier import Verifier, match_pair

ONE_THREAD = EncoderConfig(providers=("CPUExecutionProvider",), threads=1)
CANDIDATES = 20
TOLERANCE_FRAMES = 2
PSEUDO_FRAMES = 10.0
INLIER_WEIGHTS = (0.05, 0.1, 0.2)


def main() -> None:
    """Measure and print."""
    if os.environ.get("OPENBLAS_NUM_THREADS") != "1":  # read once, when NumPy is loaded
        os.environ["OPENBLAS_NUM_THREADS"] = "1"
        os.execv(sys.executable, [sys.executable, "-m", "benchmarks.verification", *sys.argv[1:]])
    cv2.setNumThreads(1)
    parser = arguments(__doc__)
    data_folder(parser)
    args = parser.parse_args()
    report = Report("verification")
    extractor = LocalFeatureExtractor.load(VerificationConfig(), ONE_THREAD)
    _pairs(report)
    _candidates(report)
    _extraction(extractor, report)
    if (args.data / "gardens_point").is_dir():
        for references in ("day_right", "day_left"):
            _re_ranking(args.data / "gardens_point", references, extractor, report)
    else:
        print(f"no Gardens Point in {args.data}: re-ranking left out")
    report.write(args.json)


def _pairs(report: Report) -> None:
    for points, bound in ((1024, "<= 3"), (512, "<= 1.5")):
        pairs = [_night_pair(points, seed) for seed in range(20)]
        report.add(f"a pair, {points} points, p50 ms", _p50_ms(match_pair, pairs, 10), bound)
    pairs = [_night_pair(1024, seed) for seed in range(20)]
    descriptors = [(a.descriptors, b.descriptors) for a, b in pairs]
    report.add("of which matching, p50 ms", _p50_ms(mutual_matches, descriptors, 10))
    matched = [(m.query, m.reference) for m in (match_pair(a, b) for a, b in pairs)]
    report.add("of which geometry, p50 ms", _p50_ms(epipolar_inliers, matched, 10))
    report.add("matches of such a pair", float(np.median([len(a) for a, _ in matched])))


def _candidates(report: Report) -> None:
    """From the bytes of the index, each candidate a place of its own: nothing can be spared."""
    pairs = [_night_pair(1024, seed) for seed in range(CANDIDATES)]
    stored = [encode_features(reference) for _, reference in pairs]
    report.add("bytes of a reference", float(len(stored[0])), "<= 40000")
    report.add("reading a reference, p50 ms", _p50_ms(decode_features, [(s,) for s in stored], 20))
    verify = Verifier(VerificationConfig()).verify
    work = [
        (query, range(CANDIDATES), lambda _, data=data: decode_features(data))
        for (query, _), data in zip(pairs, stored, strict=True)
    ]
    report.add(f"{CANDIDATES} candidates, p50 ms", _p50_ms(verify, work, 3), "<= 60")


def _extraction(extractor: LocalFeatureExtractor, report: Report) -> None:
    images = [(_image(540, 960, seed),) for seed in range(5)]
    report.add("features of a 960x540 image, p50 ms", _p50_ms(extractor.extract, images, 8))
    counts = [len(extractor.extract(*image)) for image in images]
    report.add("keypoints found in it", float(np.median(counts)))


def _re_ranking(
    folder: Path, references: str, extractor: LocalFeatureExtractor, report: Report
) -> None:
    name = f"{references} -> night_right"
    similarity = _similarities(folder, references)
    frames = np.arange(len(similarity))
    top = np.argsort(-similarity, axis=1, kind="stable")[:, :CANDIDATES]
    promise = np.take_along_axis(similarity, top, axis=1)
    true = np.abs(top - frames[:, None]) <= TOLERANCE_FRAMES
    queries = [extractor.extract(i) for i in _images(folder, "night_right")]
    exact = [extractor.extract(i) for i in _images(folder, references)]
    stored = [decode_features(encode_features(f)) for f in exact]

    def recall(score: npt.NDArray[Any]) -> float:
        return 100 * float(true[frames, score.argmax(axis=1)].mean())

    report.add(f"{name}: R@1 by retrieval, %", recall(promise))
    for label, features in (("exact", exact), ("stored", stored)):
        inliers = np.array(
            [
                [match_pair(query, features[r]).inliers.sum() for r in row]
                for query, row in zip(queries, top, strict=True)
            ]
        )
        report.add(f"{name}: R@1 by inliers, {label} features, %", recall(inliers))
        for weight in INLIER_WEIGHTS:
            score = promise + weight * np.log1p(inliers)
            report.add(f"{name}: R@1 by similarity + {weight} ln(1+inliers), %", recall(score))


def _similarities(folder: Path, references: str) -> npt.NDArray[np.float32]:
    """Centred cosines, (queries, references), as the localizer computes them."""
    encoder = Encoder.load(ONE_THREAD)
    raw = np.stack([encoder.encode(image) for image in _images(folder, references)])
    mean = raw.mean(axis=0)
    centring = CausalCentring(mean, PSEUDO_FRAMES)
    night = [centring.centred(encoder.encode(i)) for i in _images(folder, "night_right")]
    similarities: npt.NDArray[np.float32] = np.stack(night) @ unit_rows(raw - mean).T
    return similarities


def _images(folder: Path, traversal: str) -> Iterator[RgbImage]:
    return (read_image(path) for path in sorted((folder / traversal).glob("*.jpg")))


def _night_pair(points: int, seed: int) -> tuple[LocalFeatures, LocalFeatures]:
    """Features of two views, a fifth of which match; a third of the matches are of one scene."""
    rng = np.random.default_rng(seed)
    matched, right = points // 5, points // 15
    scene = rng.uniform((-6, -3, 4), (6, 3, 20), (right, 3))
    moved = scene + np.array([0.8, 0.05, 0.4])
    shared = rng.normal(size=(matched, 64))
    views = []
    for seen in (scene, moved):
        keypoints = rng.uniform(0, (640, 360), (points, 2))
        keypoints[:right] = np.clip(300 * seen[:, :2] / seen[:, 2:] + (320, 180), 0, 640)
        looks = rng.normal(size=(points, 64))
        looks[:matched] = shared + rng.normal(0, 0.3, shared.shape)
        descriptors = unit_rows(looks.astype(np.float32))
        views.append(LocalFeatures(keypoints.astype(np.float32), descriptors))
    return views[0], views[1]


def _image(height: int, width: int, seed: int) -> RgbImage:
    """Rectangles over smooth noise: a street's worth of corners."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 255, (9, 16, 3), dtype=np.uint8)
    image = np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    for _ in range(400):
        (x, y), (w, h) = rng.integers(0, (width, height)), rng.integers(4, 90, 2)
        image[y : y + h, x : x + w] = rng.integers(0, 255, 3)
    return image


def _p50_ms(work: Callable[..., object], inputs: Sequence[tuple[Any, ...]], rounds: int) -> float:
    """Median CPU time of a call, over all inputs, after a round that warms up."""
    times = []
    for repeat in range(rounds + 1):
        for values in inputs:
            start = time.thread_time()
            work(*values)
            if repeat:
                times.append(time.thread_time() - start)
    return 1e3 * float(np.median(times))


if __name__ == "__main__":
    main()
