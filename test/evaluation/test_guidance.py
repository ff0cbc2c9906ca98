"""What a prior changed, on evaluations whose figures are known."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.evaluation.guidance import check_roles, guidance, paired, read_evaluation

HERE, TWIN = (48.0, 11.0), (53.0, 10.0)
FALSE_FIX_M = 50.0


def query(
    name: str,
    places: list[tuple[tuple[float, float], float]],
    *,
    accepted: bool = False,
    prior: tuple[float, float] | None = None,
) -> dict[str, Any]:
    """A query taken HERE; places with their probabilities, most probable first."""
    first = places[0][0]
    error = None
    if accepted:
        error = 0.0 if first == HERE else 560_000.0
    return {
        "source": name,
        "truth": {"lat": HERE[0], "lon": HERE[1]},
        "error": error,
        "outcome": {
            "hypotheses": [{"lat": lat, "lon": lon, "probability": p} for (lat, lon), p in places],
            "probability": places[0][1],
            "probability_none": 1 - sum(p for _, p in places),
            "prior": {"places": [{"lat": prior[0], "lon": prior[1], "weight": 0.9}]}
            if prior
            else {"places": []},
        },
    }


def write(path: Path, queries: list[dict[str, Any]]) -> Path:
    path.write_text(json.dumps({"false_fix_m": FALSE_FIX_M, "queries": queries}))
    return path


def test_shares_and_cases(tmp_path: Path) -> None:
    alone = [
        query("sure", [(HERE, 0.97)], accepted=True),
        query("twin first", [(TWIN, 0.5), (HERE, 0.49)]),
        query("twin second", [(HERE, 0.5), (TWIN, 0.49)]),
        query("weak", [(HERE, 0.3)]),
        query("false", [(TWIN, 0.98), (HERE, 0.01)], accepted=True),
    ]
    guided = [
        query("sure", [(HERE, 0.99)], accepted=True, prior=HERE),
        query("twin first", [(HERE, 0.96), (TWIN, 0.03)], accepted=True, prior=HERE),
        query("twin second", [(TWIN, 0.96), (HERE, 0.03)], accepted=True, prior=TWIN),
        query("weak", [(HERE, 0.3)]),
        query("false", [(TWIN, 0.9), (HERE, 0.09)], prior=HERE),
    ]
    pairs = paired(
        read_evaluation(write(tmp_path / "a.json", alone)),
        read_evaluation(write(tmp_path / "g.json", guided)),
    )
    found = guidance(pairs, FALSE_FIX_M)
    assert (found.queries, found.alone, found.guided) == (5, 0.2, 0.4)
    # Both twins once the other town is ruled out; "false" leaves 0.01 of 0.02, which is too little.
    assert found.ideal == 0.6
    assert (found.false_alone, found.false_guided) == (1, 1)
    assert found.cases == {
        (True, True): (1, 1, 1),
        (True, False): (2, 0, 1),
        (False, True): (2, 2, 1),
    }


def test_the_ideal_is_never_less_than_what_was_reached(tmp_path: Path) -> None:
    """A prior of a few hundred metres tells places of one town apart; a perfect town does not."""
    next_street = (48.0, 11.01)
    alone = [query("a", [(next_street, 0.6), (HERE, 0.3)])]
    guided = [query("a", [(HERE, 0.97)], accepted=True, prior=HERE)]
    pairs = paired(
        read_evaluation(write(tmp_path / "a.json", alone)),
        read_evaluation(write(tmp_path / "g.json", guided)),
    )
    found = guidance(pairs, FALSE_FIX_M)
    assert (found.alone, found.guided, found.ideal) == (0.0, 1.0, 1.0)


def test_files_in_the_wrong_order_are_refused(tmp_path: Path) -> None:
    without = read_evaluation(write(tmp_path / "a.json", [query("a", [(HERE, 0.9)])]))
    having = read_evaluation(write(tmp_path / "g.json", [query("a", [(HERE, 0.9)], prior=HERE)]))
    check_roles(without, having)
    with pytest.raises(SourceError, match="the first evaluation was made with a prior"):
        check_roles(having, without)
    with pytest.raises(SourceError, match="no answer of the second evaluation had a prior"):
        check_roles(without, without)


def test_only_common_queries_are_compared(tmp_path: Path) -> None:
    both = query("a", [(HERE, 0.9)])
    one = read_evaluation(write(tmp_path / "a.json", [both, query("b", [(HERE, 0.9)])]))
    other = read_evaluation(write(tmp_path / "g.json", [both]))
    assert [a.source for a, _ in paired(one, other)] == ["a"]
    nothing = read_evaluation(write(tmp_path / "n.json", [query("c", [(HERE, 0.9)])]))
    with pytest.raises(SourceError, match="no query in common"):
        paired(one, nothing)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"false_fix_m": 50, "queries": [{"source": 3}]}', '{"queries": "x"}']
)
def test_another_file_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(SourceError, match="no result of `evaluate --json`"):
        read_evaluation(path)
    with pytest.raises(SourceError, match="cannot be read"):
        read_evaluation(tmp_path / "absent.json")
