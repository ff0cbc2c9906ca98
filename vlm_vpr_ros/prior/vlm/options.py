"""Many places as a tree of questions with few options each: country, region, city, place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.prior.vlm.prompts import LETTERS

NEGLIGIBLE = 0.01
"""A branch less probable than this is not asked about further: its places share evenly."""

Ask = Callable[[Sequence[str]], npt.NDArray[np.float64]]
"""Options -> their log-probabilities."""


class NamedPlace(Protocol):
    """What is asked about: a place with its names, empty where unknown."""

    @property
    def label(self) -> str:
        """What it is called, in full: "Lund, Sweden"."""

    @property
    def country(self) -> str:
        """Name of the country."""

    @property
    def admin1(self) -> str:
        """Name of the state, province or county."""

    @property
    def city(self) -> str:
        """Name of the city, town or village."""


@dataclass(frozen=True)
class Option:
    """One option of a question.

    Attributes:
        text: what the model reads.
        places: the places it stands for, as their numbers.
        options: those of the next question; empty when there is one place.
    """

    text: str
    places: tuple[int, ...]
    options: tuple[Option, ...] = ()


def option_tree(places: Sequence[NamedPlace]) -> Option:
    """All places, in questions of at most as many options as there are letters.

    Few places are one question; many are asked by country, then region, then city. Where one level
    has too many names, neighbours in the alphabet become one option ("Lund, Malmö or Ystad").
    """
    order = sorted(range(len(places)), key=lambda i: _path(places[i]))
    return _option("", places, tuple(order), level=0)


def place_probabilities(root: Option, ask: Ask) -> npt.NDArray[np.float64]:
    """The probability of each place of a tree: products along the branches, (places,)."""
    probabilities = np.zeros(len(root.places))
    _spread(root, 1.0, ask, probabilities)
    return probabilities


def _spread(option: Option, mass: float, ask: Ask, probabilities: npt.NDArray[np.float64]) -> None:
    if len(option.options) < 2 or mass < NEGLIGIBLE:
        probabilities[list(option.places)] += mass / len(option.places)
        return
    shares = np.exp(ask([child.text for child in option.options]))
    for child, share in zip(option.options, shares, strict=True):
        _spread(child, mass * float(share), ask, probabilities)


def _path(place: NamedPlace) -> tuple[str, ...]:
    return place.country, place.admin1, place.city, place.label


def _option(text: str, places: Sequence[NamedPlace], chosen: tuple[int, ...], level: int) -> Option:
    if len(chosen) == 1:
        return Option(text or places[chosen[0]].label, chosen)
    if len(chosen) <= len(LETTERS) or level == len(_path(places[0])):
        leaves = tuple(Option(places[i].label, (i,)) for i in chosen)
        return Option(text, chosen, _bundled(leaves))
    names = {
        name: tuple(group) for name, group in groupby(chosen, lambda i: _path(places[i])[level])
    }
    if len(names) == 1:
        return _option(text, places, chosen, level + 1)
    children = tuple(
        _option(_name(places[group[0]], level), places, group, level + 1)
        for group in names.values()
    )
    return Option(text, chosen, _bundled(children))


def _name(place: NamedPlace, level: int) -> str:
    """The name at a level and those above it."""
    names = reversed(_path(place)[: level + 1])
    return ", ".join(dict.fromkeys(name for name in names if name)) or "another place"


def _bundled(options: tuple[Option, ...]) -> tuple[Option, ...]:
    """As many options as there are letters at most, neighbours being put together."""
    if len(options) <= len(LETTERS):
        return options
    parts = np.array_split(np.arange(len(options)), len(LETTERS))
    bundles = [tuple(options[i] for i in part) for part in parts]
    return tuple(
        bundle[0]
        if len(bundle) == 1
        else Option(
            text=_either(bundle),
            places=tuple(place for option in bundle for place in option.places),
            options=_bundled(bundle),
        )
        for bundle in bundles
    )


def _either(options: Sequence[Option]) -> str:
    *most, last = [option.text for option in options]
    return f"{'; '.join(most)} or {last}"
