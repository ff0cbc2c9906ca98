from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import Diary, Recording, accepted, query, references, refused

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.evaluation.nearest import NearestReference
from vlm_vpr_ros.evaluation.run import evaluate
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.types import Frame, GeoPoint, Odometry, Outcome

REFERENCES = references([0.0, 0.0], [0.0, 0.001])


def test_causal_forgets_between_drives_and_cold_before_each_frame() -> None:
    causal, cold = Diary(refused()), Diary(refused())
    drives = [query("1", "a"), query("2", "a"), query("3", "b")]
    evaluate([Recording(drives)], REFERENCES, causal, cold)
    assert causal.calls == ["reset", "1", "2", "reset", "3"]
    assert cold.calls == ["reset", "1", "reset", "2", "reset", "3"]


def test_two_sources_of_one_name_are_two_drives() -> None:
    causal = Diary(refused())
    sources = [Recording([query("1", "a")]), Recording([query("2", "a")])]
    evaluate(sources, REFERENCES, causal, Diary(refused()))
    assert causal.calls == ["reset", "1", "reset", "2"]


def test_a_drive_that_begins_without_a_position_still_begins() -> None:
    causal = Diary(refused())
    drives = [query("1", "a"), query("2", "b", position=None), query("3", "b")]
    evaluation = evaluate([Recording(drives)], REFERENCES, causal, Diary(refused()))
    assert causal.calls == ["reset", "1", "reset", "3"]
    assert evaluation.report.left_out == {"query without a position": 1}


def test_drives_of_one_name_are_told_apart_in_the_results() -> None:
    sources = [Recording([query("1", "a")]), Recording([query("2", "a"), query("3", "b")])]
    evaluation = evaluate(sources, REFERENCES, Diary(refused()), Diary(refused()))
    assert [t.drive for t in evaluation.trials] == ["a", "a (2)", "b"]
    assert [t.number for t in evaluation.trials] == [0, 1, 2]


def test_a_drive_in_pieces_is_not_taken_for_many() -> None:
    pieces = Recording([query("1", "a"), query("2", "b"), query("3", "a")], name="week.csv")
    with pytest.raises(SourceError, match=r"week\.csv: drive `a` goes on at 3"):
        evaluate([pieces], REFERENCES, Diary(refused()), Diary(refused()))


def test_windows_start_afresh_and_stay_in_their_drive() -> None:
    causal, cold = Diary(refused()), Diary(refused())
    drives = [query("1", "a"), query("2", "a"), query("bad", "a", broken=True), query("3", "a")]
    drives += [query("4", "b"), query("5", "b")]
    evaluation = evaluate([Recording(drives)], REFERENCES, causal, cold, frames=2)
    windows = " ".join(causal.calls).split("reset")
    assert [w.split() for w in windows if w.strip()] == [["1", "2"], ["2", "3"], ["4", "5"]]
    assert [trial.source for trial in evaluation.trials] == ["2", "3", "5"]
    assert cold.calls == ["reset", "2", "reset", "3", "reset", "5"]
    assert evaluation.report.left_out == {"query before the first whole window": 2}
    assert evaluation.frames == 2


def test_a_window_of_one_frame_is_localized_once() -> None:
    causal, cold = Diary(refused()), Diary(refused())
    drives = [query("1", "a"), query("2", "a"), query("3", "b")]
    evaluation = evaluate([Recording(drives)], REFERENCES, causal, cold, frames=1)
    asked = [call for call in causal.calls if call != "reset"]
    assert asked == ["1", "2", "3"] and cold.calls == []
    assert "reset" in causal.calls[causal.calls.index("1") : causal.calls.index("2")]
    assert all(t.causal is t.cold is t.stop.outcome for t in evaluation.trials if t.stop)
    assert len(evaluation.stops) == 3


