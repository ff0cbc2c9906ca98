"""Distances and small displacements on the WGS 84 ellipsoid.

Displacements are the azimuthal equidistant (east, north) of a point seen from an origin: exact in
distance and direction from the origin, at the poles and across the antimeridian too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from pyproj import Geod

Floats = npt.NDArray[np.float64]

WGS84 = Geod(ellps="WGS84")


def distance_m(
    lat1_deg: npt.ArrayLike,
    lon1_deg: npt.ArrayLike,
    lat2_deg: npt.ArrayLike,
    lon2_deg: npt.ArrayLike,
) -> Floats:
    """Geodesic distance in metres; arguments broadcast against each other."""
    return _inverse(lat1_deg, lon1_deg, lat2_deg, lon2_deg)[1]


def east_north_m(
    lat0_deg: float, lon0_deg: float, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike
) -> Floats:
    """Displacement of points from an origin: (..., 2) metres east and north."""
    azimuth_deg, distance = _inverse(lat0_deg, lon0_deg, lat_deg, lon_deg)
    azimuth = np.radians(azimuth_deg)
    return np.stack([distance * np.sin(azimuth), distance * np.cos(azimuth)], axis=-1)


def earth_centred_m(lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
    """Earth-centred, earth-fixed coordinates of points on the ellipsoid, (..., 3) metres.

    The straight line between two of them is shorter than the geodesic by about a millimetre at
    10 km, and costs a fraction of it: what comparisons with a radius need.
    """
    lat, lon = np.radians(np.asarray(lat_deg)), np.radians(np.asarray(lon_deg))
    normal_m = WGS84.a / np.sqrt(1 - WGS84.es * np.sin(lat) ** 2)
    return np.stack(
        [
            normal_m * np.cos(lat) * np.cos(lon),
            normal_m * np.cos(lat) * np.sin(lon),
            normal_m * (1 - WGS84.es) * np.sin(lat),
        ],
        axis=-1,
    )


def unit_vectors(lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
    """Points of the unit sphere, (..., 3)."""
    lat, lon = np.radians(np.asarray(lat_deg)), np.radians(np.asarray(lon_deg))
    x, y, z = np.broadcast_arrays(np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat))
    return np.stack([x, y, z], axis=-1)


def lat_lon(vector: Floats) -> tuple[float, float]:
    """Latitude and longitude, in degrees, in which a (3,) vector points."""
    x, y, z = (float(v) for v in vector)
    return float(np.degrees(np.arctan2(z, np.hypot(x, y)))), float(np.degrees(np.arctan2(y, x)))


def tangent_east_north_m(lat0_deg: float, lon0_deg: float, offsets_m: Floats) -> Floats:
    """Earth-centred differences from an origin, (..., 3) metres, as (..., 2) metres east and north.

    In the plane that touches the ellipsoid there: off by less than a millimetre within 1 km.
    """
    lat, lon = np.radians(lat0_deg), np.radians(lon0_deg)
    east = (-np.sin(lon), np.cos(lon), 0.0)
    north = (-np.sin(lat) * np.cos(lon), -np.sin(lat) * np.sin(lon), np.cos(lat))
    return np.asarray(offsets_m @ np.array([east, north]).T)


def shortest_arc(lon_deg: Floats) -> tuple[float, float]:
    """West and east end, among them, of the shortest arc that holds (n,) longitudes.

    It leaves out the widest empty gap around the globe. West is the larger of the two where the arc
    crosses the antimeridian.
    """
    lon = np.unique(lon_deg)
    gaps = np.diff(np.append(lon, lon[0] + 360.0))
    widest = int(np.argmax(gaps))
    return float(lon[(widest + 1) % len(lon)]), float(lon[widest])


def displaced(
    lat0_deg: float, lon0_deg: float, east_m: float, north_m: float
) -> tuple[float, float]:
    """The point (lat_deg, lon_deg) that lies east_m, north_m from an origin."""
    azimuth_deg = float(np.degrees(np.arctan2(east_m, north_m)))
    lon, lat, _ = WGS84.fwd(lon0_deg, lat0_deg, azimuth_deg, float(np.hypot(east_m, north_m)))
    return float(lat), float(lon)


def _inverse(
    lat1_deg: npt.ArrayLike,
    lon1_deg: npt.ArrayLike,
    lat2_deg: npt.ArrayLike,
    lon2_deg: npt.ArrayLike,
) -> tuple[Floats, Floats]:
    lat1, lon1, lat2, lon2 = np.broadcast_arrays(
        *(np.asarray(a, np.float64) for a in (lat1_deg, lon1_deg, lat2_deg, lon2_deg))
    )
    ends: list[Any] = [lon1, lat1, lon2, lat2]
    # pyproj takes an array of one number for a scalar, in a way that NumPy will not allow for long.
    ends = [a.item() if a.size == 1 else a.ravel() for a in ends]
    azimuth, _, distance = WGS84.inv(ends[0], ends[1], ends[2], ends[3])
    return (
        np.asarray(azimuth, np.float64).reshape(lat1.shape),
        np.asarray(distance, np.float64).reshape(lat1.shape),
    )
