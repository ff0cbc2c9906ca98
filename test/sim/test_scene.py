"""What a town is built of: copied streets are copies, other streets are unlike each other."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from vlm_vpr_ros.sim.conditions import CONDITIONS
from vlm_vpr_ros.sim.layout import BLOCK_M, Plan
from vlm_vpr_ros.sim.mesh import Mesh
from vlm_vpr_ros.sim.scene import Scene
from vlm_vpr_ros.sim.towns import TOWNS

SEED = 7
_OF_THE_TOWN = ("tree", "board", "street")
"""Surfaces of a copied street that may differ: trees, and the words on signs."""


def _built(town):
    """Pictures of a town, and its copied streets: surface -> vertices, as seen from its start."""
    plan = Plan(town, SEED)
    scene = Scene(plan, CONDITIONS["dusk"])
    streets = {}
    for street in plan.streets:
        if street.copy:
            first, second = street.start
            origin = BLOCK_M * np.array([second, first, 0])
            meshes = scene.street(street, Mesh())
            scene.crossing(street.start, Mesh())
            streets[street.copy] = {
                (part, surface): [
                    (quad["xyz"] - origin, quad["rgba"], quad["uv"]) for quad in quads
                ]
                for part, mesh in enumerate(meshes)
                for surface, quads in mesh.surfaces.items()
            }
    return scene.pictures, streets


@pytest.fixture(scope="module")
def towns():
    return [_built(town) for town in TOWNS]


def _kind(surface):
    return next((kind for kind in _OF_THE_TOWN if surface.startswith(f"{kind} ")), "")


def test_a_copied_street_is_drawn_alike_in_every_town(towns):
    (pictures, streets), *others = towns
    for other_pictures, other_streets in others:
        shared = streets.keys() & other_streets.keys()
        assert {"a0", "a1", "a2", "b0", "b1"} <= shared
        for name in shared:
            one, other = (
                {key: quads for key, quads in built[name].items() if not _kind(key[1])}
                for built in (streets, other_streets)
            )
            assert one.keys() == other.keys()
            for key, quads in one.items():
                for quad, its in zip(quads, other[key], strict=True):
                    for values, its_values in zip(quad, its, strict=True):
                        np.testing.assert_allclose(values, its_values, atol=1e-3)
                if key[1]:
                    np.testing.assert_array_equal(pictures[key[1]], other_pictures[key[1]])


def test_its_signs_hang_alike_and_say_other_words(towns):
    (pictures, streets), (other_pictures, other_streets), *_ = towns
    boards, other_boards = (
        {key[1]: quads for key, quads in built["a1"].items() if _kind(key[1]) == "board"}
        for built in (streets, other_streets)
    )
    hung, other_hung = (
        np.sort(np.concatenate([xyz for quads in some.values() for xyz, *_ in quads]), axis=0)
        for some in (boards, other_boards)
    )
    np.testing.assert_allclose(hung, other_hung, atol=1e-3)
    assert not boards.keys() & other_boards.keys()
    grounds, other_grounds = (
        sorted(tuple(its[name][0, 0].tolist()) for name in some)
        for its, some in ((pictures, boards), (other_pictures, other_boards))
    )
    assert set(grounds) == set(other_grounds)


def test_crossings_within_a_copied_run_are_copies(towns):
    (pictures, _), *others = towns
    names = {name for name in pictures if name.startswith("crossing copy")}
    assert len(names) >= 3  # two in the middle of one run, one in that of the other
    for other_pictures, _ in others:
        for name in names:
            np.testing.assert_array_equal(pictures[name], other_pictures[name])


@pytest.mark.parametrize("town", TOWNS, ids=lambda town: town.key)
def test_streets_of_a_town_differ_in_markings_and_lamps(town):
    driven = [street.style for street in Plan(town, SEED).streets if street.driven]
    for one, other in combinations(driven, 2):
        assert one.markings != other.markings
        assert one.lamps != other.lamps
    zebras = [end.stripes > 0 for style in driven for end in style.ends]
    assert 0 < np.mean(zebras) < 1


@pytest.mark.parametrize("town", TOWNS, ids=lambda town: town.key)
def test_houses_fill_their_row(town):
    for street in Plan(town, SEED).streets:
        for row in (street.left, street.right):
            ends = np.array([(house.along_m, house.along_m + house.width_m) for house in row])
            np.testing.assert_allclose(ends[1:, 0], ends[:-1, 1])
            assert ends[0, 0] == 0
            assert ends[-1, 1] == pytest.approx(44.0)
            assert not row[0].garden
            assert not row[-1].garden
            assert row[0].setback_m == row[-1].setback_m == 0
