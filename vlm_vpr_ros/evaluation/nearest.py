"""Which reference lies nearest to a point, among millions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.types import GeoPoint

_EQUATOR_M = 6378137.0
_ECCENTRICITY2 = 0.00669437999014


class NearestReference:
    """Looks for the nearest reference by straight lines through the Earth, a subtraction each.

    On the ellipsoid's surface the shortest chord belongs to the shortest geodesic at any distance
    that matters here; the distance reported is the geodesic one.
    """

    def __init__(self, references: References) -> None:
        self._references = references
        self._xyz = _cartesian(references.lat_deg, references.lon_deg)

    def distance_m(self, point: GeoPoint) -> float:
        """Geodesic distance from a point to the nearest reference."""
        offsets = self._xyz - _cartesian(np.array([point.lat_deg]), np.array([point.lon_deg]))
        row = int(np.argmin(np.einsum("ij,ij->i", offsets, offsets)))
        lat_deg, lon_deg = self._references.lat_deg[row], self._references.lon_deg[row]
        return float(distance_m(point.lat_deg, point.lon_deg, lat_deg, lon_deg))


def _cartesian(
    lat_deg: npt.NDArray[np.float64], lon_deg: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """(n, 3) earth-centred metres of points on the ellipsoid."""
    lat, lon = np.radians(lat_deg), np.radians(lon_deg)
    normal = _EQUATOR_M / np.sqrt(1 - _ECCENTRICITY2 * np.sin(lat) ** 2)
    return np.stack(
        [
            normal * np.cos(lat) * np.cos(lon),
            normal * np.cos(lat) * np.sin(lon),
            normal * (1 - _ECCENTRICITY2) * np.sin(lat),
        ],
        axis=-1,
    )
