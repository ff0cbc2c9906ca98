"""Rendered images and recorded drives, read back as a user's would be."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pytest
from projection import project

from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.image_check import flaw
from vlm_vpr_ros.mapping.bag_file import open_bag
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.sim import recording
from vlm_vpr_ros.sim.camera import CameraPose, Pinhole
from vlm_vpr_ros.sim.drives import KIDNAPPED_S, Drive, Leg
from vlm_vpr_ros.sim.layout import Plan
from vlm_vpr_ros.sim.mesh import Mesh
from vlm_vpr_ros.sim.towns import TOWNS

pytest.importorskip("panda3d", reason="Panda3D is not installed (requirements/sim.txt)")

from vlm_vpr_ros.sim.renderer import Day, Model, Renderer
from vlm_vpr_ros.sim.simulate import CAMERA, World, simulate, views_of, way_of

SEED = 3
_NODES = Plan(TOWNS[0], SEED).loop[:4]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A drive of two legs, the second with a covered lens, and its description."""
    legs = (
        Leg(TOWNS[0].key, _NODES, "day", 1.2, first_frame=4, frames=9),
        Leg(TOWNS[1].key, _NODES[:3], "night", -1.2, frames=6, covered=range(2, 4)),
    )
    out = tmp_path_factory.mktemp("sim") / "out"
    counted = []
    world = simulate([Drive("query", "query", legs, 5, True)], out, SEED, counted.append)
    assert sum(counted) == 15
    return out, json.loads(world.read_text(encoding="utf-8"))


def test_points_are_drawn_where_the_camera_matrix_puts_them():
    camera, mesh = Pinhole(), Mesh()
    pose = CameraPose(1.0, -2.0, 1.5, 37.0, 5.0)
    rng = np.random.default_rng(0)
    heading = np.radians(37.0)
    ahead, across = rng.uniform(6, 12, 6), rng.uniform(-3, 3, 6)
    points = np.stack(
        [
            1.0 + ahead * np.cos(heading) - across * np.sin(heading),
            -2.0 + ahead * np.sin(heading) + across * np.cos(heading),
            rng.uniform(0.5, 3.5, 6),
        ],
        axis=1,
    )
    renderer = Renderer(camera)
    sky = np.zeros((512, 2048, 3), np.uint8)
    for point in points:
        mesh = Mesh()
        first, second, up = point
        ends = ((-0.1, -0.1), (0.1, -0.1), (0.1, 0.1), (-0.1, 0.1))
        mesh.quad("", [(second + r, first, up + u) for r, u in ends])
        renderer.show(Model({}, [mesh]))
        renderer.show_day(Day([], Mesh(), sky))
        image = renderer.draw(pose)[: camera.height // 2 + 120]
        lit = np.argwhere(image[..., 0] > 200)
        [[column, row]] = project(camera, pose, point[None])
        assert lit.mean(axis=0)[::-1] == pytest.approx((column, row), abs=0.8)


def _image(seed, condition):
    world, leg = World(seed), Leg(TOWNS[2].key, _NODES[:2], condition, 1.0, frames=3)
    views = views_of(leg, way_of(leg, 1, seed), world.plan(leg.town), np.random.default_rng(0))
    return list(world.images(leg, views, 1))[-1].astype(int)


def test_the_same_seed_draws_the_same_image_and_another_one_does_not():
    image, again, other = _image(SEED, "dusk"), _image(SEED, "dusk"), _image(SEED + 1, "dusk")
    # Of surfaces in one place either may win.
    assert np.mean(np.abs(image - again).max(axis=-1) > 1) < 0.002
    assert np.mean(np.abs(image - other).max(axis=-1) > 20) > 0.3


def test_fog_takes_contrast_from_what_is_far_and_night_takes_light():
    day, fog, night = (_image(SEED, condition) for condition in ("day", "fog", "night"))
    assert all(flaw(image.astype(np.uint8)) is None for image in (day, fog, night))
    far = (slice(180, 270), slice(280, 360))  # down the street
    assert fog[far].std() < 0.5 * day[far].std()
    assert night.mean() < 0.7 * day.mean()


def test_a_recording_is_read_like_a_robots(recorded):
    out, world = recorded
    [drive] = world["drives"]
    source = open_source(out / "query", None, None, recording.TRUTH_TOPIC)
    observations = list(source.observations())
    assert len(observations) == 15
    assert [o.stamp_ns for o in observations] == [f["stamp_ns"] for f in drive["frames"]]
    for observation, frame in zip(observations, drive["frames"], strict=True):
        town = next(t for t in world["towns"] if t["key"] == frame["town"])
        position = observation.position
        here = (position.lat_deg, position.lon_deg)
        assert distance_m(*here, town["lat_deg"], town["lon_deg"]) < 200
        assert observation.load().shape == (CAMERA.height, CAMERA.width, 3)
    first, second = observations[0], observations[8]
    assert 5 < distance_m(
        first.position.lat_deg, first.position.lon_deg,
        second.position.lat_deg, second.position.lon_deg,
    ) < 40  # fmt: skip


def test_the_satellite_fixes_scatter_around_the_truth(recorded):
    out, _ = recorded
    fixed = list(open_source(out / "query", None, None, recording.FIX_TOPIC).observations())
    true = list(open_source(out / "query", None, None, recording.TRUTH_TOPIC).observations())
    errors = [
        distance_m(a.position.lat_deg, a.position.lon_deg, b.position.lat_deg, b.position.lon_deg)
        for a, b in zip(fixed, true, strict=True)
        if a.position is not None
    ]
    assert len(errors) >= 8
    assert 0.01 < np.median(errors) < 6
    assert all(o.sigma_m is not None for o in fixed if o.position is not None)


def test_the_robot_is_carried_without_its_wheels_turning(recorded):
    out, world = recorded
    [drive] = world["drives"]
    [kidnapped_ns] = drive["kidnapped_ns"]
    before = drive["frames"][8]["stamp_ns"]
    assert kidnapped_ns == drive["frames"][9]["stamp_ns"]
    assert kidnapped_ns - before == pytest.approx(KIDNAPPED_S * 1e9, rel=0.1)
    with open_bag(out / "query") as bag:
        topic = next(t for t in bag.topics if t.name == recording.ODOMETRY_TOPIC)
        poses = [message.pose.pose.position for _, message in bag.messages(topic)]
    steps = [np.hypot(b.x - a.x, b.y - a.y) for a, b in pairwise(poses)]
    assert max(steps) < 1.0


def test_frames_say_what_they_are(recorded):
    out, world = recorded
    frames = world["drives"][0]["frames"]
    assert [f["kind"] for f in frames[9:]].count("covered") == 2
    assert {f["town"] for f in frames} == {TOWNS[0].key, TOWNS[1].key}
    observations = list(
        open_source(out / "query", None, None, recording.TRUTH_TOPIC).observations()
    )
    dark = [observations[9 + i].load().mean() for i in (2, 3)]
    assert max(dark) < 30


def test_the_camera_info_belongs_to_the_images(recorded):
    out, _ = recorded
    with open_bag(out / "query") as bag:
        topic = next(t for t in bag.topics if t.name == recording.INFO_TOPIC)
        infos = [message for _, message in bag.messages(topic)]
    assert len(infos) == 15
    np.testing.assert_allclose(np.array(infos[0].k).reshape(3, 3), CAMERA.matrix)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("keep")
    with pytest.raises(ConfigError, match="not empty"):
        simulate([], tmp_path, SEED, lambda _: None)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
