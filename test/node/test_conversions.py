import json
import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from rclpy.serialization import serialize_message
from sensor_msgs.msg import CompressedImage, Image, NavSatFix

from vlm_vpr_ros.errors import ImageError, UnsupportedEncodingError
from vlm_vpr_ros.node import conversions
from vlm_vpr_ros.node.geojson import hypotheses
from vlm_vpr_ros.outcome_json import outcome_record
from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior
from vlm_vpr_ros.ros_images import decode_message
from vlm_vpr_ros.types import (
    Fix,
    GeoPoint,
    Hypothesis,
    Outcome,
    PriorReport,
    PriorStatus,
    Reason,
)

COVARIANCE = np.array([[9.0, 1.0, 0.0], [1.0, 16.0, 0.0], [0.0, 0.0, 100.0]])
HERE = GeoPoint(48.1, 11.5)


def accepted(position=HERE, calibrated=False):
    return Outcome(
        stamp_ns=1_700_000_000_000_000_007,
        reason=Reason.ACCEPTED,
        detail="fine",
        fix=Fix(position, COVARIANCE, calibrated),
        hypotheses=(
            Hypothesis(position, 0.7, 120, 0.9, 3.5**2 * np.eye(2), ()),
            Hypothesis(GeoPoint(48.2, 11.6, 512.0), 0.6, None, 0.06, 16.0 * np.eye(2), ()),
        ),
        probability=0.9,
        probability_none=0.04,
        latency_ms={"encode": 3.25},
    )


def refused():
    return Outcome(5, Reason.AMBIGUOUS, "two places")


def strict(text):
    def no_constant(name):
        raise AssertionError(f"{name} is not JSON")

    return json.loads(text, parse_constant=no_constant)


def test_fix_without_a_height_is_nan_and_approximated():
    message = conversions.nav_sat_fix(accepted(), "rear_axle")
    assert math.isnan(message.altitude)
    assert message.position_covariance_type == NavSatFix.COVARIANCE_TYPE_APPROXIMATED
    assert message.header.frame_id == "rear_axle"
    assert (message.header.stamp.sec, message.header.stamp.nanosec) == (1_700_000_000, 7)


def test_a_refusal_is_no_position():
    message = conversions.nav_sat_fix(refused(), "base_link")
    assert message.status.status == -1
    assert all(math.isnan(v) for v in (message.latitude, message.longitude, message.altitude))
    assert message.position_covariance_type == NavSatFix.COVARIANCE_TYPE_UNKNOWN


def test_answers_have_the_same_keys_whatever_the_outcome():
    yes, no = (strict(conversions.answer(o, 12.0)) for o in (accepted(), refused()))
    assert yes.keys() == no.keys()
    assert yes["latency_ms"] == {"encode": 3.25, "service": 12.0}
    assert yes["alt_m"] is None
    assert no["outcome"] == "refused"
    assert no["covariance_enu_m2"] is None
    assert yes["covariance_enu_m2"] == COVARIANCE.tolist()


def test_answers_name_what_the_command_line_prints():
    record, answer = outcome_record(accepted()), strict(conversions.answer(accepted(), 12.0))
    assert answer.keys() - record.keys() == {"outcome", "hypothesis_count"}
    assert answer["hypothesis_count"] == len(record["hypotheses"]) == 2
    assert record.keys() - answer.keys() == {
        "accepted",
        "calibrated",
        "hypotheses",
        "probability_none",
    }
    shared = (record.keys() & answer.keys()) - {"latency_ms"}
    assert {key: answer[key] for key in shared} == {key: record[key] for key in shared}


def test_hypotheses_are_geojson():
    collection = strict(hypotheses(accepted()))
    assert collection["type"] == "FeatureCollection"
    assert collection["probability_none"] == 0.04
    assert collection["fix"]["sigma_m"] == pytest.approx(math.sqrt(12.5), abs=0.01)
    assert collection["fix"]["calibrated"] is False
    first, second = collection["features"]
    assert first["geometry"] == {"type": "Point", "coordinates": [11.5, 48.1]}
    assert second["geometry"]["coordinates"] == [11.6, 48.2, 512.0]
    assert second["properties"] == {
        "kind": "hypothesis",
        "rank": 2,
        "probability": 0.06,
        "similarity": 0.6,
        "inliers": None,
        "sigma_m": 4.0,
    }
    assert first["properties"]["inliers"] == 120
    none = strict(hypotheses(refused()))
    assert (none["features"], none["fix"], none["accepted"]) == ([], None, False)


