"""A fix as a pose on a map: what AMCL, Nav2 and robot_localization's `set_pose` read."""

from __future__ import annotations

import math

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped

from vlm_vpr_ros.node.conversions import header
from vlm_vpr_ros.node.map_frame import MapFrame
from vlm_vpr_ros.types import Fix

_YAW_VARIANCE = math.pi**2
"""No heading is claimed."""
_TILT_VARIANCE = 0.1**2
"""Of roll and pitch: a ground robot stands upright to a few degrees."""


def pose(fix: Fix, stamp_ns: int, frame: MapFrame) -> PoseWithCovarianceStamped:
    """The fix in a map's frame: the identity as orientation, with a yaw variance of π²."""
    message = PoseWithCovarianceStamped(header=header(stamp_ns, frame.name))
    place = fix.position
    x_m, y_m = frame.xy_m(place.lat_deg, place.lon_deg)
    message.pose.pose.position.x = float(x_m)
    message.pose.pose.position.y = float(y_m)
    message.pose.pose.position.z = frame.z_m(place.alt_m)
    covariance = np.zeros((6, 6))  # x, y, z, roll, pitch, yaw
    covariance[:2, :2] = frame.covariance(fix.covariance_enu_m2[:2, :2])
    covariance[2, 2] = fix.covariance_enu_m2[2, 2]
    covariance[3, 3] = covariance[4, 4] = _TILT_VARIANCE
    covariance[5, 5] = _YAW_VARIANCE
    message.pose.covariance = covariance.ravel()
    return message
