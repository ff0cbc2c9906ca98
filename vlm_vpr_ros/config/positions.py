"""Positions written as text, as parameters hold them."""

from __future__ import annotations

import math


def lat_lon_deg(text: str) -> tuple[float, float]:
    """The position that a text such as "48.137, 11.575" names.

    Raises:
        ValueError: it names none.
    """
    try:
        lat_deg, lon_deg = (float(number) for number in text.split(","))
        if abs(lat_deg) <= 90 and abs(lon_deg) <= 180:
            return lat_deg, lon_deg
    except ValueError:
        pass
    raise ValueError("must be `latitude, longitude` in degrees, such as `48.137, 11.575`")


def datum_of(text: str) -> tuple[float, float, float | None, float]:
    """Latitude, longitude, height (None if not given) and yaw of `map.datum`.

    Raises:
        ValueError: the text is no datum.
    """
    place, rest = text.split(",")[:2], text.split(",")[2:]
    try:
        lat_deg, lon_deg = lat_lon_deg(",".join(place))
        alt_m, yaw_deg = map(float, rest) if rest else (None, 0.0)
        if math.isfinite((alt_m or 0.0) + yaw_deg):
            return lat_deg, lon_deg, alt_m, yaw_deg
    except ValueError:
        pass
    raise ValueError(
        "must be `latitude, longitude` or `latitude, longitude, height, yaw`, such as "
        "`48.137, 11.575` or `48.137, 11.575, 560.0, 90.0`"
    )
