"""The flat map on which a scene is drawn.

Up to a few hundred kilometres: metres east and north of the centre, true in distance and direction
from there. Larger: degrees, longitudes narrowed by the cosine of the middle latitude so that shapes
look right in the middle. Both are centred so that the antimeridian is a place like any other.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.geodesy import distance_m, east_north_m, shortest_arc

Floats = npt.NDArray[np.float64]

LOCAL_EXTENT_M = 500_000.0
_DEGREE_M = 111_195.0
_LEAST_NARROWING = 0.2


@dataclass(frozen=True)
class Plane:
    """Maps (lat, lon) to (x, y), x to the east, y to the north, equal scales.

    Attributes:
        lat0_deg: of the centre.
        lon0_deg: of the centre.
        local: whether x and y are metres; else degrees, x narrowed.
    """

    lat0_deg: float
    lon0_deg: float
    local: bool

    @property
    def narrowing(self) -> float:
        """Degrees of longitude are drawn this much shorter than those of latitude."""
        return max(float(np.cos(np.radians(self.lat0_deg))), _LEAST_NARROWING)

    @property
    def metres_per_unit(self) -> float:
        """Length of one unit of x or y at the centre."""
        return 1.0 if self.local else _DEGREE_M

    def xy(self, lat_deg: Floats, lon_deg: Floats) -> Floats:
        """(n, 2) plane coordinates of (n,) positions."""
        if self.local:
            return east_north_m(self.lat0_deg, self.lon0_deg, lat_deg, lon_deg)
        east_deg = (lon_deg - self.lon0_deg + 180.0) % 360.0 - 180.0
        return np.stack([east_deg * self.narrowing, lat_deg - self.lat0_deg], axis=-1)


def plane_around(lat_deg: Floats, lon_deg: Floats) -> Plane:
    """The plane that shows (n,) positions best."""
    lat0 = float(lat_deg.min() + lat_deg.max()) / 2
    lon0 = middle_longitude(lon_deg)
    farthest = float(np.max(distance_m(lat0, lon0, lat_deg, lon_deg)))
    return Plane(lat0, lon0, local=2 * farthest <= LOCAL_EXTENT_M)


def middle_longitude(lon_deg: Floats) -> float:
    """Middle of the shortest arc that holds all longitudes, within ±180."""
    west, east = shortest_arc(lon_deg)
    return (west + (east - west) % 360.0 / 2 + 180.0) % 360.0 - 180.0
