"""The node in a process of its own, over real DDS; the test decides what the localizer answers."""

from __future__ import annotations

import json
import math
import shutil
import signal
import time

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.msg import State, Transition
from node_process import WAIT_S, events, jpeg, script, until
from rcl_interfaces.srv import DescribeParameters, GetParameters
from robot import NODE, STAMP, Client, read
from sensor_msgs.msg import CompressedImage, Image, NavSatFix
from standin import COVARIANCE, PLACE
from std_srvs.srv import SetBool, Trigger
from visualization_msgs.msg import MarkerArray


@pytest.fixture
def active(start, robot):
    """An active node that sees a camera."""
    process = start(relocalize_timeout_s=1)
    robot.state("IDLE")
    robot.camera()
    return process


# Answers


@pytest.mark.smoke
def test_without_a_region_the_node_says_so_and_ends_cleanly(start, robot):
    process = start(program=("-m", "vlm_vpr_ros.node.main"), region=None)
    robot.state("ERROR")
    answer = robot.relocalize()
    assert answer["reason"] == "region_unavailable"
    assert "region" in answer["detail"]
    assert answer["lat"] is None
    assert process.interrupt() == 0


@pytest.mark.usefixtures("active")
def test_an_accepted_fix(robot):
    robot.show(step_ns=0)
    answer = robot.relocalize()
    assert answer["reason"] == "accepted"
    assert (answer["lat"], answer["lon"], answer["alt_m"]) == (
        PLACE.lat_deg,
        PLACE.lon_deg,
        PLACE.alt_m,
    )
    assert answer["covariance_enu_m2"] == COVARIANCE.tolist()
    assert answer["sigma_m"] == pytest.approx(math.sqrt((25 + 16) / 2), abs=0.01)
    assert answer["stamp_ns"] == STAMP
    assert answer["probability"] == 0.95
    assert {"decode", "encode", "service"} <= answer["latency_ms"].keys()
    robot.wait_for(lambda: robot.fixes)
    fix = robot.fixes[0]
    assert fix.header.frame_id == "base_link"
    assert fix.header.stamp.sec * 10**9 + fix.header.stamp.nanosec == STAMP
    assert fix.status.status == 0
    assert fix.status.service == 0
    assert list(fix.position_covariance) == COVARIANCE.ravel().tolist()
    assert fix.position_covariance_type == NavSatFix.COVARIANCE_TYPE_KNOWN
    robot.wait_for(lambda: robot.hypotheses)
    collection = json.loads(robot.hypotheses[0].data)
    assert collection["features"][0]["geometry"]["coordinates"] == [
        PLACE.lon_deg,
        PLACE.lat_deg,
        PLACE.alt_m,
    ]
    robot.state("LOCALIZED")
    assert [s.data for s in robot.states][-2:] == ["SEARCHING", "LOCALIZED"]


@pytest.mark.usefixtures("active")
def test_a_refused_frame_publishes_no_fix(robot, region):
    script(region, accept=False)
    robot.show()
    answer = robot.relocalize()
    assert answer["reason"] == "weak_evidence"
    assert answer["lat"] is None
    assert answer["probability"] == 0.95
    robot.state("LOST")
    robot.wait_for(lambda: robot.hypotheses)
    assert robot.fixes == []
    assert robot.set("publish_refused", True).successful
    robot.relocalize()
    robot.wait_for(lambda: robot.fixes)
    assert robot.fixes[0].status.status == -1
    assert math.isnan(robot.fixes[0].latitude)
    assert robot.fixes[0].position_covariance_type == 0


@pytest.mark.usefixtures("active")
def test_a_call_gathers_frames_until_one_is_accepted(robot, region):
    script(region, accept_from=3)
    robot.show()
    answer = robot.relocalize()
    assert answer["reason"] == "accepted"
    stamps = [event["stamp_ns"] for event in events(region, "begin")]
    assert len(stamps) == len(set(stamps)) == 3
    assert answer["stamp_ns"] == stamps[-1]
    robot.state("LOCALIZED")
    assert [s.data for s in robot.states][-2:] == ["SEARCHING", "LOCALIZED"]
    robot.wait_for(lambda: len(robot.hypotheses) == 3)


