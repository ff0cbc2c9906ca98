"""What the demonstration prints, for answers and a truth that are known."""

from __future__ import annotations

from typing import Any

from vlm_vpr_ros.node.demo.journal import EVERY, Journal, found_after, summary
from vlm_vpr_ros.node.demo.truth import ImageTruth, Truth
from vlm_vpr_ros.types import GeoPoint

STEP_NS = 500_000_000
HERE, ELSEWHERE = (48.0, 11.0), (48.1, 11.0)


def truth(*kinds: str, kidnapped: int) -> Truth:
    moments = {
        n * STEP_NS: ImageTruth(GeoPoint(*HERE), "Lübeck", kind) for n, kind in enumerate(kinds)
    }
    return Truth(moments, (kidnapped * STEP_NS,))


def answer(number: int, place: tuple[float, float] | None) -> dict[str, Any]:
    prior = {"properties": {"kind": "prior", "weight": 0.8, "label": "Lübeck, Germany"}}
    return {
        "stamp_ns": number * STEP_NS,
        "accepted": place is not None,
        "reason": "accepted" if place else "weak_evidence",
        "fix": {"lat": place[0], "lon": place[1], "sigma_m": 3.0} if place else None,
        "features": [prior],
        "latency_ms": {"decode": 3.0, "encode": 4.0, "verify": 36.0, "total": 41.0},
    }


def test_a_kidnapping_is_noticed_and_the_robot_found_again() -> None:
    kinds = ("unique", "unique", "copied", "covered", "copied", "unique")
    places = (HERE, ELSEWHERE, None, None, None, HERE)
    true = truth(*kinds, kidnapped=1)
    journal = Journal(true)
    for number, place in enumerate(places):
        journal.note(answer(number, place), "LOCALIZED")
    # The first answer after it still claims another place; the covered lens does not count.
    assert found_after(journal.entries, STEP_NS) == (2, 4)
    text = summary(journal, true)
    assert "2 fixes" not in text and "3 fixes: median error 0.0 m" in text and "1 false" in text
    assert "noticed at answer 2, found again at answer 4" in text


def test_never_found_is_said() -> None:
    true = truth("unique", "unique", kidnapped=1)
    journal = Journal(true)
    journal.note(answer(0, HERE), "LOCALIZED")
    journal.note(answer(1, None), "LOST")
    assert found_after(journal.entries, STEP_NS) == (1, None)
    assert "not found again" in summary(journal, true)


def test_equal_answers_share_a_row_but_no_false_fix_is_left_out() -> None:
    true = truth(*["unique"] * 40, kidnapped=39)
    journal = Journal(true)
    rows = [journal.note(answer(n, HERE), "LOCALIZED") for n in range(2 * EVERY)]
    assert [n for n, row in enumerate(rows) if row] == [0, EVERY]
    assert rows[0] and "Lübeck unique" in rows[0] and rows[0].endswith("44")
    for number in (20, 21):
        row = journal.note(answer(number, ELSEWHERE), "LOCALIZED")
        assert row and "11119" in row


def test_an_image_nobody_knows_is_no_answer() -> None:
    journal = Journal(truth("unique", kidnapped=0))
    assert journal.note(answer(99, HERE), "LOCALIZED") is None
    assert journal.entries == []
