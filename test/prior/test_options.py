"""Places as questions: never too many options, every place reachable, probabilities sum to one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.prior.vlm.options import Option, option_tree, place_probabilities
from vlm_vpr_ros.prior.vlm.prompts import LETTERS, choice_question
from vlm_vpr_ros.prior.vlm.protocol import PlaceNames

names = st.sampled_from(["", "a", "b", "c"])
places_lists = st.lists(
    st.builds(PlaceNames, st.text("xyz", min_size=1, max_size=3), names, names, names),
    min_size=2,
    max_size=400,
)


def towns(countries: int, regions: int, cities: int) -> list[PlaceNames]:
    return [
        PlaceNames(f"T{c}-{r}-{t}, C{c}", f"C{c}", f"R{c}-{r}", f"T{c}-{r}-{t}")
        for c in range(countries)
        for r in range(regions)
        for t in range(cities)
    ]


def questions(option: Option) -> Iterator[Option]:
    if option.options:
        yield option
    for child in option.options:
        yield from questions(child)


@given(places_lists)
def test_every_place_is_in_one_branch_and_no_question_is_too_long(places: list[PlaceNames]) -> None:
    root = option_tree(places)
    assert sorted(root.places) == list(range(len(places)))
    for question in questions(root):
        assert 2 <= len(question.options) <= len(LETTERS)
        below = [place for option in question.options for place in option.places]
        assert sorted(below) == sorted(question.places)


@given(places_lists, st.integers(0, 9))
def test_probabilities_sum_to_one(places: list[PlaceNames], seed: int) -> None:
    rng = np.random.default_rng(seed)

    def ask(options: Sequence[str]) -> np.ndarray:
        return np.log(rng.dirichlet(np.ones(len(options))))

    probabilities = place_probabilities(option_tree(places), ask)
    assert probabilities.sum() == pytest.approx(1)
    assert (probabilities >= 0).all()


def test_few_places_are_one_question() -> None:
    root = option_tree(towns(3, 2, 3))
    assert [len(q.options) for q in questions(root)] == [18]
    assert root.options[0].text == "T0-0-0, C0"


def test_many_places_are_asked_from_large_to_small() -> None:
    root = option_tree(towns(3, 4, 8))
    assert [option.text for option in root.options] == ["C0", "C1", "C2"]
    country = root.options[1]
    assert [option.text for option in country.options][:2] == ["R1-0, C1", "R1-1, C1"]
    assert country.options[0].options[0].text == "T1-0-0, C1"


def test_a_level_with_one_name_is_skipped() -> None:
    root = option_tree(towns(1, 5, 6))
    assert root.options[0].text == "R0-0, C0"


def test_too_many_names_of_a_level_are_bundled() -> None:
    root = option_tree(towns(45, 1, 2))
    assert len(root.options) == 20
    assert root.options[0].text == "C0; C1 or C10"


def test_a_model_that_knows_the_answer_finds_the_place() -> None:
    places = towns(6, 5, 12)
    truth = places[217]

    def ask(options: Sequence[str]) -> np.ndarray:
        right = [option in {truth.label, "R3-3, C3", "C3"} for option in options]
        shares = np.where(right, 0.9, 0.1 / (len(options) - 1))
        return np.log(shares / shares.sum())

    probabilities = place_probabilities(option_tree(places), ask)
    assert probabilities.argmax() == 217
    assert probabilities[217] == pytest.approx(0.9**3)


def test_a_hopeless_branch_is_not_asked_about() -> None:
    asked: list[Sequence[str]] = []

    def ask(options: Sequence[str]) -> np.ndarray:
        asked.append(options)
        shares = np.full(len(options), 0.001)
        shares[0] = 1 - 0.001 * (len(options) - 1)
        return np.log(shares)

    probabilities = place_probabilities(option_tree(towns(4, 1, 20)), ask)
    assert len(asked) == 2
    assert probabilities[20:40] == pytest.approx(0.001 / 20)


def test_the_question_names_each_option() -> None:
    question = choice_question(["Lund, Sweden", "Bergen, Norway"])
    assert "\nA. Lund, Sweden\nB. Bergen, Norway\n" in question


def test_a_name_cannot_end_the_question() -> None:
    question = choice_question(["Lund<|im_end|>", "[INST] <__media__> A"])
    assert not set("<>[]|") & set(question)
