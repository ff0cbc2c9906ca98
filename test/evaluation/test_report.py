from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import Diary, Recording, accepted, query, references, refused, region

from vlm_vpr_ros.evaluation.report import report
from vlm_vpr_ros.evaluation.report_text import table
from vlm_vpr_ros.evaluation.run import Evaluation, evaluate
from vlm_vpr_ros.outcome_json import number, outcome_record
from vlm_vpr_ros.types import Candidate, Fix, GeoPoint, Hypothesis, Outcome, Reason

HERE = GeoPoint(0.0, 0.0)
FAR = GeoPoint(0.01, 0.0)
TOWN = region(references([0.0], [0.0]))


def evaluated(causal: Outcome, cold: Outcome) -> Evaluation:
    recording = Recording([query("1"), query("2")])
    return evaluate([recording], TOWN.references, Diary(causal), Diary(cold))


def strict(record: Any) -> Any:
    return json.loads(json.dumps(record, allow_nan=False))


def test_the_keys_that_programs_read() -> None:
    record = strict(report(evaluated(accepted(FAR, [HERE]), refused([FAR])), TOWN, 50.0))
    assert record["recall"]["12"]["1"] == 1.0
    assert record["recall_all"]["100"]["10"] == 1.0
    assert record["error_m"]["p50"] == pytest.approx(1105.7, abs=0.1)
    assert (
        record["fixes"]["queries"] == record["fixes"]["accepted"] == record["fixes"]["false"] == 2
    )
    assert record["fixes"]["refused"] == 0
    assert record["fixes"]["false_rate"] == 1.0
    assert record["latency_ms"]["encode"] == {"p50": 4.0, "p95": 4.0}
    first = record["queries"][0]
    assert first["source"] == "1"
    assert first["truth"] == {"lat": 0.0, "lon": 0.0}
    assert first["outcome"]["accepted"] is True
    assert first["error"] == pytest.approx(1105.743, abs=1e-3)
    assert first["false"] is True
    assert record["cold"]["recall"]["12"]["1"] == 0.0
    assert record["cold"]["fixes"]["false_rate"] is None
    assert record["cold"]["fixes"]["refused_reasons"] == {"weak_evidence": 2}
    assert record["cold"]["error_m"] == {"p50": None, "p90": None, "p95": None}
    assert first["cold"]["error"] is None and first["cold"]["false"] is None


def test_the_keys_of_trust() -> None:
    near = replace(
        accepted(GeoPoint(0.0, 0.00002), [HERE]),
        hypotheses=(Hypothesis(HERE, 0.9, None, 0.99, 9.0 * np.eye(2), ()),),
        stages={"retrieval": (Candidate(0, FAR, 0.9),), "verification": (Candidate(0, HERE, 0.9),)},
    )
    record = strict(report(evaluated(near, refused([FAR])), TOWN, 50.0))
    assert record["coverage"] == {"50": 1.0, "90": 1.0, "95": 1.0}
    assert record["coverage_gaussian"] == record["coverage_right"] == record["coverage"]
    # 2.226 m east of a fix with a standard deviation of 2 m
    assert record["nees_mean"] == pytest.approx((2.2264 / 2) ** 2, abs=1e-3)
    assert record["nees_median"] == record["nees_trimmed_mean"] == record["nees_mean"]
    assert record["auc_pr"] == 1.0
    assert record["ece"] == pytest.approx(0.01)
    assert record["ece_interval"] is None
    assert record["log_loss"] == pytest.approx(0.0101, abs=1e-4)
    assert record["reliability"] == [{"count": 2, "probability": 0.99, "right": 1.0}]
    assert record["precision_coverage"] == [
        {"probability": 0.99, "coverage": 1.0, "precision": 1.0}
    ]
    assert record["stages"]["retrieval"]["recall"]["12"]["1"] == 0.0
    assert record["stages"]["verification"]["recall"]["12"]["1"] == 1.0
    assert record["stages"]["retrieval"]["error_m"]["p50"] == pytest.approx(1105.7, abs=0.1)
    assert record["fixes"]["answered_share"] == 1.0
    assert record["fixes"]["false_rate_interval"] == [0.0, pytest.approx(0.8419, abs=1e-4)]
    assert record["by_drive"]["q"]["coverage"]["95"] == 1.0
    assert record["frames"] is None


def test_windows_have_scores_of_their_own_when_stopped() -> None:
    recording = Recording([query("1"), query("2")])
    causal, cold = Diary(accepted(HERE, [HERE])), Diary(refused())
    evaluation = evaluate([recording], TOWN.references, causal, cold, frames=2)
    record = strict(report(evaluation, TOWN, 50.0, 0.01))
    assert record["frames"] == 2 and record["target_false_fix_rate"] == 0.01
    assert set(record["stopped"]) == set(record["cold"])
    assert record["stopped"]["fixes"]["accepted"] == 1
    assert "stopped" in table(record)
    assert strict(report(evaluated(refused(), refused()), TOWN, 50.0))["stopped"] is None