def test_a_call_gathers_no_more_frames_than_said(start, robot, region):
    start(evidence__max_frames=2)
    robot.state("IDLE")
    robot.camera()
    script(region, accept=False)
    robot.show()
    assert robot.relocalize()["reason"] == "weak_evidence"
    assert len(events(region, "begin")) == 2


@pytest.mark.usefixtures("active")
def test_a_camera_that_repeats_its_image_keeps_no_call_waiting(robot, region):
    assert robot.set("evidence.timeout_s", 0.5).successful
    script(region, accept=False)
    robot.show(step_ns=0)
    assert robot.relocalize()["reason"] == "weak_evidence"
    assert len(events(region, "begin")) == 1


@pytest.mark.usefixtures("active")
def test_a_call_that_gathers_is_answered_when_the_node_is_deactivated(robot, region):
    assert robot.set("evidence.timeout_s", 60).successful
    script(region, accept=False)
    robot.show(step_ns=0)
    answer = robot.begin(f"{NODE}/relocalize", Trigger)
    until(lambda: events(region, "end"))
    other = Client("other")
    try:
        assert read(other.call(f"{NODE}/relocalize", Trigger))["reason"] == "busy"
    finally:
        other.close()
    assert robot.transition(Transition.TRANSITION_DEACTIVATE)
    assert read(answer())["reason"] == "inactive"


@pytest.mark.usefixtures("active")
def test_no_image(robot):
    begun = time.monotonic()
    answer = robot.relocalize()
    assert answer["reason"] == "no_image"
    assert "/image has a publisher, which is silent" in answer["detail"]
    assert 0.9 < time.monotonic() - begun < 3.0
    assert robot.lifecycle() == State.PRIMARY_STATE_ACTIVE


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (None, "nobody publishes on /image"),
        (Image, "/image carries sensor_msgs/msg/Image, not sensor_msgs/msg/CompressedImage"),
    ],
)
def test_why_no_image_comes(start, robot, kind, why):
    start(relocalize_timeout_s=0.2)
    if kind:
        robot.node.create_publisher(kind, "/image", 10)
    robot.state("IDLE")

    def told():  # discovery takes its time
        return why in robot.relocalize()["detail"]

    until(told)


@pytest.mark.usefixtures("active")
def test_a_call_waits_for_its_first_image(robot):
    answer = robot.begin(f"{NODE}/relocalize", Trigger)
    robot.state("SEARCHING")
    robot.show()
    assert read(answer())["reason"] == "accepted"


@pytest.mark.usefixtures("active")
def test_a_stale_image(robot):
    robot.show()
    assert robot.relocalize()["reason"] == "accepted"
    robot.hide()
    assert robot.set("max_image_age_s", 0.001).successful
    answer = robot.relocalize()
    assert answer["reason"] == "stale_image"
    assert "max_image_age_s" in answer["detail"]
    assert robot.set("max_image_age_s", 2).successful
    robot.show()
    assert robot.relocalize()["reason"] == "accepted"


