"""Times as tables and EXIF write them become nanoseconds since 1970 (UTC)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from typing import NamedTuple

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
_NUMBER = re.compile(r"[+-]?\d{1,20}(\.\d{0,20})?([eE][+-]?\d{1,2})?", re.ASCII)
_CALENDAR = re.compile(
    r"(\d{4})[-:/](\d{1,2})[-:/](\d{1,2})[T ]+(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,20}))?)?"
    r"\s*(Z|UTC|(?:[+-]\d{2}(?::?\d{2})?))?",
    re.ASCII | re.IGNORECASE,
)
NS_PER = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


class Time(NamedTuple):
    """A moment, and whether its text said in which zone (if not, UTC was assumed)."""

    stamp_ns: int
    zone_known: bool

    @staticmethod
    def of(stamp_ns: int, zone_known: bool) -> Time | None:
        """The moment; None beyond the years 1677 to 2262, whose nanoseconds 64 bits do not hold."""
        return Time(stamp_ns, zone_known) if abs(stamp_ns) < 2**63 else None


def parse_time(text: str, unit: str | None = None) -> Time | None:
    """Read an epoch number or a calendar time ("2024-06-09 11:20:21.5+02:00", EXIF's colons too).

    Args:
        text: what the cell holds.
        unit: of a number: "s", "ms", "us" or "ns"; None guesses it from the magnitude, which is
            unambiguous for the years 1973 to 5000.

    Returns:
        None when the text is not a time, or one that 64 bits do not hold.
    """
    text = text.strip()
    if _NUMBER.fullmatch(text):
        return _from_number(Decimal(text), unit)
    match = _CALENDAR.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    try:
        moment = datetime(
            int(year), int(month), int(day), int(hour), int(minute), int(second or 0),
            tzinfo=timezone.utc,
        )  # fmt: skip
    except ValueError:
        return None
    seconds = (moment - _EPOCH) // timedelta(seconds=1) - _offset_s(zone)
    nanoseconds = int((fraction or "")[:9].ljust(9, "0"))
    return Time.of(seconds * 10**9 + nanoseconds, zone is not None)


def _from_number(number: Decimal, unit: str | None) -> Time | None:
    if unit is None:
        limits = (("s", 10**11), ("ms", 10**14), ("us", 10**17))
        unit = next((name for name, limit in limits if abs(number) < limit), "ns")
    return Time.of(int(number * NS_PER[unit]), True)


def _offset_s(zone: str | None) -> int:
    if zone is None or zone.upper() in {"Z", "UTC"}:
        return 0
    digits = zone[1:].replace(":", "")
    return int(zone[0] + "1") * (int(digits[:2]) * 3600 + int(digits[2:] or 0) * 60)
