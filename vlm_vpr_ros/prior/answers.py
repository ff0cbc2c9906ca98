"""What a vision-language model says of where an image was taken, in its own words."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OpenAnswer:
    """One sampled answer; what the model left out is empty or None.

    Attributes:
        country: name, in whatever language.
        region: name of the state, province or county.
        city: name of the city, town or village.
        lat_deg: in [-90, 90].
        lon_deg: in [-180, 180].
        clues: what it saw that led it there, for people.
    """

    country: str = ""
    region: str = ""
    city: str = ""
    lat_deg: float | None = None
    lon_deg: float | None = None
    clues: tuple[str, ...] = ()