@pytest.mark.parametrize(
    ("data", "format_", "reason"),
    [
        (b"", "jpeg", "corrupt_image"),
        (b"\xff\xd8\xff\xe0 no jpeg", "jpeg", "corrupt_image"),
        (jpeg()[:-200], "jpeg", "corrupt_image"),
        (jpeg(), "16UC1; compressedDepth png", "unsupported_encoding"),
        (b"\x00\x00\x00\x01\x67", "h264", "unsupported_encoding"),
    ],
)
@pytest.mark.usefixtures("active")
def test_unreadable_compressed_images(robot, data, format_, reason):
    robot.show(CompressedImage(format=format_, data=data))
    answer = robot.relocalize()
    assert answer["reason"] == reason
    assert answer["stamp_ns"] >= STAMP
    robot.show()
    until(lambda: robot.relocalize()["reason"] == "accepted")


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"encoding": "rgb8", "data": bytes(36)}, "accepted"),
        ({"encoding": "mono16", "step": 8, "data": bytes(24)}, "accepted"),
        ({"encoding": "rgb8", "data": bytes(20)}, "corrupt_image"),
        ({"encoding": "rgb8", "step": 3, "data": bytes(36)}, "corrupt_image"),
        ({"encoding": "rgb8", "height": 2**31, "data": bytes(36)}, "corrupt_image"),
        ({"encoding": "rgb8", "height": 0, "data": b""}, "corrupt_image"),
        ({"encoding": "32FC1", "step": 16, "data": bytes(48)}, "unsupported_encoding"),
        ({"encoding": "no such thing", "data": bytes(36)}, "unsupported_encoding"),
    ],
)
def test_raw_images(start, robot, fields, reason):
    start(image_transport="raw")
    robot.state("IDLE")
    robot.camera(Image)
    robot.show(Image(**{"height": 3, "width": 4, "step": 12, **fields}))
    assert robot.relocalize()["reason"] == reason
    assert robot.lifecycle() == State.PRIMARY_STATE_ACTIVE


def test_an_error_of_ours_is_an_answer(active, robot, region):
    script(region, **{"raise": "oh"})
    robot.show()
    answer = robot.relocalize()
    assert (answer["reason"], answer["detail"]) == ("internal_error", "ValueError: oh")
    until(lambda: "Traceback" in active.output)
    robot.wait_for(lambda: robot.latest_health().level == DiagnosticStatus.ERROR)
    (region / "script.json").write_text('{"//": "raise no more"}')
    assert robot.relocalize()["reason"] == "accepted"


@pytest.mark.usefixtures("active")
def test_a_second_caller_hears_busy_at_once(robot, region):
    script(region, sleep_s=1.0)
    other = Client("other")
    try:
        other.find(f"{NODE}/relocalize", Trigger)
        robot.show()
        first = robot.begin(f"{NODE}/relocalize", Trigger)
        until(lambda: events(region, "begin"))
        begun = time.monotonic()
        answer = read(other.call(f"{NODE}/relocalize", Trigger))
        assert answer["reason"] == "busy"
        assert time.monotonic() - begun < 0.5
        assert not events(region, "end")
        assert read(first())["reason"] == "accepted"
    finally:
        other.close()


@pytest.mark.usefixtures("active")
def test_a_client_that_goes_away_harms_nobody(robot, region):
    script(region, sleep_s=0.5)
    other = Client("other")
    robot.show()
    other.begin(f"{NODE}/relocalize", Trigger)
    until(lambda: events(region, "begin"))
    other.close()
    until(lambda: events(region, "end"))
    robot.show()
    assert robot.relocalize()["reason"] == "accepted"


@pytest.mark.usefixtures("active")
def test_reset(robot, region):
    assert robot.call(f"{NODE}/reset", Trigger).success
    assert events(region, "reset")
    robot.show()
    assert robot.relocalize()["reason"] == "accepted"
    assert robot.call(f"{NODE}/reset", Trigger).success
    robot.state("IDLE")


# What else goes out


def test_a_pose_on_the_map_and_markers(start, robot, region):
    poses = robot.listen(f"{NODE}/pose", PoseWithCovarianceStamped)
    arrays = robot.listen(f"{NODE}/markers", MarkerArray)
    datum = f"{PLACE.lat_deg}, {PLACE.lon_deg}, 30.0, 0.0"
    start(map__frame="town")
    robot.state("IDLE")
    robot.camera()
    robot.show()
    until(lambda: robot.relocalize()["reason"] == "accepted" and arrays)
    assert {m.header.frame_id for m in arrays[-1].markers} == {"enu"}
    assert poses == []
    assert robot.set("map.datum", datum).successful
    until(lambda: robot.relocalize()["reason"] == "accepted" and poses)
    assert poses[-1].header.frame_id == "town"
    position = poses[-1].pose.pose.position
    assert (position.x, position.y, position.z) == pytest.approx((0, 0, 1.5), abs=1e-6)
    robot.wait_for(lambda: arrays[-1].markers[0].header.frame_id == "town")
    count = len(poses)
    script(region, accept=False)
    assert robot.relocalize()["reason"] == "weak_evidence"
    robot.state("LOST")
    assert len(poses) == count


