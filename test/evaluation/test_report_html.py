from __future__ import annotations

import functools
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stand_ins import Diary, Recording, accepted, query, references, refused, region

from vlm_vpr_ros.evaluation.drawing import draw
from vlm_vpr_ros.evaluation.evaluation_scene import evaluation_scene
from vlm_vpr_ros.evaluation.map_html import page
from vlm_vpr_ros.evaluation.outcome_picture import OutcomePainter
from vlm_vpr_ros.evaluation.report import report
from vlm_vpr_ros.evaluation.report_html import report_page
from vlm_vpr_ros.evaluation.run import Evaluation, evaluate
from vlm_vpr_ros.evaluation.worst_cases import MAX_PICTURE_BYTES, choose, worst_cases
from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior
from vlm_vpr_ros.types import Candidate, GeoPoint, Hypothesis, Outcome, PriorReport, PriorStatus

VOID = {"meta", "img", "br", "input"}
HERE, NEAR, FAR = GeoPoint(0.0, 0.0), GeoPoint(0.0, 0.0001), GeoPoint(0.01, 0.0)
TOWN = region(references([0.0, 0.0005], [0.0, 0.0]))


class Page(HTMLParser):
    """Checks that every element is closed in its turn, and collects what a browser would see."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str, str]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, name: str) -> list[str]:
        return [value for _, key, value in self.attributes if key == name]


def placed(outcome: Outcome, position: GeoPoint, probability: float) -> Outcome:
    """The outcome with one place considered."""
    candidates = (Candidate(0, position, 0.8, 40),)
    return replace(
        outcome,
        candidates=candidates,
        hypotheses=(Hypothesis(position, 0.8, 40, probability, 16.0 * np.eye(2), candidates),),
        probability=probability,
        stages={"retrieval": candidates},
    )


class InTurn(Diary):
    """Gives one outcome after the other, over and over."""

    def __init__(self, outcomes: list[Outcome]) -> None:
        super().__init__(outcomes[0])
        self._left = itertools.cycle(outcomes)

    def localize(self, _: object, __: float = 0.0) -> Any:
        return next(self._left)


OUTCOMES = [
    placed(accepted(NEAR), NEAR, 0.99),
    placed(accepted(FAR), FAR, 0.97),
    placed(refused(), FAR, 0.4),
    placed(refused(), NEAR, 0.3),
    refused(),
]


def evaluated(
    outcomes: list[Outcome], name: str = "q", frames: int | None = None
) -> tuple[Evaluation, Recording]:
    recording = Recording([query(f"{name}{i}", name) for i in range(len(outcomes))])
    cold = Diary(refused())
    localizer = InTurn(outcomes)
    return evaluate([recording], TOWN.references, localizer, cold, frames=frames), recording


def page_of(
    outcomes: list[Outcome],
    name: str = "q",
    remarks: tuple[str, ...] = (),
    pictures: bool = True,
    frames: int | None = None,
) -> str:
    evaluation, recording = evaluated(outcomes, name, frames)
    town = region(TOWN.references, name=name.replace("/", "").replace("\0", "") or "town")
    painter = OutcomePainter(_bare(), None)
    return report_page(
        report(evaluation, town, 50.0),
        evaluation.causal_scores,
        page(draw(evaluation_scene(evaluation, town, 50.0))),
        worst_cases(evaluation, [recording] if pictures else [], painter, 50.0),
        remarks,
    )


def _bare() -> Any:
    bare = region(TOWN.references)
    bare.features = bare.thumbnails = None
    return bare


def test_the_page_is_whole_and_shows_every_part() -> None:
    seen = Page(page_of(OUTCOMES))
    text = " ".join(seen.text)
    for words in (
        "1 of 2",
        "Reliability",
        "Precision and coverage",
        "Ellipses",
        "Latency by stage",
    ):
        assert words in text
    for heading in ("From stage to stage", "Recall", "Drives", "Worth a look"):
        assert heading in text
    assert seen.tags.count("svg") == 6 and seen.tags.count("iframe") == 1
    assert "weak_evidence" in text and "retrieval, causal" in text


@pytest.mark.parametrize(
    ("frames", "ways"),
    [(None, {"causal", "cold"}), (1, {"1 frame"}), (2, {"2 frames", "stopped", "cold"})],
)
def test_every_way_of_asking_is_shown_once_and_explained(
    frames: int | None, ways: set[str]
) -> None:
    text = Page(page_of(OUTCOMES, frames=frames)).text
    of_answers = {t for t in text if t in {"causal", "1 frame", "2 frames", "stopped", "cold"}}
    assert of_answers == ways
    assert [text.count(way) for way in ways] == [2] * len(ways)  # in the table and where explained


def test_the_page_fetches_nothing() -> None:
    seen = Page(page_of(OUTCOMES))
    links = [
        value
        for name in ("src", "href", "action", "srcset", "data", "xlink:href")
        for value in seen.values(name)
    ]
    assert links and all(link.startswith("data:image/jpeg;base64,") for link in links)
    outside = [*seen.text, *seen.values("style")]
    (frame,) = seen.values("srcdoc")
    for text in [*outside, frame]:
        assert not re.search(r"https?:|@import|url\(", text)
    policies = [v for v in seen.values("content") if "default-src" in v]
    assert len(policies) == 1 and policies[0].startswith("default-src 'none'")
    assert seen.values("sandbox") == ["allow-scripts"]
    assert "script" not in seen.tags


@settings(max_examples=25)
@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_names_of_strangers_stay_text(name: str, remark: str) -> None:
    strange = Page(page_of(OUTCOMES, name, (remark,), pictures=False))
    assert sorted(strange.tags) == sorted([*_plain_tags(), "p"])


@functools.cache
def _plain_tags() -> list[str]:
    return Page(page_of(OUTCOMES, pictures=False)).tags


def _components(label: str) -> tuple[Component, ...]:
    return Component(0, 0, 2e4, 0.1, "elsewhere"), Component(0, 0, 1e4, 0.8, label)


@pytest.mark.parametrize(
    "name", ["</style><script>alert(1)</script>", '"><img src=x onerror=y>', "@@content@@", "&lt;"]
)
def test_names_that_would_break_out_do_not(name: str) -> None:
    outcomes = [replace(outcome, detail=name) for outcome in OUTCOMES]
    prior = PriorReport(PriorStatus.USED, GeoPrior(_components(name), 0.1, "vlm"), name)
    outcomes[1] = replace(outcomes[1], prior=prior)
    seen = Page(page_of(outcomes, name, (name,)))
    assert "script" not in seen.tags and not seen.values("onerror")
    text = "".join(seen.text)
    assert f"{name} (weight 80%, sigma 10.0 km)" in text and f"prior used: {name}" in text


def test_of_nothing_accepted_the_page_claims_nothing() -> None:
    seen = Page(page_of([refused(), refused()]))
    text = " ".join(seen.text)
    assert "none given" in text and "so their rate is not known" in text
    assert "Ellipses" not in [t for t in seen.text if t == "Ellipses"]
    assert "Worth a look" not in text


def test_the_worst_of_each_kind_come_first() -> None:
    evaluation, _ = evaluated(OUTCOMES)
    found = [(kind, trial.source) for kind, trial, _ in choose(evaluation, 50.0)]
    assert found == [
        ("false fix", "q1"),
        ("answered, least exact", "q0"),
        ("refused, the place was wrong", "q2"),
        ("refused, the place was right", "q3"),
    ]


def test_an_image_that_has_gone_is_told_without_its_picture() -> None:
    evaluation, _ = evaluated(OUTCOMES[:1])
    gone = Recording([query("q0", broken=True)])
    (case,) = worst_cases(evaluation, [gone], OutcomePainter(_bare(), None), 50.0)
    assert case.jpeg == b""


def test_pictures_are_bounded() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (900, 1600, 3), dtype=np.uint8)
    evaluation, _ = evaluated(OUTCOMES[:1])
    recording = Recording([replace(query("q0"), load=lambda: noise)])
    (case,) = worst_cases(evaluation, [recording], OutcomePainter(_bare(), None), 50.0)
    assert case.jpeg[:2] == b"\xff\xd8" and len(case.jpeg) <= MAX_PICTURE_BYTES


@given(st.lists(st.sampled_from(OUTCOMES), min_size=1, max_size=12))
@settings(max_examples=20)
def test_any_mix_of_outcomes_makes_a_whole_page(outcomes: list[Outcome]) -> None:
    text = page_of(outcomes, pictures=False)
    Page(text)
    assert not re.search(r"[^a-z](nan|inf)[^a-z]", re.sub(r"srcdoc=\"[^\"]*\"", "", text))
