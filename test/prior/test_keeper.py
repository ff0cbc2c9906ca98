"""What is known of where the robot is, from frame to frame."""

from __future__ import annotations

import math
from concurrent.futures import Future
from dataclasses import dataclass

import numpy as np
import pytest
from support.priors import at

from vlm_vpr_ros.config import PriorConfig
from vlm_vpr_ros.errors import PriorError
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.prior.keeper import ANSWERS, PriorKeeper
from vlm_vpr_ros.types import Frame, Odometry, PriorStatus, RgbImage

SECOND = 10**9
IMAGE = np.zeros((2, 2, 3), np.uint8)


@dataclass(frozen=True)
class Said:
    prior: GeoPrior | None = None
    failure: str = ""


class Oracle:
    """A model that answers when the test says so."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.answers: list[Future[Said]] = []
        self.closed = False

    def ask(self, image: RgbImage, stamp_ns: int) -> Future[Said]:
        assert image is IMAGE
        self.asked.append(stamp_ns // SECOND)
        self.answers.append(Future())
        return self.answers[-1]

    def health(self) -> dict[str, str]:
        return {"model": "listening"}

    def close(self) -> None:
        self.closed = True


def prior_of(answer: Said) -> GeoPrior:
    if answer.prior is None:
        raise PriorError("no such place")
    return answer.prior


def frame(second: float, x_m: float | None = None) -> Frame:
    odometry = None if x_m is None else Odometry(x_m, 0.0, 0.0)
    return Frame(IMAGE, int(second * SECOND), odometry=odometry)


@pytest.fixture(name="oracle")
def _oracle() -> Oracle:
    return Oracle()


def keeper(oracle: Oracle | None, max_speed_mps: float = 15.0, **config: object) -> PriorKeeper:
    return PriorKeeper(PriorConfig(**config), max_speed_mps, oracle, prior_of)  # type: ignore[arg-type]


def sigma_m(made: PriorKeeper, second: float) -> float:
    report = made.current(int(second * SECOND), 0.0)
    assert report.status is PriorStatus.USED and report.prior is not None
    return report.prior.components[0].sigma_m


def test_nothing_configured_is_off() -> None:
    made = keeper(None)
    made.ask(frame(0))
    report = made.current(0, 5.0)
    assert report.status is PriorStatus.OFF and report.prior is None and report.detail
    assert made.describe() == {"prior": "off"}
    made.close()


def test_a_fixed_prior_stays(oracle: Oracle) -> None:
    made = keeper(oracle, center="48, 11")
    for second in (0, 1000):
        made.ask(frame(second))
        report = made.current(second * SECOND, 0.0)
        assert report.status is PriorStatus.USED
        assert "prior.center" in report.detail and "has not arrived" in report.detail
    assert sigma_m(made, 1e6) == sigma_m(made, 0)
    before = sigma_m(made, 0)
    made.reset()
    assert sigma_m(made, 0) == before


def test_an_answer_is_awaited_used_and_carried(oracle: Oracle) -> None:
    made = keeper(oracle)
    made.ask(frame(10))
    assert made.current(10 * SECOND, 0.0).status is PriorStatus.WAITING
    assert made.current(10 * SECOND, 0.01).status is PriorStatus.WAITING
    made.ask(frame(11))
    assert oracle.asked == [10]  # one question at a time
    oracle.answers[0].set_result(Said(at(48, 11, 1e4)))
    report = made.current(11 * SECOND, 60.0)  # returns at once
    assert report.status is PriorStatus.USED
    assert "there (weight 90%, sigma 10.0 km)" in report.detail
    made.ask(frame(12))
    assert made.current(12 * SECOND, 60.0).status is PriorStatus.USED
    assert oracle.asked == [10]


def test_time_widens_an_answer_and_at_last_the_model_is_asked_again(oracle: Oracle) -> None:
    made = keeper(oracle, max_speed_mps=10.0, ask_again_m=500.0)
    made.ask(frame(0))
    oracle.answers[0].set_result(Said(at(48, 11, 300.0)))
    for second in (1, 40, 49):
        made.ask(frame(second))
        expected = math.hypot(300.0, 10.0 * second / math.sqrt(2))
        assert sigma_m(made, second) == pytest.approx(expected)
    made.ask(frame(50))
    assert oracle.asked == [0, 50]
    before = sigma_m(made, 50)
    assert before > 300  # the old one, until the new one is there
    oracle.answers[1].set_result(Said(at(48, 11, 300.0)))
    assert 300 < sigma_m(made, 50) < before


def test_odometry_decides_how_far_the_robot_came(oracle: Oracle) -> None:
    made = keeper(oracle, ask_again_m=100.0)
    made.ask(frame(0, x_m=5.0))
    oracle.answers[0].set_result(Said(at(48, 11, 300.0)))
    for second, x_m in ((1000, 5.0), (2000, 45.0), (3000, 5.0)):
        made.ask(frame(second, x_m))
    assert sigma_m(made, 3000) == pytest.approx(math.hypot(300.0, 80.0 / math.sqrt(2)))
    assert oracle.asked == [0]
    made.ask(frame(3001, 25.0))
    assert oracle.asked == [0, 3001]


def test_lost_odometry_is_not_a_robot_that_stands(oracle: Oracle) -> None:
    made = keeper(oracle, max_speed_mps=10.0, ask_again_m=1e6)
    made.ask(frame(0, x_m=0.0))
    oracle.answers[0].set_result(Said(at(48, 11, 300.0)))
    made.ask(frame(100))
    assert sigma_m(made, 100) > 700
    made.ask(frame(101, x_m=30.0))  # it is back, and tells of the gap
    assert sigma_m(made, 101) == pytest.approx(math.hypot(300.0, 30.0 / math.sqrt(2)))


@pytest.mark.parametrize("answer", [Said(failure="the worker died"), Said(None)])
def test_a_failure_is_told_and_the_next_frame_asks_again(oracle: Oracle, answer: Said) -> None:
    made = keeper(oracle)
    made.ask(frame(0))
    oracle.answers[0].set_result(answer)
    report = made.current(0, 1.0)
    assert report.status is PriorStatus.FAILED and report.prior is None
    assert (answer.failure or "no such place") in report.detail
    made.ask(frame(1))
    assert oracle.asked == [0, 1]
    assert made.current(SECOND, 0.0).status is PriorStatus.WAITING
    oracle.answers[1].set_result(Said(at(48, 11, 1e4)))
    report = made.current(SECOND, 0.0)
    assert report.status is PriorStatus.USED and "died" not in report.detail


def test_a_failure_leaves_the_earlier_answer_in_use(oracle: Oracle) -> None:
    made = keeper(oracle, ask_again_m=0.0)
    made.ask(frame(0))
    oracle.answers[0].set_result(Said(at(48, 11, 1e4)))
    made.ask(frame(1))
    oracle.answers[1].set_result(Said(failure="the worker died"))
    report = made.current(SECOND, 0.0)
    assert report.status is PriorStatus.USED and "the worker died" in report.detail


def test_what_is_told_multiplies_and_is_replaced(oracle: Oracle) -> None:
    made = keeper(oracle, center="48, 11", radius_km=100)
    made.ask(frame(0))
    made.observe(at(48.2, 11, 1e3), 0)
    report = made.current(0, 0.0)
    assert report.prior is not None and report.prior.source == "fixed+vlm"
    narrow = max(report.prior.components, key=lambda c: c.weight)
    assert narrow.sigma_m == pytest.approx(1e3, rel=1e-2)
    made.observe(at(47.9, 11, 1e3), 0)
    prior = made.current(0, 0.0).prior
    assert prior is not None and prior.log_density(47.9, 11) > prior.log_density(48.2, 11) + 3
    assert sigma_m(made, 1000) > 2e3


def test_a_robot_that_is_lost_again_may_be_anywhere(oracle: Oracle) -> None:
    made = keeper(oracle)
    made.ask(frame(0))
    made.concluded(accepted=False)
    oracle.answers[0].set_result(Said(at(48, 11, 1000)))
    made.observe(at(48, 11, 500), 0)
    assert made.current(0, 0.0).status is PriorStatus.USED, "it was not found yet"
    made.concluded(accepted=True)
    made.ask(frame(1))
    made.concluded(accepted=False)
    assert oracle.asked == [0]
    made.ask(frame(2))
    assert oracle.asked == [0, 2]
    assert made.current(2 * SECOND, 0.0).status is PriorStatus.WAITING
    made.concluded(accepted=False)
    oracle.answers[1].set_result(Said(at(-33, 151, 1000)))
    made.ask(frame(3))
    assert oracle.asked == [0, 2, 3], "it is still lost, and may be carried on unseen"
    assert made.current(3 * SECOND, 0.0).status is PriorStatus.USED


def test_an_answer_from_before_the_loss_is_not_used(oracle: Oracle) -> None:
    made = keeper(oracle)
    made.concluded(accepted=True)
    made.ask(frame(0))
    made.concluded(accepted=False)
    oracle.answers[0].set_result(Said(at(48, 11, 1000)))
    made.ask(frame(1))
    assert oracle.asked == [0, 1]
    assert made.current(SECOND, 0.0).status is PriorStatus.WAITING


def test_one_answer_in_three_that_contradicts_is_outvoted(oracle: Oracle) -> None:
    made = keeper(oracle)
    for second, lat_deg in enumerate((48, -33, 48)):
        made.ask(frame(second))
        oracle.answers[-1].set_result(Said(at(lat_deg, 11, 1000)))
        report = made.current(second * SECOND, 0.0)
        made.concluded(accepted=False)
    assert report.prior is not None
    assert max(report.prior.components, key=lambda c: c.weight).lat_deg == 48


def test_old_answers_are_forgotten(oracle: Oracle) -> None:
    made = keeper(oracle, max_speed_mps=0.0)
    for second in range(2 * ANSWERS):
        made.ask(frame(second))
        there = at(48, 11, 1000) if second < ANSWERS else at(-33, 151, 1000)
        oracle.answers[-1].set_result(Said(there))
        made.concluded(accepted=False)
    report = made.current(2 * ANSWERS * SECOND, 0.0)
    assert report.prior is not None
    assert [c.lat_deg for c in report.prior.components] == [-33]


def test_reset_forgets_answers_and_questions(oracle: Oracle) -> None:
    made = keeper(oracle)
    made.ask(frame(0))
    made.observe(at(48, 11, 1e4), 0)
    made.reset()
    assert made.current(0, 0.0).status is PriorStatus.OFF
    made.ask(frame(1))
    assert oracle.asked == [0, 1]
    oracle.answers[1].set_result(Said(at(48, 11, 1e4)))
    made.reset()
    assert made.current(SECOND, 0.0).status is PriorStatus.OFF


def test_health_of_the_model_is_told_and_it_is_closed(oracle: Oracle) -> None:
    made = keeper(oracle, center="48, 11")
    assert made.describe() == {"prior": "fixed, model", "model": "listening"}
    made.close()
    assert oracle.closed
