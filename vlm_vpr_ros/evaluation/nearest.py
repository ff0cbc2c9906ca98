"""Which reference lies nearest to a point, among millions."""

from __future__ import annotations

import numpy as np

from vlm_vpr_ros.geodesy import distance_m, earth_centred_m
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.types import GeoPoint


class NearestReference:
    """Looks for the nearest reference by straight lines through the Earth, a subtraction each.

    On the ellipsoid's surface the shortest chord belongs to the shortest geodesic at any distance
    that matters here; the distance reported is the geodesic one.
    """

    def __init__(self, references: References) -> None:
        self._references = references
        self._points_m = earth_centred_m(references.lat_deg, references.lon_deg)

    def distance_m(self, point: GeoPoint) -> float:
        """Geodesic distance from a point to the nearest reference."""
        offsets_m = self._points_m - earth_centred_m(point.lat_deg, point.lon_deg)
        row = int(np.argmin(np.einsum("ij,ij->i", offsets_m, offsets_m)))
        lat_deg, lon_deg = self._references.lat_deg[row], self._references.lon_deg[row]
        return float(distance_m(point.lat_deg, point.lon_deg, lat_deg, lon_deg))
