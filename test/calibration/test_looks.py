"""What is seen of held-out drives."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from evaluation.stand_ins import Recording, query, references

from vlm_vpr_ros.calibration.looks import Watched, watch
from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.types import Candidate, Fix, Frame, GeoPoint, Hypothesis, Outcome, Reason

MAP = references([0.0, 0.01], [0.0, 0.0])
"""Two references, 1.1 km apart."""
NEAR = GeoPoint(0.0001, 0.0)
"""11 m from the first."""
FAR = GeoPoint(0.005, 0.0)


@dataclass
class Fixed:
    """Says that it is at the first reference, or else at the second; counts its frames."""

    calls: list[str] = field(default_factory=list)
    since_reset: int = 0
    blind: bool = False
    waits: list[float] = field(default_factory=list)

    def localize(self, frame: Frame, wait_for_prior_s: float = 0.0) -> Outcome:
        self.calls.append(frame.source)
        self.waits.append(wait_for_prior_s)
        self.since_reset += 1
        if self.blind:
            return Outcome(frame.stamp_ns, Reason.DARK_IMAGE, "dark")
        places = [GeoPoint(0.0, 0.0), GeoPoint(0.01, 0.0)]
        hypotheses = tuple(
            Hypothesis(p, 0.9, None, q, 25.0 * np.eye(2), (Candidate(i, p, 0.9, log_odds=z),))
            for i, (p, q, z) in enumerate(zip(places, (0.7, 0.2), (3.0, 1.5), strict=True))
        )
        fix = Fix(places[0], np.diag([25.0, 25.0, 100.0]))
        return Outcome(
            frame.stamp_ns, Reason.ACCEPTED, "", fix, (), hypotheses, frames=self.since_reset
        )

    def reset(self) -> None:
        self.since_reset = 0


def watched(
    *sources: Recording, gathering: Fixed | None = None, cold: Fixed | None = None
) -> Watched:
    return watch(
        sources,
        MAP,
        gathering or Fixed(),
        cold or Fixed(),
        frames=3,
        false_radius_m=50.0,
    )


def drive(name: str, count: int, position: GeoPoint = NEAR) -> Recording:
    return Recording([query(f"{name}{i}", name, position) for i in range(count)])


def test_every_frame_is_looked_at_alone_and_in_one_window() -> None:
    gathering, cold = Fixed(), Fixed()
    done = watched(drive("a", 7), drive("b", 2), gathering=gathering, cold=cold)
    first, second = done.drives
    assert [len(first.singles), len(second.singles)] == [7, 2]
    assert [len(w) for w in first.windows] == [3, 3] and second.windows == []
    assert all(look.frames == 1 for look in first.singles + second.singles)
    assert [look.frames for look in first.windows[1]] == [1, 2, 3]
    # The first frame of a window is looked at once: it is the first one anyway.
    assert cold.calls == ["a1", "a2", "a4", "a5", "b1"]
    assert gathering.calls == [f"a{i}" for i in range(7)] + ["b0", "b1"]


def test_a_look_knows_the_truth() -> None:
    (look, *_) = watched(drive("a", 1)).drives[0].singles
    assert look.right.tolist() == [True, False] and not look.false
    assert look.support == pytest.approx(3.0 - np.log(1 + np.exp(1.5)))
    unmapped = look.unmapped()
    assert unmapped.false and unmapped.support == pytest.approx(1.5)
    assert look.sigmas_off == pytest.approx(11.06 / 5, rel=0.01)
    (look, *_) = watched(drive("a", 1, GeoPoint(0.01, 0.0))).drives[0].singles
    assert look.right.tolist() == [False, True] and look.false


def test_outside_of_the_region_every_answer_is_false() -> None:
    done = watched(drive("a", 2), drive("b", 4, FAR)).drives
    assert [d.outside for d in done] == [0, 4]
    assert all(look.false and not look.right.any() for look in done[1].singles)
    # 45 m from the answer, but nothing was mapped within 50 m of the truth.
    sparse = references([0.0, 0.0], [-0.0006, 0.0006])
    between = watch(
        [drive("c", 1, GeoPoint(0.0, 0.0))], sparse, Fixed(), Fixed(), frames=3, false_radius_m=50.0
    )
    assert between.drives[0].outside == 1 and between.drives[0].singles[0].false


def test_a_frame_without_any_place_is_never_answered() -> None:
    (look,) = watched(drive("a", 1), gathering=Fixed(blind=True)).drives[0].singles
    assert look.support == -np.inf and look.false and np.isnan(look.sigmas_off)


def test_a_drive_in_pieces_cannot_pass_for_many() -> None:
    pairs = zip(drive("a", 9).observed, drive("b", 9).observed, strict=True)
    mixed = [frame for pair in pairs for frame in pair]
    with pytest.raises(SourceError, match="drive `a` goes on at a1 after another"):
        watched(Recording(mixed))


def test_a_drive_that_is_in_the_region_is_refused() -> None:
    own = Recording([query("image1.jpg", "map", GeoPoint(0.01, 0.0))])
    with pytest.raises(SourceError, match=r"image1\.jpg is a reference of this region"):
        watched(drive("a", 3), own)


def test_what_cannot_be_used_is_reported() -> None:
    mixed = drive("a", 2)
    mixed.observed += [query("lost", "a", None), query("torn", "a", broken=True)]
    done = watched(mixed)
    assert len(done.drives[0].singles) == 2
    assert [failure.source for failure in done.failures] == ["torn"]
    assert done.report.left_out["frame without a position"] == 1
    nowhere = [replace(o, position=None) for o in mixed.observed]
    with pytest.raises(SourceError, match="no frame with an image and a position"):
        watched(Recording(nowhere))
