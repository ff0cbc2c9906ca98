"""From sampled answers in a model's own words to a prior."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.prior.answers import OpenAnswer
from vlm_vpr_ros.prior.extent import Disc
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior
from vlm_vpr_ros.prior.readings import readings_of

Floats = npt.NDArray[np.float64]

ERROR_SCALES = ((0.0, 0.34), (100e3, 0.23), (300e3, 0.43))
"""Standard deviation of one axis that a model's answer is off by, beside the size of the place it
names, and how often. Larger errors are told by the floor: to follow an answer that is off by a
thousand kilometres gains less than it costs when all answers are wrong. The shares are fitted on
what is published for such models, half on photos (46, 60, 74, 86 % within 25, 200, 750, 2500 km)
and half on street views (10, 32, 65, 87 %): `python -m benchmarks.prior --fit`."""
FLOOR = 0.25
_COORDINATES = 0.4
"""Share of the coordinates in an answer that has names as well."""
_COORDINATES_SIGMA_M = 25e3
_AGREE_M = 50e3
"""Coordinates farther than this from twice a place's radius contradict its name."""
_CONTRADICTED = 0.2
"""Weight that a reading of the names keeps if the coordinates speak for another reading; and what
an answer loses to the floor if they contradict them all."""
_NEAR_M = 200e3
"""Answers within this distance of each other mean one place and say how precisely."""
_MOST_PLACES = 12
_MOST_WIDE = 4
"""Places, the most probable ones, around which wider errors are told as well: more would take time
and change little."""


@dataclass(frozen=True)
class _Part:
    """A part of what one answer says: a place, not yet widened."""

    label: str
    disc: Disc
    weight: float


def prior_of_open(answers: Sequence[OpenAnswer], gazetteer: Gazetteer) -> GeoPrior:
    """The prior that sampled answers give: each counts the same; where they differ, it is wide.

    Args:
        answers: of one image; empty, or without anything known in them: the prior is uniform.
        gazetteer: resolves their names.
    """
    said = [_parts(answer, gazetteer) for answer in answers]
    merged = _merged(part for parts in said for part in parts)[:_MOST_PLACES]
    total = sum(part.weight for part in merged)
    if total == 0:
        return GeoPrior((), 1.0, "vlm")
    lat, lon, weights = _points(said)
    places = [
        Component(
            lat_deg=part.disc.lat_deg,
            lon_deg=part.disc.lon_deg,
            sigma_m=float(np.hypot(part.disc.sigma_m, _spread_m(part.disc, lat, lon, weights))),
            weight=part.weight / total,
            label=part.label,
        )
        for part in merged
    ]
    known = (1 - FLOOR) * total / len(answers)
    components = [replace(c, weight=known * c.weight) for c in _with_errors(places)]
    return GeoPrior(tuple(components), 1 - sum(c.weight for c in components), "vlm")


def _parts(answer: OpenAnswer, gazetteer: Gazetteer) -> list[_Part]:
    """What one answer says; the weights sum to at most one, the rest is anywhere."""
    readings = readings_of(gazetteer, answer.country, answer.region, answer.city)
    named = [
        _Part(reading.label, disc, reading.weight * disc.share)
        for reading in readings
        for disc in reading.discs
    ]
    point = _coordinates(answer)
    if point is None:
        return named
    if not named:
        return [point]
    agree = [_agrees(part.disc, point.disc) for part in named]
    if not any(agree):
        kept = 1 - _CONTRADICTED
    else:
        before = sum(part.weight for part in named)
        named = [
            part if ok else replace(part, weight=_CONTRADICTED * part.weight)
            for part, ok in zip(named, agree, strict=True)
        ]
        kept = before / sum(part.weight for part in named)
        named = [replace(part, weight=kept * part.weight) for part in named]
        kept = 1.0
    return [
        *(replace(part, weight=kept * (1 - _COORDINATES) * part.weight) for part in named),
        replace(point, weight=kept * _COORDINATES),
    ]


def _coordinates(answer: OpenAnswer) -> _Part | None:
    lat, lon = answer.lat_deg, answer.lon_deg
    if lat is None or lon is None or lat == lon == 0:  # a model that does not know writes zeros
        return None
    label = f"{abs(lat):.2f}° {'NS'[lat < 0]}, {abs(lon):.2f}° {'EW'[lon < 0]}"
    return _Part(label, Disc(lat, lon, 2 * _COORDINATES_SIGMA_M), 1.0)


def _agrees(place: Disc, point: Disc) -> bool:
    away_m = float(distance_m(place.lat_deg, place.lon_deg, point.lat_deg, point.lon_deg))
    return away_m <= 2 * place.radius_m + _AGREE_M


def _merged(parts: Iterable[_Part]) -> list[_Part]:
    """Each place once, with the weight that all answers give it, heaviest first."""
    weight: dict[tuple[str, Disc], float] = {}
    for part in parts:
        weight[part.label, part.disc] = weight.get((part.label, part.disc), 0.0) + part.weight
    merged = [_Part(label, disc, w) for (label, disc), w in weight.items()]
    return sorted(merged, key=lambda part: (-part.weight, part.label))


def _points(said: Sequence[Sequence[_Part]]) -> tuple[Floats, Floats, Floats]:
    """Latitudes, longitudes and weights of all that was said."""
    parts = [part for parts in said for part in parts]
    return (
        np.array([part.disc.lat_deg for part in parts]),
        np.array([part.disc.lon_deg for part in parts]),
        np.array([part.weight for part in parts]),
    )


def _spread_m(disc: Disc, lat: Floats, lon: Floats, weights: Floats) -> float:
    """Standard deviation, one axis, of what was said near a place."""
    away_m = distance_m(disc.lat_deg, disc.lon_deg, lat, lon)
    near = away_m <= _NEAR_M
    return float(np.sqrt(np.average(away_m[near] ** 2, weights=weights[near]) / 2))


def _with_errors(places: Sequence[Component]) -> list[Component]:
    """The places as they are, and wider around the most probable ones: answers are often wrong."""
    (_, exact), *wider = ERROR_SCALES
    probable = places[:_MOST_WIDE]
    total = sum(place.weight for place in probable)
    around = [
        replace(
            place,
            sigma_m=float(np.hypot(place.sigma_m, scale_m)),
            weight=share * place.weight / total,
            label=f"around {place.label}",
        )
        for place in probable
        for scale_m, share in wider
    ]
    return [*(replace(place, weight=exact * place.weight) for place in places), *around]