# What is told of the place


@pytest.mark.usefixtures("active")
def test_a_prior_that_somebody_tells(active, robot, region):
    robot.prior_fixes()

    def refused():  # again and again: discovery is not symmetric
        robot.tell_prior(48.0, 0.0)
        return "~/prior_fix are left out: their covariance is zero" in active.output

    until(refused)
    robot.tell_prior(48.0, 100.0)
    robot.tell_prior(49.0, 400.0, stamp_ns=STAMP - 60 * 10**9)
    robot.show()
    until(lambda: robot.relocalize()["reason"] == "accepted" and events(region, "told"))
    told = events(region, "told")[-1]
    assert (told["lat_deg"], told["sigma_m"]) == (49.0, 20.0)
    assert told["stamp_ns"] == STAMP - 60 * 10**9
    robot.tell_prior(50.0, 100.0)
    until(lambda: robot.relocalize()["reason"] == "accepted" and len(events(region, "told")) > 1)
    told = events(region, "told")[-1]
    assert told["lat_deg"] == 50.0
    newest = events(region, "begin")[-1]["stamp_ns"]
    assert newest - 20 * 10**9 < told["stamp_ns"] <= newest, "without a stamp: when it arrived"


@pytest.mark.usefixtures("active")
def test_the_frames_of_a_call_wait_for_the_prior(robot, region):
    assert robot.set("prior.wait_s", 3.5).successful
    script(region, accept_from=3)
    robot.show()
    robot.relocalize()
    first, *others = [event["wait_for_prior_s"] for event in events(region, "begin")]
    assert first == 3.5
    assert len(others) == 2
    assert all(0.0 <= wait_s < 3.5 for wait_s in others)


def test_the_localizer_is_closed(active, robot, region):
    robot.state("IDLE")
    assert robot.transition(Transition.TRANSITION_DEACTIVATE)
    assert robot.transition(Transition.TRANSITION_CLEANUP)
    until(lambda: events(region, "close"))
    assert robot.transition(Transition.TRANSITION_CONFIGURE)
    assert active.interrupt() == 0
    assert len(events(region, "close")) >= 2


# Odometry


def test_frames_have_the_odometry_of_their_moment(start, robot, region):
    process = start(continuous="true", rate=50.0)
    robot.state("IDLE")
    robot.camera()
    robot.odometry()

    def complained():
        robot.drive(math.nan)  # again and again: the first ones may be lost before discovery
        return "messages on odom are left out: the position is not finite" in process.output

    until(complained)

    def begun():
        return [event for event in events(region, "begin") if event["x_m"] is not None]

    for number in range(1000):
        stamp_ns = STAMP + number * 10**7
        robot.drive(0.01 * number, stamp_ns)
        robot.send(CompressedImage(format="jpeg", data=jpeg()), stamp_ns)
        time.sleep(0.01)  # the camera's period
        if len(begun()) >= 5:
            break
    assert len(begun()) >= 5
    for event in begun():
        moved_m = 1e-9 * (event["stamp_ns"] - STAMP)  # at 1 m/s
        assert abs(event["x_m"] - moved_m) <= 0.2, "within the tolerance in time"


# Continuous


