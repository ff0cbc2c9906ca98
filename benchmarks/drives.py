"""Drives of the data sets, and regions made of them for the time of a measurement."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from vlm_vpr_ros.config import GateConfig, LocalizerConfig
from vlm_vpr_ros.evaluation.run import Evaluation, evaluate
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.mapping.observation import Observation, Source, SourceReport
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.region import Region

FALSE_FIX_M = GateConfig().false_radius_m


class Part:
    """Some observations of a source, as a source.

    Args:
        whole: the source.
        choose: which of its observations, given all of them in order.
    """

    def __init__(
        self, whole: Source, choose: Callable[[list[Observation]], Sequence[Observation]]
    ) -> None:
        self.name = whole.name
        self._whole = whole
        self._choose = choose

    @property
    def report(self) -> SourceReport:
        """What the last reading left out."""
        return self._whole.report

    def count(self) -> int:
        """How many observations at most."""
        return len(self._choose(list(self._whole.observations())))

    def observations(self) -> Iterator[Observation]:
        """Yield the chosen ones."""
        yield from self._choose(list(self._whole.observations()))


@contextmanager
def region_of(references: Source, networks: Networks) -> Iterator[Region]:
    """A region that lasts as long as the block."""
    with tempfile.TemporaryDirectory() as folder:
        build_region([references], Path(folder) / "region", networks)
        yield Region.open(Path(folder) / "region")


def both_ways(
    queries: Sequence[Source], region: Region, networks: Networks, config: LocalizerConfig
) -> Evaluation:
    """Localize the queries, causal and cold."""
    causal = Localizer(region, networks, config)
    cold = Localizer(region, networks, config.of_single_frames)
    return evaluate(queries, region.references, causal, cold)
