"""Where to look for a frame.

A region whose descriptors fit a budget of memory traffic is searched whole; the prior then only
weighs what was found. Of a larger one, a search looks at the cells in which the prior puts most
mass, up to a share of all references. Priors are wrong often, so it also looks at the references
whose sketches resemble the frame's most, wherever they are.
"""

from __future__ import annotations

import h3
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.config import RetrievalConfig
from vlm_vpr_ros.geodesy import unit_vectors
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.types import Candidate, Descriptor

_BYTES_PER_NUMBER = 2  # fp16


class GuidedSearch:
    """Searches a region, with or without a prior.

    Attributes:
        guided: whether a prior decides where to look.
    """

    def __init__(self, region: Region, config: RetrievalConfig) -> None:
        self._region = region
        self._config = config
        size_mb = len(region.references) * region.manifest.encoder.dim * _BYTES_PER_NUMBER / 1e6
        self.guided = size_mb > config.whole_below_mb
        self._cells = _Cells(region)

    def nearest(self, descriptor: Descriptor, prior: GeoPrior | None) -> tuple[Candidate, ...]:
        """The `retrieval.candidates` references most similar to a centred descriptor, best first.

        Args:
            descriptor: (dim,) centred, unit length.
            prior: None: all references are looked at.
        """
        k = self._config.candidates
        if not self.guided or prior is None:
            return self._region.search(descriptor, k)
        return self._region.search(descriptor, k, *self.probes(descriptor, prior))

    def probes(
        self, descriptor: Descriptor, prior: GeoPrior
    ) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Cells in which to look, and references at which to look wherever they are."""
        count = len(self._region.references)
        cells = self._cells.most_probable(prior, int(self._config.prior_share * count))
        rows = self._region.sketch.nearest(descriptor, int(self._config.sketch_share * count))
        return cells, rows


class _Cells:
    """The cells of a region: where each lies, and how many references it has."""

    def __init__(self, region: Region) -> None:
        references = region.references
        self._ids, cell_of_row = np.unique(references.cell, return_inverse=True)
        self._sizes = np.bincount(cell_of_row)
        points = unit_vectors(references.lat_deg, references.lon_deg)
        x, y, z = (np.bincount(cell_of_row, weights=points[:, axis]) for axis in range(3))
        self._lat_deg = np.degrees(np.arctan2(z, np.hypot(x, y)))
        self._lon_deg = np.degrees(np.arctan2(y, x))
        resolution = region.manifest.cell_resolution
        self._area_m2 = h3.average_hexagon_area(resolution, unit="m^2")

    def most_probable(self, prior: GeoPrior, references: int) -> npt.NDArray[np.uint64]:
        """The cells of highest mass that together have at most so many references, and one more."""
        mass = prior.cell_mass(self._lat_deg, self._lon_deg, self._area_m2)
        order = np.argsort(-mass, kind="stable")
        before = np.cumsum(self._sizes[order]) - self._sizes[order]
        chosen: npt.NDArray[np.uint64] = self._ids[order[before <= references]]
        return chosen