def test_continuous_publishes_at_its_rate(start, robot, region):
    start(rate=10)
    robot.state("IDLE")
    robot.camera()
    robot.show(period_s=0.02, step_ns=1)
    assert robot.call(f"{NODE}/set_continuous", SetBool, data=True).success
    robot.wait_for(lambda: len(robot.fixes) >= 10)
    stamps = [event["stamp_ns"] for event in events(region, "begin")]
    assert stamps == sorted(set(stamps))
    times = [event["at"] for event in events(region, "begin")]
    rate = (len(times) - 1) / (times[-1] - times[0])
    assert 5.0 < rate < 12.0
    assert robot.call(f"{NODE}/set_continuous", SetBool, data=False).success
    answer = robot.call(f"{NODE}/get_parameters", GetParameters, names=["continuous"])
    assert not answer.values[0].bool_value


def test_slow_frames_do_not_queue(start, robot, region):
    script(region, sleep_s=0.3)
    start(image_transport="raw", continuous="true", rate=100.0)
    robot.state("IDLE")
    robot.camera(Image)
    image = Image(height=240, width=320, step=960, encoding="rgb8", data=bytes(240 * 960))
    for number in range(60):
        robot.send(image, STAMP + number)
        time.sleep(0.01)  # the camera's period
    robot.show(image, first_ns=STAMP + 60, step_ns=0)
    robot.wait_for(lambda: robot.fixes and robot.fixes[-1].header.stamp.nanosec == 123456789 + 60)
    begun = [event["stamp_ns"] - STAMP for event in events(region, "begin")]
    assert begun == sorted(begun)
    assert len(set(begun)) < 10


def test_a_call_during_continuous_waits_for_one_frame_only(start, robot, region):
    script(region, sleep_s=0.4)
    start(continuous="true", rate=100.0)
    robot.state("IDLE")
    robot.camera()
    robot.show(period_s=0.02, step_ns=1)
    until(lambda: events(region, "begin"))
    for _ in range(3):
        answer = robot.relocalize()
        assert answer["reason"] == "accepted"
        assert answer["latency_ms"]["service"] < 1000


# Lifecycle


