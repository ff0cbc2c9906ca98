"""What `vlm_vpr calibrate` promises, held against drives that it did not see.

Gardens Point: calibrated on day_left in a region of day_right, scored on night_right, single frames
and windows of up to seven; a target of 1 % must be refused there. With `--sim DIR`, a folder of
`vlm_vpr sim --preset statistics`: calibrated on its calibration drives, scored on its queries, and
again with all of these drives dealt out anew, as one deal may be lucky. Two streets in five stand
in every town there: `--vlm` asks the tiny model which one it is.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.drives import FALSE_FIX_M, region_of
from benchmarks.targets import Report, arguments, data_folder
from vlm_vpr_ros.calibration.fit import calibrated
from vlm_vpr_ros.calibration.looks import DriveLooks, Look, Window, watch_openly
from vlm_vpr_ros.calibration.record import Calibration, Made
from vlm_vpr_ros.calibration.text import calibration_lines
from vlm_vpr_ros.config import GateConfig, LocalizerConfig
from vlm_vpr_ros.estimation.trust import Trusts
from vlm_vpr_ros.evaluation.ellipses import nees
from vlm_vpr_ros.evaluation.metrics import Score, fix_counts
from vlm_vpr_ros.evaluation.rates import exact_interval
from vlm_vpr_ros.evaluation.remembering import remembering_networks
from vlm_vpr_ros.evaluation.run import evaluate
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.sim.town_vlm import town_vlm
from vlm_vpr_ros.types import GAUSSIAN_RADII

TARGETS = (0.01, 0.05)
ANSWERED = {0.01: ">= 0.7", 0.05: ">= 0.8"}
DEALS = 20
CONFIG = LocalizerConfig()
NOW = datetime.datetime.fromtimestamp(0, datetime.timezone.utc)


def main() -> None:
    """Measure and print."""
    parser = arguments(__doc__)
    data_folder(parser)
    parser.add_argument("--sim", type=Path, metavar="DIR", help="simulated drives")
    parser.add_argument("--vlm", action="store_true", help="with the prior of the tiny model")
    args = parser.parse_args()
    report = Report("calibration")
    if args.sim:
        known = {"vlm": town_vlm()} if args.vlm else {}
        _simulated(report, args.sim, CONFIG.model_copy(update=known))
    else:
        _gardens_point(report, args.data / "gardens_point")
    report.write(args.json)


def _gardens_point(report: Report, garden: Path) -> None:
    """The localizer itself, with the calibration in its region."""
    networks = remembering_networks(CONFIG, features=True, images=CONFIG.evidence.max_frames)
    with region_of(open_source(garden / "day_right.csv"), networks) as region:
        drives = [open_source(garden / "day_left.csv")]
        looks = watch_openly(drives, region, networks, CONFIG).drives
        found = _calibrated(looks, region)
        refused = {refusal.target for refusal in found.single.refusals}
        report.add("Gardens Point: 1 % of single frames refused", 0.01 in refused, "== 1")
        found.write(region.folder)
        causal = Localizer(region, networks, CONFIG)
        cold = Localizer(region, networks, CONFIG.of_single_frames)
        night = [open_source(garden / "night_right.csv")]
        frames = CONFIG.evidence.max_frames
        done = evaluate(night, region.references, causal, cold, frames=frames)
    _add_false(report, "night, 5 %, single frames", done.cold_scores)
    _add_false(report, f"night, 5 %, up to {frames} frames", [stop.score for stop in done.stops])


def _add_false(report: Report, name: str, scores: Sequence[Score]) -> None:
    fixes = fix_counts(scores, FALSE_FIX_M)
    report.add(f"{name}: answered", fixes.accepted / fixes.queries)
    report.add(f"{name}: false of {fixes.accepted}", fixes.false)
    if interval := exact_interval(fixes.false, fixes.accepted):
        report.add(f"{name}: false rate, lower end (95 %)", interval[0], "<= 0.05")
        report.add(f"{name}: false rate, upper end (95 %)", interval[1])


def _simulated(report: Report, folder: Path, config: LocalizerConfig) -> None:
    """What the localizer would answer: the same support, thresholds and scale."""
    networks = remembering_networks(CONFIG, features=True)
    with TemporaryDirectory() as scratch:
        maps = [open_source(path, fix_topic="/fix") for path in _recordings(folder, "map")]
        build_region(maps, Path(scratch) / "region", networks, every_m=2.0)
        region = Region.open(Path(scratch) / "region")
        learnt, scored = (
            watch_openly(
                [open_source(path, fix_topic="/truth/fix") for path in _recordings(folder, role)],
                region,
                networks,
                config,
            ).drives
            for role in ("calibration", "query")
        )
        found = _calibrated(learnt, region)
        for (name, target), answers in _answers(found, scored).items():
            _add(report, f"{name}, {target:.0%}", answers, target)
        _dealt_anew(report, [*learnt, *scored], len(learnt), region)


def _answers(found: Calibration, scored: Sequence[DriveLooks]) -> dict[tuple[str, float], Answers]:
    """What the localizer answers, to single frames and to windows, for each target."""
    singles = [[(look,) for look in drive.singles] for drive in scored]
    windows = [drive.windows for drive in scored]
    answers = {}
    for target in TARGETS:
        config = CONFIG.model_copy(update={"gate": GateConfig(target_false_fix_rate=target)})
        for name, asked, way in (
            ("single frames", singles, config.of_single_frames),
            (f"up to {CONFIG.evidence.max_frames} frames", windows, config),
        ):
            answers[name, target] = Answers.of(asked, Trusts.of(found, found.made, way))
    return answers


def _dealt_anew(report: Report, drives: Sequence[DriveLooks], learn: int, region: Region) -> None:
    """Calibrated on so many drives drawn at random, scored on the others, again and again."""
    draw = np.random.default_rng(0)
    made = Made.of(region.manifest, CONFIG)
    deals = []
    for _ in range(DEALS):
        order = draw.permutation(len(drives))
        learnt, scored = ([drives[i] for i in part] for part in (order[:learn], order[learn:]))
        frames = CONFIG.evidence.max_frames
        deals.append(_answers(calibrated(learnt, made, TARGETS, NOW, frames=frames), scored))
    for name, target in deals[0]:
        dealt = [deal[name, target] for deal in deals]
        said = f"{name}, {target:.0%}, dealt anew {DEALS} times"
        answered = float(np.mean([len(a.given) / a.asked for a in dealt]))
        report.add(f"{said}: answered, mean", answered, ANSWERED[target])
        false = [sum(look.false for look in a.given) / max(len(a.given), 1) for a in dealt]
        report.add(f"{said}: false, mean", float(np.mean(false)), f"<= {target}")
        exceeded = sum(share > target for share in false)
        report.add(f"{said}: times that more were false", exceeded)


@dataclass(frozen=True)
class Answers:
    """What was answered on scored drives.

    Attributes:
        asked: how many answers were asked for.
        given: those that were given.
        sigmas: (given,) Mahalanobis distances of the published covariances.
        radii: (given,) the published radii of each.
    """

    asked: int
    given: list[Look]
    sigmas: list[float]
    radii: list[dict[int, float]]

    @classmethod
    def of(cls, drives: Sequence[Sequence[Window]], trusts: Trusts) -> Answers:
        """As the localizer would answer."""
        windows = [window for drive in drives for window in drive]
        given = [look for window in windows if (look := _answer(window, trusts))]
        trust = [trusts.after(look.frames) for look in given]
        return cls(
            len(windows),
            given,
            [x.sigmas_off / t.covariance_scale**0.5 for x, t in zip(given, trust, strict=True)],
            [dict(t.ellipse_radii) for t in trust],
        )


def _answer(window: Window, trusts: Trusts) -> Look | None:
    for look in window:
        trust = trusts.after(look.frames)
        if look.worth(trust.slope, trust.bias).support >= trust.needed:
            return look
    return None


def _add(report: Report, name: str, answers: Answers, target: float) -> None:
    given = answers.given
    report.add(f"{name}: answered of {answers.asked}", len(given) / answers.asked, ANSWERED[target])
    false = sum(look.false for look in given)
    if not given:
        return
    report.add(f"{name}: false among {len(given)}", false / len(given), f"<= {target}")
    right = [i for i, look in enumerate(given) if not look.false]
    sigmas = np.array([answers.sigmas[i] for i in right])
    for per_cent in GAUSSIAN_RADII:
        held = float(np.mean(sigmas <= [answers.radii[i][per_cent] for i in right]))
        report.add(f"{name}: inside the {per_cent} % ellipse", held)
        report.add(f"{name}: off by", abs(held - per_cent / 100), "<= 0.05")
    gaussian = float(np.mean(sigmas <= GAUSSIAN_RADII[95]))
    report.add(f"{name}: inside the Gaussian's 95 % ellipse", gaussian, ">= 0.93")
    errors = nees(list(sigmas))
    report.add(f"{name}: NEES, mean", errors.mean or 0.0, "<= 2.8")
    report.add(f"{name}: NEES, median", errors.median or 0.0)
    report.add(f"{name}: NEES, trimmed mean", errors.trimmed_mean or 0.0)


def _calibrated(looks: Sequence[DriveLooks], region: Region) -> Calibration:
    frames = CONFIG.evidence.max_frames
    found = calibrated(looks, Made.of(region.manifest, CONFIG), TARGETS, NOW, frames=frames)
    print("\n".join(calibration_lines(found)))
    return found


def _recordings(folder: Path, role: str) -> list[Path]:
    found = sorted(folder.glob(f"{role}_*"))
    if not found:
        raise SystemExit(f"{folder}: no {role}_*; `vlm_vpr sim --preset statistics` makes them")
    return found


if __name__ == "__main__":
    main()
