import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from sensor_msgs.msg import NavSatFix

from vlm_vpr_ros.errors import MessageError
from vlm_vpr_ros.node.prior_fix import FLOOR, prior_of_fix


def fix(lat=48.0, lon=11.0, covariance=(100.0, 0, 0, 0, 400.0, 0, 0, 0, 1e9), kind=2, status=0):
    message = NavSatFix(latitude=lat, longitude=lon, altitude=math.nan)
    message.position_covariance = [float(value) for value in covariance]
    message.position_covariance_type = kind
    message.status.status = status
    return message


def test_a_fix_is_as_wide_as_its_longer_axis():
    prior = prior_of_fix(fix())
    (part,) = prior.components
    assert (part.lat_deg, part.lon_deg, part.sigma_m) == (48.0, 11.0, pytest.approx(20.0))
    assert prior.floor == FLOOR
    assert prior.source == "topic"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"status": -1}, "no fix"),
        ({"status": -2}, "no fix"),
        ({"lat": math.nan}, "no position"),
        ({"lat": 91.0}, "no position"),
        ({"lon": 181.0}, "no position"),
        ({"kind": 0}, "covariance is unknown"),
        ({"covariance": [0.0] * 9}, "covariance is zero"),
        ({"covariance": [-1.0, 0, 0, 0, 1, 0, 0, 0, 1]}, "covariance is zero"),
        ({"covariance": [math.nan] * 9}, "covariance is zero"),
        ({"covariance": [math.inf, 0, 0, 0, 1, 0, 0, 0, 1]}, "covariance is zero"),
    ],
)
def test_what_says_nothing_of_a_place_is_refused(wrong, said):
    with pytest.raises(MessageError, match=said):
        prior_of_fix(fix(**wrong))


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), min_size=9, max_size=9))
def test_any_covariance_becomes_a_prior_or_a_refusal(covariance):
    try:
        prior = prior_of_fix(fix(covariance=covariance))
    except MessageError:
        return
    assert np.isfinite(prior.log_density(48.0, 11.0))
