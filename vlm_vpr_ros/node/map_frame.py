"""A local plane on which positions become x and y."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.config import MapConfig, datum_of
from vlm_vpr_ros.geodesy import east_north_m
from vlm_vpr_ros.types import GeoPoint

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class MapFrame:
    """East and north of an origin, turned by a yaw (REP 103: x forward, y left).

    The plane is azimuthal equidistant: distances and directions from the origin are exact, and
    within 10 km of it all others are so to a centimetre. UTM, which differs by up to 0.04 % in
    scale and by its convergence in direction, it is not.

    Attributes:
        name: the frame_id.
        origin: `alt_m` is None where heights are not known: then all are 0.
        yaw_rad: from east counter-clockwise to the x axis.
    """

    name: str
    origin: GeoPoint
    yaw_rad: float = 0.0

    @classmethod
    def of(cls, config: MapConfig) -> MapFrame | None:
        """The frame of a datum; None without one."""
        if not config.datum:
            return None
        lat_deg, lon_deg, alt_m, yaw_deg = datum_of(config.datum)
        return cls(config.frame, GeoPoint(lat_deg, lon_deg, alt_m), math.radians(yaw_deg))

    def xy_m(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
        """Positions, (..., 2) metres."""
        displaced = east_north_m(self.origin.lat_deg, self.origin.lon_deg, lat_deg, lon_deg)
        return self.turned(displaced)

    def turned(self, east_north_m: Floats) -> Floats:
        """Displacements from the origin, (..., 2) metres east and north, as x and y."""
        return np.asarray(east_north_m @ self._from_east_north.T)

    def z_m(self, alt_m: float | None) -> float:
        """A height above the origin's; 0 unless both are known."""
        if alt_m is None or self.origin.alt_m is None:
            return 0.0
        return alt_m - self.origin.alt_m

    def covariance(self, east_north_m2: Floats) -> Floats:
        """(..., 2, 2) covariances of east and north, as those of x and y."""
        return np.asarray(self._from_east_north @ east_north_m2 @ self._from_east_north.T)

    @property
    def _from_east_north(self) -> Floats:
        cosine, sine = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        return np.array([[cosine, sine], [-sine, cosine]])
