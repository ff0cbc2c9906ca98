"""Displacements on the ellipsoid."""

from __future__ import annotations

import numpy as np
import pytest
from support.properties import given, st

from vlm_vpr_ros.geodesy import displaced, distance_m, east_north_m

latitudes = st.floats(-90, 90)
longitudes = st.floats(-180, 180)
metres = st.floats(-5e4, 5e4)


@given(latitudes, longitudes, metres, metres)
def test_there_and_back(lat: float, lon: float, east: float, north: float) -> None:
    lat2, lon2 = displaced(lat, lon, east, north)
    assert abs(lat2) <= 90 and abs(lon2) <= 180
    assert distance_m(lat, lon, lat2, lon2) == pytest.approx(np.hypot(east, north), abs=1e-5)
    if abs(lat) < 89.9999:  # at a pole every direction is south
        np.testing.assert_allclose(east_north_m(lat, lon, lat2, lon2), [east, north], atol=1e-4)


@given(latitudes, longitudes, latitudes, longitudes)
def test_distance_is_symmetric_and_zero_at_home(
    lat1: float, lon1: float, lat2: float, lon2: float
) -> None:
    there, back = distance_m(lat1, lon1, lat2, lon2), distance_m(lat2, lon2, lat1, lon1)
    assert there == pytest.approx(float(back), abs=1e-5)
    assert distance_m(lat1, lon1, lat1, lon1) == pytest.approx(0, abs=1e-6)
    assert np.linalg.norm(east_north_m(lat1, lon1, lat2, lon2)) == pytest.approx(float(there))


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (0,), (2, 3)])
@pytest.mark.filterwarnings("error")
def test_shapes_are_kept(shape: tuple[int, ...]) -> None:
    assert distance_m(0, 0, np.zeros(shape), np.ones(shape)).shape == shape
    assert east_north_m(0, 0, np.zeros(shape), np.ones(shape)).shape == (*shape, 2)
    assert distance_m(0, 0, np.zeros(shape), 1) == pytest.approx(111_319.49, abs=0.01)


def test_known_distances() -> None:
    assert distance_m(0, 0, 0, 1) == pytest.approx(111_319.49, abs=0.01)
    assert distance_m(0, 0, 1, 0) == pytest.approx(110_574.39, abs=0.01)
    assert distance_m(10, 179.9999, 10, -179.9999) == pytest.approx(21.93, abs=0.01)
    east, north = east_north_m(10, 179.9999, 10, -179.9999)
    assert east == pytest.approx(21.93, abs=0.01) and abs(north) < 0.01


def test_arrays_broadcast() -> None:
    lat, lon = np.zeros((4, 1)), np.arange(3.0)
    assert distance_m(lat, lon[:, None].T, 0.0, lon).shape == (4, 3)
    assert east_north_m(0.0, 0.0, [0.0, 1.0], [1.0, 0.0]).shape == (2, 2)
    assert distance_m([], [], [], []).shape == (0,)
    assert east_north_m(0.0, 0.0, [], []).shape == (0, 2)
