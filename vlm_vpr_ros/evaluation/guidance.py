"""What a geographic prior changed: two evaluations of the same queries, without and with it.

The paper's claim as figures: the share of right fixes retrieval reaches alone and guided, what a
perfect prior would have reached, and the four cases of prior and retrieval being right or wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.evaluation.metrics import is_false
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.validation import first_problem

TOWN_M = 25_000.0
"""A prior whose heaviest place is this near to the truth is right; one that is perfect leaves only
the hypotheses this near."""
_MAX_BYTES = 512 << 20


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class _Point(_Part):
    lat: float = Field(ge=-90, le=90)
    lon: float = Field(ge=-180, le=180)


class _Hypothesis(_Point):
    probability: float = Field(ge=0, le=1)


class _PriorPlace(_Point):
    weight: float = Field(ge=0, le=1)


class _Prior(_Part):
    places: tuple[_PriorPlace, ...] = ()


class _Outcome(_Part):
    hypotheses: tuple[_Hypothesis, ...]
    probability: float = Field(ge=0, le=1)
    probability_none: float = Field(ge=0, le=1)
    prior: _Prior = _Prior()


class Query(_Part):
    """What an evaluation wrote of one query; see docs/evaluation.md."""

    source: str
    truth: _Point
    error: float | None
    outcome: _Outcome


class Evaluated(_Part):
    """What is read of the JSON of `vlm_vpr evaluate`."""

    false_fix_m: float = Field(gt=0)
    queries: tuple[Query, ...]


@dataclass(frozen=True)
class Guidance:
    """Shares of the queries, and counts.

    Attributes:
        queries: how many were compared.
        alone: share with a right fix, without the prior.
        guided: with it.
        ideal: if the prior had said the right town each time and could not be outweighed, and the
            gate asked no more than it asked of the least sure fix; what the prior that was there
            made right counts in any case.
        false_alone: number of false fixes without the prior.
        false_guided: with it.
        cases: (prior right, retrieval right) -> queries, of them right in the first place alone and
            guided. A prior that was not there counts as wrong.
    """

    queries: int
    alone: float
    guided: float
    ideal: float
    false_alone: int
    false_guided: int
    cases: Mapping[tuple[bool, bool], tuple[int, int, int]]


def read_evaluation(path: Path) -> Evaluated:
    """Read what `vlm_vpr evaluate --json` wrote.

    Raises:
        SourceError: it cannot be read as such.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise SourceError(f"{path}: too large to be an evaluation")
        return Evaluated.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise SourceError(
            f"{path}: no result of `evaluate --json`: {first_problem(error)}"
        ) from None
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None


def check_roles(alone: Evaluated, guided: Evaluated) -> None:
    """See that a prior had a say in the second one only.

    Raises:
        SourceError: it had in the first, or had not in the second.
    """
    if any(query.outcome.prior.places for query in alone.queries):
        raise SourceError(
            "the first evaluation was made with a prior: name first the one without "
            "(--set vlm.model='' and no prior.center or prior.geojson)"
        )
    if not any(query.outcome.prior.places for query in guided.queries):
        raise SourceError(
            "no answer of the second evaluation had a prior: nothing to compare. Its queries say "
            "why in outcome.prior"
        )


def paired(alone: Evaluated, guided: Evaluated) -> list[tuple[Query, Query]]:
    """The queries that both have, in order.

    Raises:
        SourceError: they are of different queries.
    """
    by_source = {query.source: query for query in guided.queries}
    pairs = [(q, by_source[q.source]) for q in alone.queries if q.source in by_source]
    if not pairs:
        raise SourceError("the two evaluations have no query in common")
    return pairs


def guidance(pairs: Sequence[tuple[Query, Query]], false_fix_m: float) -> Guidance:
    """Compare; pairs are (without the prior, with it), at least one."""
    needed = min((a.outcome.probability for a, _ in pairs if a.error is not None), default=1.0)
    cases: dict[tuple[bool, bool], tuple[int, int, int]] = {}
    for alone, guided in pairs:
        key = _prior_is_right(guided), _first_is_right(alone, false_fix_m)
        count, first_alone, first_guided = cases.get(key, (0, 0, 0))
        cases[key] = (
            count + 1,
            first_alone + key[1],
            first_guided + _first_is_right(guided, false_fix_m),
        )
    count = len(pairs)
    return Guidance(
        queries=count,
        alone=sum(_fix_is_right(a, false_fix_m) for a, _ in pairs) / count,
        guided=sum(_fix_is_right(g, false_fix_m) for _, g in pairs) / count,
        ideal=sum(
            _ideally_right(a, false_fix_m, needed) or _fix_is_right(g, false_fix_m)
            for a, g in pairs
        )
        / count,
        false_alone=sum(_fix_is_false(a, false_fix_m) for a, _ in pairs),
        false_guided=sum(_fix_is_false(g, false_fix_m) for _, g in pairs),
        cases=cases,
    )


def _prior_is_right(query: Query) -> bool:
    """Whether the heaviest place of its prior is the town of the truth."""
    best = max(query.outcome.prior.places, key=lambda place: place.weight, default=None)
    return best is not None and bool(_away_m(query, [best])[0] <= TOWN_M)


def _first_is_right(query: Query, false_fix_m: float) -> bool:
    first = query.outcome.hypotheses[:1]
    return bool(first) and bool(_away_m(query, first)[0] <= false_fix_m)


def _fix_is_right(query: Query, false_fix_m: float) -> bool:
    return query.error is not None and not is_false(query.error, false_fix_m)


def _fix_is_false(query: Query, false_fix_m: float) -> bool:
    return query.error is not None and is_false(query.error, false_fix_m)


def _ideally_right(query: Query, false_fix_m: float, needed: float) -> bool:
    """Whether the right place is accepted once all places in other towns are ruled out."""
    away_m = _away_m(query, query.outcome.hypotheses)
    in_town = away_m <= TOWN_M
    if not in_town.any():
        return False
    probability = np.array([h.probability for h in query.outcome.hypotheses])[in_town]
    best = int(probability.argmax())
    everything = probability.sum() + query.outcome.probability_none
    sure = probability[best] >= needed * everything
    return bool(sure and away_m[in_town][best] <= false_fix_m)


def _away_m(query: Query, points: Sequence[_Point]) -> npt.NDArray[np.float64]:
    return distance_m(
        query.truth.lat, query.truth.lon, [p.lat for p in points], [p.lon for p in points]
    )