def test_the_prior_is_in_the_answer_and_on_the_map():
    parts = (Component(48.1, 11.5, 5000.0, 0.6, "Munich"), Component(-33.9, 151.2, 9e5, 0.3))
    report = PriorReport(PriorStatus.USED, GeoPrior(parts, 0.1, "vlm"), "vlm: Munich")
    outcome = replace(accepted(), prior=report, frames=3)
    answer = strict(conversions.answer(outcome, 1.0))
    assert answer["frames"] == 3
    told = {key: answer["prior"][key] for key in ("status", "source", "detail")}
    assert told == {"status": "used", "source": "vlm", "detail": "vlm: Munich"}
    assert answer["prior"]["places"] == [
        {"label": "Munich", "lat": 48.1, "lon": 11.5, "sigma_m": 5000.0, "weight": 0.6},
        {"label": "", "lat": -33.9, "lon": 151.2, "sigma_m": 9e5, "weight": 0.3},
    ]
    collection = strict(hypotheses(outcome))
    assert (collection["frames"], collection["prior"]) == (3, answer["prior"])
    kinds = [feature["properties"]["kind"] for feature in collection["features"]]
    assert kinds == ["hypothesis", "hypothesis", "prior", "prior"]
    munich = collection["features"][2]
    assert munich["geometry"] == {"type": "Point", "coordinates": [11.5, 48.1]}
    assert munich["properties"]["label"] == "Munich"
    assert munich["properties"]["sigma_m"] == 5000.0
    waiting = Outcome(5, Reason.AMBIGUOUS, "", prior=PriorReport(PriorStatus.WAITING, None, "soon"))
    told = strict(conversions.answer(waiting, 1.0))["prior"]
    assert told == {"status": "waiting", "source": None, "detail": "soon", "places": []}


def test_a_picture_as_a_message():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), np.uint8)
    message = conversions.image(pixels, 3_000_000_004, "base_link")
    frame = conversions.frame(serialize_message(message), Image, "picture")
    np.testing.assert_array_equal(frame.image, pixels)
    assert frame.stamp_ns == 3_000_000_004


def test_numbers_that_json_lacks_become_null():
    odd = Outcome(
        1,
        Reason.AMBIGUOUS,
        "",
        hypotheses=(Hypothesis(HERE, math.nan, None, 0.1, np.diag([np.inf, np.inf]), ()),),
    )
    properties = strict(hypotheses(odd))["features"][0]["properties"]
    assert properties["similarity"] is None
    assert properties["sigma_m"] is None


@pytest.mark.parametrize("data", [b"", b"\x00", b"\x00\x01\x00\x00", b"\xff" * 40])
@pytest.mark.parametrize("kind", [CompressedImage, Image])
def test_bytes_that_are_no_message(data, kind):
    with pytest.raises(ImageError):
        conversions.frame(data, kind, "/image")


def test_a_raw_image_keeps_its_stamp():
    message = Image(height=1, width=2, step=6, encoding="bgr8", data=bytes([0, 0, 9, 0, 0, 8]))
    message.header.stamp.sec, message.header.stamp.nanosec = 3, 4
    frame = conversions.frame(serialize_message(message), Image, "/image")
    assert frame.stamp_ns == 3_000_000_004
    assert frame.source == "/image"
    assert frame.image.tolist() == [[[9, 0, 0], [8, 0, 0]]]


def test_video_is_not_an_image():
    message = CompressedImage(format="h264", data=b"\x00\x00\x00\x01")
    message.header.stamp.sec = 3
    with pytest.raises(UnsupportedEncodingError, match="h264") as refusal:
        conversions.frame(serialize_message(message), CompressedImage, "/image")
    assert refusal.value.stamp_ns == 3_000_000_000


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8", "mono8"])
@pytest.mark.parametrize("padding", [0, 3])
def test_cv_bridge_and_our_reader_see_the_same(encoding, padding):
    channels = {"mono8": 1, "rgba8": 4, "bgra8": 4}.get(encoding, 3)
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8 * channels + padding), np.uint8)
    message = Image(height=6, width=8, encoding=encoding, step=pixels.shape[1])
    message.data = pixels.tobytes()
    seen = conversions.frame(serialize_message(message), Image, "image").image
    assert seen.shape == (6, 8, 3) and seen.dtype == np.uint8 and seen.flags.c_contiguous
    np.testing.assert_array_equal(seen, decode_message(message, "image"))
