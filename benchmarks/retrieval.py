"""Recall and fixes of the default models and settings on real drives.

Gardens Point (bags and tables) and a corridor by retrieval alone, with geometric verification, and
with the evidence of the last seven frames, without odometry; one place repeated by a parked robot,
a walk in Lund, KITTI's two colour cameras. Causal: frame i sees frames up to i; cold: each frame is
the first one. The weights of the evidence were fitted on
the two day drives of Gardens Point; nothing saw the night drive.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.drives import FALSE_FIX_M, Part, both_ways, region_of
from benchmarks.targets import Report, arguments, data_folder
from vlm_vpr_ros.config import EvidenceConfig, LocalizerConfig, VerificationConfig
from vlm_vpr_ros.evaluation.metrics import Score, fix_counts, recall
from vlm_vpr_ros.evaluation.remembering import remembering_networks
from vlm_vpr_ros.evaluation.run import Evaluation
from vlm_vpr_ros.images import read_image
from vlm_vpr_ros.mapping.observation import Observation, Source
from vlm_vpr_ros.mapping.sources import open_source

PARKED_FRAMES = 60
SINGLE = EvidenceConfig(max_frames=1)
_ALONE, _ONE, _SEVEN = "similarity alone", "one frame", "seven frames"
_WAYS = {
    _ALONE: LocalizerConfig(verification=VerificationConfig(candidates=0), evidence=SINGLE),
    _ONE: LocalizerConfig(evidence=SINGLE),
    _SEVEN: LocalizerConfig(),
}
"""Of localizing: what of the whole way is used."""
_RIGHT = {_ALONE: ">= 0.94", _ONE: ">= 0.99", _SEVEN: ">= 1.0"}
_LEFT = {_ALONE: ">= 0.77", _ONE: ">= 0.88", _SEVEN: ">= 0.98"}


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    data_folder(parser)
    args = parser.parse_args()
    report = Report("retrieval")
    garden: Path = args.data / "gardens_point"
    for drives, references, queries, bounds in (
        ("day_right -> night_right", "rosbag2_map_drive", "rosbag2_query_drive", _RIGHT),
        ("day_left -> night_right", "day_left.csv", "night_right.csv", _LEFT),
    ):
        for way, config in _WAYS.items():
            map_drive, query_drive = open_source(garden / references), open_source(garden / queries)
            done = _evaluated(map_drive, query_drive, config)
            _add(report, f"{drives}, {way}", done, 12, bounds[way])
    _parked(report, garden)

    lund: Path = args.data / "opensfm_lund" / "rosbag2_sqlite3"
    _neighbours(report, lund)
    left = open_source(args.data / "kitti_0002_10f" / "images.csv")
    right = Part(left, partial(_right_camera, args.data / "kitti_0002_10f"))
    _add(report, "KITTI left -> right camera", _evaluated(left, right), 2, ">= 1.0")
    corridor: Path = args.data / "vprbench_corridor"
    for way, config in _WAYS.items():
        reference, query = (open_source(corridor / f"{name}.csv") for name in ("ref", "query"))
        done = _evaluated(reference, query, config)
        # One drive falls behind the other by up to three frames: 7 m, one frame, is too narrow.
        _add(report, f"corridor, {way}", done, 7, ">= 0.85" if way == _ONE else "")
        _add(report, f"corridor, {way}", done, 12)
    report.write(args.json)


def _evaluated(
    references: Source, queries: Source, config: LocalizerConfig | None = None
) -> Evaluation:
    """Build a region from the references and localize the queries in it."""
    config = config or _WAYS[_ALONE]
    verified = config.verification.candidates > 0
    networks = remembering_networks(config, features=verified)
    with region_of(references, networks) as region:
        return both_ways([queries], region, networks, config)


def _add(report: Report, name: str, done: Evaluation, radius_m: float, target: str = "") -> None:
    for way, scores, bound in (
        ("causal", done.causal_scores, target),
        ("cold", done.cold_scores, ""),
    ):
        share = recall(scores, radius_m, 1, solvable=True)
        if share is None:
            raise SystemExit(f"{name}: no query has a reference within {radius_m} m")
        report.add(f"{name}: recall@1 within {radius_m:g} m, {way}", share, bound)
    _add_fixes(report, name, done.causal_scores)


def _add_fixes(report: Report, name: str, scores: Sequence[Score]) -> None:
    fixes = fix_counts(scores, FALSE_FIX_M)
    report.add(f"{name}: accepted", fixes.accepted / fixes.queries)
    if fixes.false_rate is not None:
        report.add(f"{name}: false among accepted (> {FALSE_FIX_M:g} m)", fixes.false_rate)


def _parked(report: Report, garden: Path) -> None:
    """The same night frame again and again must score as it does once."""

    def repeated(observations: list[Observation]) -> list[Observation]:
        return [replace(observations[100], stamp_ns=i) for i in range(PARKED_FRAMES)]

    parked = _evaluated(
        open_source(garden / "day_right.csv"),
        Part(open_source(garden / "night_right.csv"), repeated),
    )
    outcomes = [trial.causal for trial in parked.trials]
    same = sum(
        o.candidates[0].reference == outcomes[0].candidates[0].reference
        and abs(o.candidates[0].similarity - outcomes[0].candidates[0].similarity) < 1e-6
        for o in outcomes
    )
    report.add(
        f"parked: of {PARKED_FRAMES} equal frames, scored as the first", same, f"== {PARKED_FRAMES}"
    )


def _neighbours(report: Report, lund: Path) -> None:
    """Even frames of the walk as references: an odd one must find the frame before or after it."""
    walk = open_source(lund)
    even = Part(walk, lambda frames: frames[::2])
    odd = Part(walk, lambda frames: [replace(f, drive="odd") for f in frames[1::2]])
    done = _evaluated(even, odd)
    adjacent = sum(
        trial.causal.candidates[0].reference in {i, i + 1} for i, trial in enumerate(done.trials)
    )
    report.add(f"Lund: of {len(done.trials)}, matched to an adjacent frame", adjacent, ">= 12")


def _right_camera(folder: Path, left: list[Observation]) -> list[Observation]:
    """The right colour camera saw the same moments from 0.5 m farther right."""
    return [
        replace(
            frame,
            drive="right",
            load=partial(read_image, folder / frame.source.replace("image_02", "image_03")),
        )
        for frame in left
    ]


if __name__ == "__main__":
    main()
