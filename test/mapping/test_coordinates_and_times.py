from __future__ import annotations

import math
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.mapping.coordinates import (
    NOT_NUMBERS,
    NOT_ON_EARTH,
    NULL_ISLAND,
    OUT_OF_RANGE,
    SWAPPED,
    UNKNOWN_PLACE,
    accuracy_problem,
    position_problem,
)
from vlm_vpr_ros.mapping.times import parse_time


@pytest.mark.parametrize(
    ("lat", "lon", "problem"),
    [
        (-27.4, 153.0, None),
        (90.0, 0.0, None),
        (0.0, 180.0, None),
        (0.0, -180.0, None),
        (0.0, 10.0, None),
        (153.0, -27.4, SWAPPED),
        (153.0, 100.0, OUT_OF_RANGE),
        (-27.4, 180.1, OUT_OF_RANGE),
        (1e6, 1.0, OUT_OF_RANGE),
        (0.0, 0.0, NULL_ISLAND),
        (math.nan, 0.0, NOT_NUMBERS),
        (0.0, math.inf, NOT_NUMBERS),
    ],
)
def test_positions(lat: float, lon: float, problem: str | None) -> None:
    assert position_problem(lat, lon) == problem


@pytest.mark.parametrize(
    ("alt_m", "sigma_m", "problem"),
    [
        (None, None, None),
        (-430.0, 3.0, None),
        (8849.0, 10_000.0, None),
        (1e9, 3.0, NOT_ON_EARTH),
        (-20_000.0, None, NOT_ON_EARTH),
        (math.nan, None, NOT_ON_EARTH),
        (10.0, 1e9, UNKNOWN_PLACE),
        (None, math.nan, UNKNOWN_PLACE),
    ],
)
def test_heights_and_sigmas(
    alt_m: float | None, sigma_m: float | None, problem: str | None
) -> None:
    assert accuracy_problem(alt_m, sigma_m) == problem


MOMENT = 1717924821 * 10**9  # 2024-06-09 09:20:21 UTC


@pytest.mark.parametrize(
    ("text", "unit", "expected_ns", "zone_known"),
    [
        ("2024-06-09 11:20:21+02:00", None, MOMENT, True),
        ("2024-06-09T09:20:21Z", None, MOMENT, True),
        ("2024-06-09T09:20:21.045000z", None, MOMENT + 45 * 10**6, True),
        ("2024-06-09 04:20:21-0500", None, MOMENT, True),
        ("2024-06-09 11:20:21 +02", None, MOMENT, True),
        ("2024:06:09 09:20:21", None, MOMENT, False),
        ("2024-06-09 09:20:21.123456789", None, MOMENT + 123456789, False),
        ("2024-06-09 09:20", None, MOMENT - 21 * 10**9, False),
        ("1717924821", None, MOMENT, True),
        ("1717924821.000000007", None, MOMENT + 7, True),
        ("1717924821000", None, MOMENT, True),
        ("1717924821000000", None, MOMENT, True),
        ("1717924821000000000", None, MOMENT, True),
        ("12", "ns", 12, True),
        ("1.5", None, 15 * 10**8, True),
        ("1.717924821e9", None, MOMENT, True),
    ],
)
def test_times(text: str, unit: str | None, expected_ns: int, zone_known: bool) -> None:
    assert parse_time(text, unit) == (expected_ns, zone_known)


@pytest.mark.parametrize(
    "text",
    ["", "nan", "Infinity", "1e99", "noon", "0000:00:00 00:00:00", "2024-13-01 00:00:00",
     "99999999999999999999", "2024-06-09 25:00:00", "9999:12:31 23:59:59", "2300-01-01 00:00:00Z",
     "0001-01-01 00:00:00", "2262-04-11 23:47:17Z", "1677-09-21 00:12:42Z", "9223372036854775808"],
)  # fmt: skip
def test_no_times(text: str) -> None:
    assert parse_time(text) is None


@given(st.text(max_size=60))
def test_arbitrary_text_never_raises(text: str) -> None:
    parse_time(text)


@given(st.datetimes(), st.integers(0, 10**9 - 1))
def test_a_time_fits_into_the_64_bits_of_a_region(moment: datetime, nanosecond: int) -> None:
    text = f"{moment.replace(microsecond=0).isoformat()}.{nanosecond:09}Z"
    stamp_ns = (moment - datetime(1970, 1, 1)) // timedelta(seconds=1) * 10**9 + nanosecond
    assert parse_time(text) == ((stamp_ns, True) if abs(stamp_ns) < 2**63 else None)


@given(st.datetimes(datetime(1970, 1, 2), datetime(2200, 1, 1)))
def test_iso_round_trip(moment: datetime) -> None:
    utc = moment.replace(tzinfo=timezone.utc)
    time = parse_time(utc.isoformat())
    assert time is not None
    assert time.zone_known
    assert abs(time.stamp_ns / 1e9 - utc.timestamp()) < 1e-5
