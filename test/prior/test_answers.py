"""What a model writes is read strictly, or not at all."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.prior.answers import AnswerError, OpenAnswer, parse_open_answer

GOOD = {
    "clues": ["tram", "brick"],
    "country": "Sverige",
    "region": "Skåne",
    "city": "Malmö",
    "latitude": 55.6,
    "longitude": 13,
}


def test_a_good_answer() -> None:
    assert parse_open_answer(json.dumps(GOOD)) == OpenAnswer(
        "Sverige", "Skåne", "Malmö", 55.6, 13.0, ("tram", "brick")
    )


def test_what_is_not_known_is_left_out() -> None:
    unknown = GOOD | {"city": " ", "latitude": None, "longitude": None, "clues": []}
    answer = parse_open_answer(json.dumps(unknown))
    assert (answer.city, answer.lat_deg, answer.lon_deg, answer.clues) == ("", None, None, ())


@pytest.mark.parametrize(
    "change",
    [
        {"latitude": 90.0001},
        {"latitude": float("nan")},
        {"longitude": float("-inf")},
        {"longitude": -180.5},
        {"latitude": True},
        {"latitude": "55.6"},
        {"latitude": 10**400},
        {"country": None},
        {"country": 7},
        {"country": "a\x1b[31m"},
        {"country": "a\nb"},
        {"city": "Mal\u202emö"},
        {"city": "x" * 61},
        {"clues": "tram"},
        {"clues": ["x"] * 6},
        {"clues": [1]},
        {"clues": [["x"]]},
        {"another": 1},
    ],
)
def test_anything_else_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(AnswerError):
        parse_open_answer(json.dumps(GOOD | change))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "[" * 4000,
        "{",
        json.dumps(GOOD)[:-1],
        json.dumps(GOOD) + "x",
        json.dumps(GOOD) + " " * 4096,
        json.dumps({k: v for k, v in GOOD.items() if k != "clues"}),
        '{"country":"A",' + json.dumps(GOOD)[1:],
        "\ud800",
    ],
)
def test_no_answer_at_all(text: str) -> None:
    with pytest.raises(AnswerError):
        parse_open_answer(text)


def test_another_type_is_refused() -> None:
    with pytest.raises(AnswerError):
        parse_open_answer(None)  # type: ignore[arg-type]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.text() | st.fixed_dictionaries(dict.fromkeys(GOOD, json_values)).map(json.dumps))
def test_whatever_comes_either_is_sound_or_is_refused(text: str) -> None:
    try:
        answer = parse_open_answer(text)
    except AnswerError:
        return
    assert answer.lat_deg is None or -90 <= answer.lat_deg <= 90
    assert answer.lon_deg is None or -180 <= answer.lon_deg <= 180
    for name in (answer.country, answer.region, answer.city, *answer.clues):
        assert name.isprintable()
        assert len(name) <= 60