def test_a_window_may_end_with_its_first_answer() -> None:
    places = [GeoPoint(0.0, 0.001 * i) for i in range(4)]
    outcomes = iter(
        [refused(), accepted(places[1]), refused(), accepted(places[1]), *[refused()] * 5]
    )

    class InTurn(Diary):
        def localize(self, _: object, __: float = 0.0) -> Outcome:
            return next(outcomes)

    drive = Recording([query(str(i), position=place) for i, place in enumerate(places)])
    evaluation = evaluate([drive], REFERENCES, InTurn(refused()), Diary(refused()), frames=3)
    assert [trial.causal.accepted for trial in evaluation.trials] == [False, False]
    first, second = evaluation.stops
    assert first.outcome.accepted and first.truth == places[1]
    assert first.score.error_m == pytest.approx(0.0, abs=1e-6)
    assert first.nearest_reference_m == pytest.approx(0.0, abs=1e-6)
    assert second.outcome.accepted and second.truth == places[1]
    without = evaluate([drive], REFERENCES, Diary(refused()), Diary(refused()))
    assert without.stops == []


def test_frames_carry_the_odometry_of_their_observation() -> None:
    seen: list[Odometry | None] = []

    class Looking(Diary):
        def localize(self, frame: Frame, wait_for_prior_s: float = 0.0) -> Outcome:
            seen.append(frame.odometry)
            return super().localize(frame, wait_for_prior_s)

    drive = [replace(query("1"), odometry=Odometry(1.0, 2.0, 0.5)), query("2")]
    evaluate([Recording(drive)], REFERENCES, Looking(refused()), Diary(refused()))
    assert seen == [Odometry(1.0, 2.0, 0.5), None]


def test_every_frame_may_wait_for_its_prior() -> None:
    causal, cold = Diary(refused()), Diary(refused())
    drive = Recording([query("1"), query("2")])
    evaluate([drive], REFERENCES, causal, cold, wait_for_prior_s=7.0)
    assert causal.waits == cold.waits == [7.0, 7.0]


def test_frames_without_a_stamp_never_look_like_a_new_drive() -> None:
    causal = Diary(refused())
    stamps = [None, 5, None, 7]
    drive = [query(str(i), stamp_ns=stamp) for i, stamp in enumerate(stamps)]
    evaluate([Recording(drive)], REFERENCES, causal, Diary(refused()))
    assert causal.stamps == [0, 5, 5, 7]


def test_a_bad_image_is_named_and_the_others_go_on() -> None:
    told: list[int] = []
    drive = [query("good"), query("bad", broken=True), query("fine")]
    evaluation = evaluate(
        [Recording(drive)], REFERENCES, Diary(refused()), Diary(refused()), told.append
    )
    assert [trial.source for trial in evaluation.trials] == ["good", "fine"]
    assert [(f.source, f.error) for f in evaluation.failures] == [("bad", "bad is damaged")]
    assert sum(told) == 3


def test_nothing_to_evaluate_is_an_error_that_says_why() -> None:
    drive = [query("1", position=None), query("2", broken=True)]
    with pytest.raises(SourceError, match=r"1 x query without a position; 2 is damaged"):
        evaluate([Recording(drive)], REFERENCES, Diary(refused()), Diary(refused()))


def test_queries_that_are_references_are_noticed() -> None:
    drive = [query("image0.jpg"), query("image0.jpg", position=GeoPoint(0.5, 0.5)), query("other")]
    evaluation = evaluate([Recording(drive)], REFERENCES, Diary(refused()), Diary(refused()))
    assert evaluation.own_references == 1


def test_distances_are_right_across_the_antimeridian() -> None:
    truth, fix = GeoPoint(-16.8, 179.9999), GeoPoint(-16.8, -179.9999)
    near = references([-16.8], [-179.9999])
    outcome = accepted(fix, [fix])
    evaluation = evaluate(
        [Recording([query("1", position=truth)])], near, Diary(outcome), Diary(outcome)
    )
    (score,) = evaluation.causal_scores
    assert score.error_m == pytest.approx(21.3, abs=0.1)
    assert score.candidates_m == pytest.approx([21.3], abs=0.1)
    assert score.nearest_reference_m == pytest.approx(21.3, abs=0.1)


places = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@given(st.lists(places, min_size=1, max_size=20), places)
def test_no_reference_is_nearer_than_the_nearest(
    rows: list[tuple[float, float]], at: tuple
) -> None:
    lat, lon = np.array(rows).T
    found = NearestReference(references(lat, lon)).distance_m(GeoPoint(*at))
    least = distance_m(at[0], at[1], lat, lon).min()
    # Chord and geodesic may order two references differently only near the other side of the Earth.
    assert found == pytest.approx(least, abs=1e-3, rel=1e-9 if least < 1e6 else 1e-2)
