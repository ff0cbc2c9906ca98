"""What a vision-language model says of where an image was taken, in its own words."""

from __future__ import annotations

import json
from dataclasses import dataclass

_KEYS = {"clues", "country", "region", "city", "latitude", "longitude"}
_LONGEST_ANSWER = 4096
_LONGEST_TEXT = 60
_MOST_CLUES = 5


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


class AnswerError(ValueError):
    """A model's answer is not what it was asked for."""


def parse_open_answer(text: str) -> OpenAnswer:
    """Read the JSON object that the model was asked for. The text is not trusted.

    Args:
        text: as the model wrote it.

    Raises:
        AnswerError: it is anything else: other keys, types, ranges, lengths or characters.
    """
    if not isinstance(text, str) or len(text) > _LONGEST_ANSWER:
        raise AnswerError("the answer is too long")
    try:
        found = json.loads(text, object_pairs_hook=_without_repetition)
    except (ValueError, RecursionError):
        raise AnswerError("the answer is no JSON") from None
    if not isinstance(found, dict) or set(found) != _KEYS:
        raise AnswerError("the answer has other keys")
    clues = found["clues"]
    if not isinstance(clues, list) or len(clues) > _MOST_CLUES:
        raise AnswerError("the clues are no short list")
    return OpenAnswer(
        country=_name(found["country"]),
        region=_name(found["region"]),
        city=_name(found["city"]),
        lat_deg=_degrees(found["latitude"], 90.0),
        lon_deg=_degrees(found["longitude"], 180.0),
        clues=tuple(_name(clue) for clue in clues),
    )


def _without_repetition(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise AnswerError("the answer repeats a key")
    return found


def _name(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_TEXT or not value.isprintable():
        raise AnswerError("a text of the answer is too long or not printable")
    return value.strip()


def _degrees(value: object, limit: float) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) <= limit:
        raise AnswerError(f"a coordinate of the answer is no number up to {limit:g}")
    return float(value)
