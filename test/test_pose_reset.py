from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlm_vpr_ros.pose_reset import AGAIN_S, HISTORY_NS, HOLDS_S, PoseReset, Position, Reset

S = 10**9
CARRIED = np.array([150.0, -80.0])
SURE = 0.04 * np.eye(2)
FIX = 9.0 * np.eye(2)


def drive(rule: PoseReset, until_s: int, from_s: int = 0, speed: float = 1.0) -> None:
    """The filter believes to drive east, ten times a second."""
    for tenth in range(10 * from_s, 10 * until_s + 1):
        rule.believe(Position(tenth * S // 10, speed * tenth / 10, 0.0, SURE))


def at(second: float, away: np.ndarray = CARRIED, noise: float = 0.0) -> Position:
    x, y = away
    return Position(int(second * S), second + x + noise, y, FIX)


def ours(agreeing: int = 2, yaw_sigma_rad: float = 0.1) -> PoseReset:
    return PoseReset(gate=4.0, agreeing=agreeing, within_s=50.0, yaw_sigma_rad=yaw_sigma_rad)


def test_fixes_near_the_belief_lead_to_nothing() -> None:
    rule = ours()
    drive(rule, 20)
    assert [rule.fix(at(s, np.array([6.0, -5.0]))) for s in range(20)] == [None] * 20


def test_a_late_fix_is_moved_on_to_the_present() -> None:
    rule = ours()
    drive(rule, 20)
    assert rule.fix(at(8)) is None
    reset = rule.fix(at(10, noise=2.0))
    assert isinstance(reset, Reset)
    assert reset.fixes == 2
    assert reset.offset_m == pytest.approx(math.hypot(152, 80))
    assert reset.position.stamp_ns == 20 * S
    # The fix is of second 10, the robot has driven 10 m east since; the motion's error is added.
    assert (reset.position.x_m, reset.position.y_m) == pytest.approx((172.0, -80.0))
    assert reset.position.covariance_m2[0, 0] == pytest.approx(9.0 + (0.1 * 10) ** 2, rel=0.01)


def test_one_false_fix_resets_nothing() -> None:
    rule = ours()
    drive(rule, 20)
    for second in range(2, 18, 2):
        assert rule.fix(at(second)) is None
        assert rule.fix(at(second + 1, np.zeros(2))) is None


def test_the_same_image_twice_is_no_evidence() -> None:
    rule = ours()
    drive(rule, 20)
    assert [rule.fix(at(8)) for _ in range(5)] == [None] * 5


def test_two_false_fixes_long_after_each_other() -> None:
    rule = PoseReset(gate=4.0, agreeing=2, within_s=5.0, yaw_sigma_rad=0.1)
    drive(rule, 20)
    assert [rule.fix(at(second)) for second in (2, 8, 14)] == [None] * 3
    assert rule.fix(at(19)) is not None


def test_fixes_that_contradict_each_other_reset_nothing() -> None:
    rule = ours()
    drive(rule, 20)
    assert [rule.fix(at(s, CARRIED * (1 + s % 2))) for s in range(20)] == [None] * 20
    assert rule.fix(at(20.0, CARRIED * 2)) is not None, "the last two agree"


def test_a_turned_yaw_is_noticed_or_allowed_for() -> None:
    """The robot drove 40 m; the filter, turned by a right angle, believes 40 m east."""
    north = [Position(s * S, 150.0, float(s), FIX) for s in (0, 40)]
    for yaw_sigma_rad, accepted in ((0.1, False), (math.pi, True)):
        rule = ours(yaw_sigma_rad=yaw_sigma_rad)
        drive(rule, 41)
        assert rule.fix(north[0]) is None
        assert (rule.fix(north[1]) is not None) == accepted


def test_after_a_reset_older_images_count_no_more() -> None:
    rule = ours()
    drive(rule, 20)
    assert rule.fix(at(8)) is None
    assert rule.fix(at(9)) is not None
    assert [rule.fix(at(s)) for s in (10, 15, 20)] == [None] * 3
    for tenth in range(201, 301):  # the filter took the reset
        rule.believe(Position(tenth * S // 10, tenth / 10 + CARRIED[0], CARRIED[1], SURE))
    assert [rule.fix(at(s)) for s in (25, 26, 27)] == [None] * 3
    assert rule.fix(at(28, np.zeros(2))) is None
    assert rule.fix(at(29, np.zeros(2))) is not None, "carried back"


def test_a_fix_older_than_the_history() -> None:
    rule = ours(agreeing=1)
    drive(rule, 5)
    rule.believe(Position(5 * S + HISTORY_NS + 1, 5.0, 0.0, SURE))
    assert rule.fix(at(5)) is None
    assert rule.fix(at(126)) is not None


def test_a_filter_that_has_fallen_silent_is_not_contradicted() -> None:
    rule = ours()
    drive(rule, 20)
    assert [rule.fix(at(20 + HOLDS_S + s)) for s in (0.1, 1.0, 60.0)] == [None] * 3
    drive(rule, 100, from_s=99)
    assert rule.fix(at(100)) is None, "the first that contradicts what the filter says now"
    assert rule.fix(at(101)) is not None, "the newest belief holds for a while"


def test_a_filter_that_is_silent_while_its_robot_stands() -> None:
    """As AMCL: the robot stood at 20 m, and was carried."""
    rule = PoseReset(gate=4.0, agreeing=2, within_s=50.0, yaw_sigma_rad=math.pi, holds_s=math.inf)
    drive(rule, 20)
    here = [Position(s * S, 20.0 + CARRIED[0], CARRIED[1], FIX) for s in (300, 310)]
    assert [rule.fix(fix) is not None for fix in here] == [False, True]


def waiting(agreeing: int = 3) -> PoseReset:
    """The rule beside an AMCL that waits for its first pose."""
    return PoseReset(
        gate=4.0,
        agreeing=agreeing,
        within_s=10.0,
        yaw_sigma_rad=math.pi,
        holds_s=math.inf,
        begins=True,
    )


def seen(second: float, x_m: float = 200.0) -> Position:
    return Position(int(second * S), x_m, 40.0, FIX)


def test_a_first_pose_needs_as_many_fixes_that_agree() -> None:
    rule = waiting()
    assert [rule.fix(seen(s, x)) for s, x in enumerate((0.0, 900.0, 200.0, 201.0))] == [None] * 4
    assert rule.fix(seen(3)) is None, "the same image again"
    first = rule.fix(seen(4, 202.0))
    assert first is not None
    assert (first.position, first.fixes) == (seen(4, 202.0), 3)


def test_an_ekf_begins_by_itself() -> None:
    rule = ours()
    assert [rule.fix(seen(s)) for s in range(10)] == [None] * 10


def test_a_first_pose_is_told_again_only_after_a_while() -> None:
    rule = waiting(agreeing=1)
    told = [s for s in range(40) if rule.fix(seen(s)) is not None]
    assert told == [0, 11, 22, 33]
    assert AGAIN_S == 10.0


def test_before_the_first_pose_a_clock_may_go_back() -> None:
    rule = waiting()
    assert [rule.fix(seen(s)) is not None for s in (98, 99, 100)] == [False, False, True]
    assert [rule.fix(seen(s)) is not None for s in (1, 2, 3)] == [False, False, True]


def test_fixes_before_the_first_belief_are_no_contradiction_of_it() -> None:
    rule = waiting()
    assert [rule.fix(seen(s)) for s in (1, 2)] == [None] * 2
    rule.believe(Position(3 * S, 200.0, 40.0, SURE))
    assert [rule.fix(seen(s)) for s in range(3, 10)] == [None] * 7
    assert [rule.fix(seen(s, 900.0)) is not None for s in (11, 12, 13)] == [False, False, True]


def test_a_filter_that_began_anew_is_given_its_first_pose() -> None:
    rule = waiting()
    drive(rule, 20)
    rule.forget()
    assert [rule.fix(seen(s)) is not None for s in (21, 22, 23)] == [False, False, True]


def test_a_clock_that_goes_back_forgets() -> None:
    rule = ours()
    drive(rule, 20)
    assert rule.fix(at(18)) is None
    drive(rule, 3)
    assert rule.fix(at(2)) is None, "the first of the new run"
    assert rule.fix(at(3)) is not None


@given(
    st.lists(
        st.tuples(st.integers(0, 60), st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)), max_size=20
    ),
    st.integers(1, 4),
)
def test_never_before_enough_fixes(fixes: list[tuple[int, float, float]], agreeing: int) -> None:
    rule = ours(agreeing)
    drive(rule, 30)
    since = 0
    for second, x, y in fixes:
        since += 1
        reset = rule.fix(Position(second * S, x, y, FIX))
        if reset is not None:
            assert since >= agreeing
            assert reset.fixes == agreeing
            assert np.linalg.eigvalsh(reset.position.covariance_m2)[0] > 0
            since = 0