def test_lifecycle_managers_can_drive(start, robot, region):
    start(autostart=False, relocalize_timeout_s=60)
    robot.state("UNCONFIGURED")
    assert robot.relocalize()["reason"] == "inactive"
    assert robot.transition(Transition.TRANSITION_CONFIGURE)
    robot.state("INACTIVE")
    assert robot.relocalize()["reason"] == "inactive"
    assert "inactive" in robot.call(f"{NODE}/reset", Trigger).message
    assert not robot.call(f"{NODE}/set_continuous", SetBool, data=True).success
    assert robot.transition(Transition.TRANSITION_ACTIVATE)
    answer = robot.begin(f"{NODE}/relocalize", Trigger)
    robot.state("SEARCHING")
    assert robot.transition(Transition.TRANSITION_DEACTIVATE)
    assert read(answer())["reason"] == "inactive"
    assert robot.transition(Transition.TRANSITION_CLEANUP)
    robot.state("UNCONFIGURED")
    assert robot.transition(Transition.TRANSITION_CONFIGURE)
    assert robot.transition(Transition.TRANSITION_ACTIVATE)
    robot.camera()
    robot.show()
    assert robot.relocalize()["reason"] == "accepted"
    script(region, sleep_s=1.0)
    answer = robot.begin(f"{NODE}/relocalize", Trigger)
    until(lambda: len(events(region, "begin")) == 2)
    assert robot.transition(Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert read(answer())["reason"] == "inactive"
    robot.state("FINALIZED")
    assert robot.relocalize()["reason"] == "inactive"


@pytest.mark.usefixtures("active")
def test_a_frame_in_flight_is_nobodys_after_a_pause(robot, region):
    script(region, sleep_s=0.5)
    robot.show()
    answer = robot.begin(f"{NODE}/relocalize", Trigger)
    until(lambda: events(region, "begin"))
    robot.hide()
    assert robot.transition(Transition.TRANSITION_DEACTIVATE)
    assert robot.transition(Transition.TRANSITION_ACTIVATE)
    assert read(answer())["reason"] == "inactive"
    until(lambda: events(region, "end"))
    assert robot.relocalize()["reason"] == "no_image"
    assert robot.fixes == []


@pytest.mark.usefixtures("active")
def test_cleaning_up_ends_the_wait_for_a_prior(robot, region):
    script(region, prior_s=2 * WAIT_S)
    robot.show()
    answer = robot.begin(f"{NODE}/relocalize", Trigger)
    until(lambda: events(region, "begin"))
    assert robot.transition(Transition.TRANSITION_DEACTIVATE)
    assert read(answer())["reason"] == "inactive"
    assert robot.transition(Transition.TRANSITION_CLEANUP)
    assert robot.transition(Transition.TRANSITION_CONFIGURE)
    assert robot.transition(Transition.TRANSITION_ACTIVATE)
    script(region)
    assert robot.relocalize()["reason"] == "accepted"


@pytest.mark.parametrize("harm", ["missing", "damaged"])
def test_a_region_is_mended(start, robot, region, harm):
    if harm == "missing":
        shutil.rmtree(region)
    else:
        (region / "script.json").write_text("damaged")
    start()
    robot.state("ERROR")
    answer = robot.relocalize()
    assert answer["reason"] == "region_unavailable"
    assert str(region) in answer["detail"]
    assert "region_unavailable" in robot.call(f"{NODE}/reset", Trigger).message
    robot.wait_for(lambda: robot.health and robot.latest_health().level == DiagnosticStatus.ERROR)
    assert not robot.transition(Transition.TRANSITION_CONFIGURE)
    region.mkdir(exist_ok=True)
    script(region)
    assert robot.transition(Transition.TRANSITION_CONFIGURE)
    assert robot.transition(Transition.TRANSITION_ACTIVATE)
    robot.camera()
    robot.show()
    assert robot.relocalize()["reason"] == "accepted"


def test_a_signal_that_comes_again_and_again(active):
    """As when a terminal and `ros2 launch` both pass it on, down to the end of the interpreter."""
    assert active.interrupt_all_the_way() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_answers_who_waits_and_ends_cleanly(active, robot, region, number):
    script(region, sleep_s=0.5)
    robot.show()
    answer = robot.begin(f"{NODE}/relocalize", Trigger)
    until(lambda: events(region, "begin"))
    assert active.interrupt(number) == 0
    assert read(answer())["reason"] == "inactive"


def test_a_hanging_frame_does_not_keep_the_process(active, robot, region):
    script(region, sleep_s=WAIT_S + 10)
    robot.show()
    robot.begin(f"{NODE}/relocalize", Trigger)
    until(lambda: events(region, "begin"))
    assert active.interrupt() == 0


# Parameters


@pytest.mark.usefixtures("active")
def test_live_parameters_change_while_active(robot, region):
    assert robot.set("gate.target_false_fix_rate", 0.01).successful
    robot.show()
    robot.relocalize()
    assert events(region, "begin")[-1]["gate"] == 0.01


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rate", 0.0, "rate"),
        ("rate", "fast", "must be a number"),
        ("gate.target_false_fix_rate", 0.5, "less than 0.5"),
        ("max_image_age_s", -1, "greater than 0"),
        ("map.datum", "48.1", "must be `latitude, longitude`"),
        ("region", "/elsewhere", "clean it up"),
        ("image_transport", "raw", "clean it up"),
        ("retrieval.candidates", 5, "clean it up"),
        ("autostart", False, "read-only"),
        ("rat", 1.0, "unknown parameter `rat`: did you mean `rate`?"),
    ],
)
@pytest.mark.usefixtures("active")
def test_refused_while_active(robot, name, value, said):
    result = robot.set(name, value)
    assert not result.successful
    assert said in result.reason


