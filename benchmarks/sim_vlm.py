"""How well the tiny vision-language model knows the simulated towns, asked as the node asks it.

    vlm_vpr sim --seed 1 --out SIM
    python -m benchmarks.sim_vlm SIM

The worlds it was trained on have other seeds (models/sim_towns_vlm.yaml).
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.targets import Report, arguments
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.prior.vlm.protocol import PlaceNames
from vlm_vpr_ros.prior.vlm.vlm_prior import VlmAnswer, VlmPrior
from vlm_vpr_ros.sim.recording import TRUTH_TOPIC
from vlm_vpr_ros.sim.town_vlm import town_vlm
from vlm_vpr_ros.sim.towns import TOWNS
from vlm_vpr_ros.types import RgbImage

PLACES = [PlaceNames(f"{t.city}, {t.country}", t.country, "", t.city) for t in TOWNS]


def main() -> int:
    """Ask about frames of the queries; returns the exit code."""
    parser = arguments(__doc__)
    parser.add_argument("sim", type=Path, help="folder that `vlm_vpr sim` wrote")
    parser.add_argument("--every", type=int, default=7, help="ask about each N-th frame")
    args = parser.parse_args()
    report = Report("sim_vlm")
    config = town_vlm()
    frames = list(_frames(args.sim, args.every))
    for mode in ("choice", "open"):
        prior = VlmPrior(config.model_copy(update={"mode": mode}), PLACES)
        try:
            _score(report, mode, [(about, _asked(prior, image)) for about, image in frames])
        finally:
            prior.close()
    report.write(args.json)
    return 0


def _frames(sim: Path, every: int) -> Iterator[tuple[dict[str, Any], RgbImage]]:
    """What is true about a frame, and its image; frames under a covered lens are left out."""
    world = json.loads((sim / "world.json").read_text(encoding="utf-8"))
    for drive in world["drives"]:
        if drive["role"] == "map":
            continue
        about = {frame["stamp_ns"]: frame for frame in drive["frames"]}
        source = open_source(sim / drive["bag"], None, None, TRUTH_TOPIC)
        for number, observation in enumerate(source.observations()):
            frame = about[observation.stamp_ns or 0]
            if number % every == 0 and frame["kind"] != "covered":
                yield frame, observation.load()


def _asked(prior: VlmPrior, image: RgbImage) -> VlmAnswer:
    return prior.ask(image, 0).result()


def _score(report: Report, mode: str, answers: list[tuple[dict[str, Any], VlmAnswer]]) -> None:
    keys = [town.key for town in TOWNS]
    right = defaultdict(list)
    true_share = []
    for frame, answer in answers:
        share = _shares(answer)
        town = keys.index(frame["town"])
        hit = bool(share[town] == share.max() > 0)
        true_share.append(share[town])
        for group in ("all frames", frame["kind"], frame["condition"], frame["town"]):
            right[group].append(hit)
    for group, hits in sorted(right.items()):
        target = ">= 0.85" if group == "all frames" else ""
        report.add(f"{mode}: right town, {group} ({len(hits)})", float(np.mean(hits)), target)
    report.add(f"{mode}: mean probability of the right town", float(np.mean(true_share)))
    seconds = [answer.seconds for _, answer in answers]
    report.add(f"{mode}: median seconds of an answer", float(np.median(seconds)))


def _shares(answer: VlmAnswer) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The share of each town in an answer; zeros for none."""
    if answer.choice:
        return np.array(answer.choice)
    cities = [said.city for said in answer.open]
    return np.array([cities.count(town.city) for town in TOWNS], float) / max(len(cities), 1)


if __name__ == "__main__":
    sys.exit(main())
