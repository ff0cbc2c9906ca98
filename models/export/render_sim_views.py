"""Views of simulated towns to train a vision-language model on, from worlds of other seeds.

    python models/export/render_sim_views.py --out views.npz --seeds 101 102 103

The streets, houses and cars of a world depend on its seed; the looks of a town do not. A model
trained on views of some worlds can be scored on any other.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from tqdm import tqdm

from vlm_vpr_ros.sim.conditions import CONDITIONS
from vlm_vpr_ros.sim.drives import Leg
from vlm_vpr_ros.sim.layout import Plan
from vlm_vpr_ros.sim.seeds import generator
from vlm_vpr_ros.sim.simulate import World, views_of, way_of
from vlm_vpr_ros.sim.towns import TOWNS

SIZE = (192, 144)
"""Width and height: what llama.cpp makes of 640 × 480 for a vision tower of 192 × 192."""

Images = npt.NDArray[np.uint8]


def views(world: World, seed: int, town: int, *, condition: str, count: int) -> Images:
    """Some views of a town under a light, (count, 144, 192, 3), from all its mapped streets."""
    key = TOWNS[town].key
    random = generator(seed, "views", key, condition)
    lane_m = float(random.uniform(-1.8, 1.8))
    leg = Leg(key, Plan(TOWNS[town], seed).loop, condition, lane_m)
    traffic = int(random.integers(10**6))
    all_views = views_of(leg, way_of(leg, traffic, seed), world.plan(key), random)
    chosen = random.choice(len(all_views), count, replace=False)
    images = world.images(leg, [all_views[i] for i in chosen], traffic)
    return np.stack(
        [np.asarray(Image.fromarray(i).resize(SIZE, Image.Resampling.BICUBIC)) for i in images]
    )


def all_views(seeds: Sequence[int], count: int) -> Iterator[tuple[Images, int]]:
    """Views of every town and light in every world, and the number of the town."""
    with tqdm(total=len(seeds) * len(TOWNS) * len(CONDITIONS), unit=" towns") as bar:
        for seed in seeds:
            world = World(seed)
            for town, condition in product(range(len(TOWNS)), CONDITIONS):
                yield views(world, seed, town, condition=condition, count=count), town
                bar.update()


def main() -> int:
    """Render and store: `images` (n, 144, 192, 3) uint8, `towns` (n,), `names` of the towns."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.npz")
    parser.add_argument("--seeds", type=int, nargs="+", required=True, metavar="N")
    parser.add_argument("--count", type=int, default=36, help="views of each town and light")
    args = parser.parse_args()
    images, towns = zip(*all_views(args.seeds, args.count), strict=True)
    names = np.array([town.city for town in TOWNS])
    np.savez_compressed(
        args.out, images=np.concatenate(images), towns=np.repeat(towns, args.count), names=names
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
