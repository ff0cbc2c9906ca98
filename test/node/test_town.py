"""The real localizer in the node: a town of textures, known by a tiny encoder."""

from __future__ import annotations

import json
import math
from itertools import cycle, islice

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from geometry_msgs.msg import PoseWithCovarianceStamped
from node_process import until
from robot import NODE
from sensor_msgs.msg import Image
from std_srvs.srv import Trigger
from support.streets import ORIGIN
from town import ELSEWHERE, PLACES, PROGRAM, build_town, photo

from vlm_vpr_ros.geodesy import displaced, distance_m


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    return build_town(tmp_path_factory.mktemp("town"))


def error_m(answer, place):
    return distance_m(answer["lat"], answer["lon"], *displaced(*ORIGIN, 60.0 * place, 0.0))


def look(robot, place, **how):
    robot.show(photo(place), **how)


def test_a_frame_is_found_and_shown_beside_its_match(start, robot, town):
    pictures = robot.listen(f"{NODE}/debug_image", Image)
    start(program=PROGRAM, **town)
    robot.state("IDLE")
    robot.camera()
    message = photo(PLACES[3])
    message.header.frame_id = "camera_front"
    robot.show(message)
    answer = robot.relocalize()
    assert answer["reason"] == "accepted"
    assert error_m(answer, PLACES[3]) < 1.0
    assert answer["prior"]["status"] == "off"
    until(lambda: robot.relocalize() and pictures)  # the first may precede the discovery
    picture = pictures[0]
    assert picture.header.frame_id == "camera_front"
    assert (picture.encoding, picture.step) == ("rgb8", 3 * picture.width)
    assert picture.width > 2 * picture.height * 0.9
    assert len(set(picture.data[:: len(picture.data) // 1000])) > 50, "it shows something"


def test_what_is_known_of_the_place_is_used_told_and_forgotten(start, robot, town):
    center = "{:f}, {:f}".format(*ORIGIN)
    start(program=PROGRAM, prior__center=center, prior__radius_km=30, **town)
    robot.state("IDLE")
    robot.camera()
    robot.prior_fixes()
    look(robot, PLACES[3])
    answer = robot.relocalize()
    assert answer["reason"] == "accepted"
    assert (answer["prior"]["status"], answer["prior"]["source"]) == ("used", "fixed")
    robot.wait_for(lambda: robot.hypotheses)
    prior = json.loads(robot.hypotheses[-1].data)["features"][-1]
    assert prior["properties"]["kind"] == "prior"
    assert prior["geometry"]["coordinates"] == pytest.approx(ORIGIN[::-1], abs=1e-6)
    robot.tell_prior(ORIGIN[0], 1e6)
    until(lambda: robot.relocalize()["prior"]["source"] == "fixed+topic")
    assert robot.call(f"{NODE}/reset", Trigger).success
    assert robot.relocalize()["prior"]["source"] == "fixed"


def test_a_pose_of_every_accepted_fix(start, robot, town):
    poses = robot.listen(f"{NODE}/pose", PoseWithCovarianceStamped)
    start(program=PROGRAM, map__datum="{:f}, {:f}".format(*ORIGIN), **town)
    robot.state("IDLE")
    robot.camera()
    look(robot, PLACES[5])
    until(lambda: robot.relocalize()["reason"] == "accepted" and poses)
    position = poses[0].pose.pose.position
    assert math.hypot(position.x - 60.0 * PLACES[5], position.y) < 1.0


def test_a_kidnapping_is_noticed_and_the_robot_found_again(start, robot, town):
    start(program=PROGRAM, continuous="true", rate=20.0, **town)
    robot.state("IDLE")
    robot.camera()

    def drive_until(word, places):
        """Show view after view until the state is this, for ten views at most."""
        for place in islice(cycle(places), 10):
            seen = len(robot.hypotheses)
            look(robot, place)
            # The frame in flight may still be of the view before.
            robot.wait_for(lambda seen=seen: len(robot.hypotheses) >= seen + 2)
            if robot.states[-1].data == word:
                return
        raise AssertionError(f"not {word}: {[state.data for state in robot.states]}")

    drive_until("LOCALIZED", PLACES[1:4])
    drive_until("LOST", ELSEWHERE)
    drive_until("LOCALIZED", PLACES[8:11])
    there = displaced(*ORIGIN, 60.0 * PLACES[9], 0.0)
    robot.wait_for(
        lambda: distance_m(robot.fixes[-1].latitude, robot.fixes[-1].longitude, *there) < 2000
    )