def test_what_needs_configuring_changes_while_unconfigured(start, robot, region, tmp_path):
    start(region=tmp_path / "wrong")
    robot.state("ERROR")
    assert robot.set("region", str(region)).successful
    assert robot.transition(Transition.TRANSITION_CONFIGURE)


@pytest.mark.usefixtures("active")
def test_parameters_are_described(robot):
    names = ["rate", "image_transport"]
    answer = robot.call(f"{NODE}/describe_parameters", DescribeParameters, names=names)
    rate, transport = answer.descriptors
    assert rate.description
    assert (rate.floating_point_range[0].from_value, rate.floating_point_range[0].to_value) == (
        0.0,
        100.0,
    )
    assert "compressed, raw" in transport.additional_constraints


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"rate": "0"}, "parameter `rate` = 0"),
        ({"rate": "fast"}, "parameter `rate` = 'fast': must be a number"),
        ({"gate__false_radius": "9.0"}, "did you mean `gate.false_radius_m`"),
        ({"image_transport": "theora"}, "image_transport"),
    ],
)
def test_wrong_parameters_end_the_start(start, parameters, said):
    process = start(**parameters)
    assert process.wait() == 2
    assert said in process.output
    assert "Traceback" not in process.output


def test_an_unknown_key_in_a_file_is_reported(start, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text("/**:\n  ros__parameters:\n    gate:\n      targt_false_fix_rate: 0.1\n")
    process = start("--params-file", str(file))
    assert process.wait() == 2
    assert "did you mean `gate.target_false_fix_rate`" in process.output


def test_whole_numbers_in_a_file_pass_for_numbers(start, robot, tmp_path):
    file = tmp_path / "p.yaml"
    file.write_text("/**:\n  ros__parameters:\n    rate: 3\n    use_sim_time: true\n")
    start("--params-file", str(file))
    robot.state("IDLE")
    answer = robot.call(f"{NODE}/get_parameters", GetParameters, names=["rate"])
    assert answer.values[0].double_value == 3.0


def test_arguments_that_are_not_ours_are_refused(start):
    process = start(program=("-m", "vlm_vpr_ros.node.main", "--nonsense"))
    assert process.wait() == 2
    assert "--nonsense" in process.output


# Diagnostics


@pytest.mark.usefixtures("active")
def test_diagnostics_tell_the_last_outcome_and_the_latencies(robot, region):
    robot.show()
    robot.relocalize()
    script(region, accept=False)
    robot.show()
    robot.relocalize()
    robot.wait_for(lambda: "image rate (Hz)" in robot.health_values())
    assert robot.latest_health().level == DiagnosticStatus.WARN
    assert "weak_evidence" in robot.latest_health().message
    values = robot.health_values()
    assert values["count accepted"] == "1"
    assert values["count weak_evidence"] == "7", "every frame that the call gathered"
    assert values["encode p50 / p95 (ms)"] == "1.5 / 1.5"
    assert values["provider"] == "CPUExecutionProvider"
    assert float(values["image age (s)"]) >= 0
    assert float(values["image rate (Hz)"]) > 0


@pytest.mark.usefixtures("active")
def test_diagnostics_forget_what_was_before_a_pause(robot):
    robot.show()
    assert robot.relocalize()["reason"] == "accepted"
    robot.wait_for(lambda: robot.latest_health().message.startswith("accepted"))
    robot.hide()
    assert robot.transition(Transition.TRANSITION_DEACTIVATE)
    robot.wait_for(lambda: robot.latest_health().message == "INACTIVE")
    assert "last outcome" not in robot.health_values()
    assert robot.transition(Transition.TRANSITION_ACTIVATE)
    robot.wait_for(lambda: robot.latest_health().message == "IDLE")


def test_diagnostics_tell_which_of_several_robots(start, robot):
    start("-r", "__ns:=/fleet/robot1")
    robot.wait_for(lambda: robot.health)
    assert robot.latest_health().name == "fleet/robot1/relocalizer: localization"
    assert robot.latest_health().hardware_id == "fleet/robot1/relocalizer"
