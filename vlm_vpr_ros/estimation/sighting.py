"""What single frames say about where the robot is, and which of them to remember."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vlm_vpr_ros.estimation.motion import Moment
from vlm_vpr_ros.retrieval.novelty import Novelty
from vlm_vpr_ros.types import Candidate, Descriptor


@dataclass(frozen=True)
class Sighting:
    """What one frame says.

    Attributes:
        moment: when it was taken.
        candidates: with the log-odds of this frame alone, best first.
        drives: the mapping drive of each candidate.
    """

    moment: Moment
    candidates: tuple[Candidate, ...]
    drives: tuple[str, ...]


class Sightings:
    """The sightings of the last different views, oldest first.

    A view that is seen again replaces what was seen of it before: whoever looks twice at the same
    scene has not learnt twice as much, and a parked robot never grows surer.

    Args:
        novelty: tells different views apart.
        limit: how many views at most.
    """

    def __init__(self, novelty: Novelty, limit: int) -> None:
        self._novelty = novelty
        self._limit = limit
        self._views: list[tuple[Descriptor, Sighting]] = []

    def add(self, descriptor: Descriptor, sighting: Sighting) -> None:
        """Take what a frame of this raw descriptor says; it is the newest now."""
        # The first frame of a view stands for it: a view that drifts away becomes another one.
        view = descriptor
        for known, _ in self._views:
            if not self._novelty.differ(known, descriptor):
                view = known
                break
        self._views = [(d, s) for d, s in self._views if d is not view]
        self._views = [*self._views, (view, sighting)][-self._limit :]

    def clear(self) -> None:
        """Forget all."""
        self._views = []

    def __iter__(self) -> Iterator[Sighting]:
        return iter([sighting for _, sighting in self._views])

    def __len__(self) -> int:
        return len(self._views)