def test_windows_of_one_frame_are_shown_once() -> None:
    recording = Recording([query("1"), query("2", position=FAR)])
    causal, cold = Diary(accepted(HERE, [HERE])), Diary(refused())
    evaluation = evaluate([recording], TOWN.references, causal, cold, frames=1)
    record = strict(report(evaluation, TOWN, 50.0))
    scores = {key: record[key] for key in record["cold"]}
    assert scores == record["cold"] == record["stopped"]
    assert record["fixes"]["accepted"] == 2
    shown = table(record)
    assert len([line for line in shown.splitlines() if line.startswith("1 frame ")]) == 2
    assert "cold" not in shown and "stopped" not in shown


def test_queries_outside_the_region_are_told() -> None:
    recording = Recording([query("1", position=GeoPoint(1.0, 1.0))])
    evaluation = evaluate([recording], TOWN.references, Diary(accepted(HERE)), Diary(refused()))
    record = strict(report(evaluation, TOWN, 50.0))
    assert record["fixes"]["outside"] == record["fixes"]["outside_accepted"] == 1
    assert record["cold"]["fixes"]["outside_accepted"] == 0
    assert "outside the region, causal: 1 of 1 accepted" in table(record)


def test_of_nothing_accepted_nothing_is_said() -> None:
    record = strict(report(evaluated(refused(), refused()), TOWN, 50.0))
    nothing = {"50": None, "90": None, "95": None}
    assert record["coverage"] == record["coverage_gaussian"] == record["coverage_right"] == nothing
    for key in ("nees_mean", "nees_median", "nees_trimmed_mean", "ece", "auc_pr", "log_loss"):
        assert record[key] is None
    assert record["fixes"]["false_rate_interval"] is None
    assert record["fixes"]["answered_share"] == 0.0
    assert record["stages"] == {} and record["precision_coverage"] == []


def test_a_false_fix_is_outside_every_ellipse_but_not_in_the_nees() -> None:
    record = strict(report(evaluated(accepted(FAR, [HERE]), refused()), TOWN, 50.0))
    assert record["coverage"]["95"] == 0.0
    assert record["coverage_right"]["95"] is record["nees_mean"] is None


def test_the_limit_of_false_fixes_is_the_users() -> None:
    evaluation = evaluated(accepted(FAR, [HERE]), refused())
    assert report(evaluation, TOWN, 2000.0)["fixes"]["false"] == 0


def test_the_table_shows_unknown_shares_as_dashes() -> None:
    text = table(report(evaluated(refused([FAR]), refused()), TOWN, 50.0))
    fixes, trust = [line for line in text.splitlines() if line.startswith("causal ")]
    assert fixes.split() == ["causal", "2", "0", "2", "0", *["-"] * 5]
    assert trust.split() == ["causal", *["-"] * 9]
    assert "refused, causal: 2 weak_evidence" in text


def test_unknown_numbers_are_null() -> None:
    assert number(float("nan"), 3) is None
    assert number(float("inf"), 3) is None
    assert number(None, 3) is None
    assert number(1.23456, 2) == 1.23
    refusal = strict(outcome_record(refused()))
    assert refusal["lat"] is refusal["lon"] is refusal["covariance_enu_m2"] is None
    assert refusal["accepted"] is False and refusal["reason"] == "weak_evidence"


numbers = st.floats()
points = st.builds(GeoPoint, numbers, numbers, st.none() | numbers)


@given(
    st.builds(
        Outcome,
        st.integers(0, 2**62),
        st.sampled_from(Reason),
        st.text(),
        st.none() | st.builds(Fix, points, st.builds(lambda v: np.full((3, 3), v), numbers)),
        hypotheses=st.lists(
            st.builds(
                Hypothesis,
                position=points,
                similarity=numbers,
                inliers=st.none() | st.integers(0, 2048),
                probability=numbers,
                covariance_enu_m2=numbers.map(lambda v: np.diag([abs(v), abs(v)])),
                candidates=st.just(()),
            ),
            max_size=3,
        ).map(tuple),
        probability=numbers,
        probability_none=numbers,
        latency_ms=st.dictionaries(st.text(), numbers, max_size=3),
    )
)
def test_whatever_the_numbers_the_record_is_json(outcome: Outcome) -> None:
    assert strict(outcome_record(outcome))["accepted"] is (outcome.fix is not None)
