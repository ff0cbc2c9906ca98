"""A geographic prior: a mixture of Gaussians on the sphere and a uniform floor.

A Gaussian here is a von Mises–Fisher distribution with concentration κ = (R / σ)²: near its centre
the Gaussian of the plane, exactly normalised on the sphere for every width, and blind to where the
antimeridian and the poles lie (K. V. Mardia and P. E. Jupp, Directional Statistics, 2000, 9.3.2).
Latitudes are taken as those of a sphere: distances are off by up to 0.6 %, far less than any width.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import PriorError
from vlm_vpr_ros.geodesy import unit_vectors

Floats = npt.NDArray[np.float64]

EARTH_RADIUS_M = 6_371_008.8
"""Mean radius."""
MIN_SIGMA_M = 1.0
MAX_SIGMA_M = 2e7
"""Half way around the Earth: a Gaussian this wide is nearly uniform."""
MAX_COMPONENTS = 1000
_SUM_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Component:
    """One Gaussian of a prior.

    Attributes:
        lat_deg: centre.
        lon_deg: centre.
        sigma_m: standard deviation of one horizontal axis.
        weight: its share of the prior.
        label: what it stands for, for people: "Lund, Sweden".
    """

    lat_deg: float
    lon_deg: float
    sigma_m: float
    weight: float
    label: str = ""


@dataclass(frozen=True)
class GeoPrior:
    """Where on Earth a frame was probably taken.

    Attributes:
        components: their weights and `floor` sum to one.
        floor: share that is spread evenly over the Earth.
        source: where it comes from: "vlm", "fixed", "topic", or several joined by "+".

    Raises:
        PriorError: a number is out of range, or the shares do not sum to one.
    """

    components: tuple[Component, ...]
    floor: float
    source: str

    def __post_init__(self) -> None:
        if len(self.components) > MAX_COMPONENTS:
            raise PriorError(f"a prior of {len(self.components)} parts: {MAX_COMPONENTS} at most")
        for number, part in enumerate(self.components, 1):
            if fault := _fault(part):
                raise PriorError(
                    f"part {number} of the prior ({part.label or 'no label'}): {fault}"
                )
        total = self.floor + math.fsum(part.weight for part in self.components)
        if not (0 <= self.floor <= 1 and abs(total - 1) <= _SUM_TOLERANCE):
            raise PriorError(f"the shares of a prior sum to {total:g}, not to 1")

    @classmethod
    def mixture(cls, components: Sequence[Component], floor: float, source: str) -> GeoPrior:
        """A prior of components whose weights have any sum: they are scaled to share 1 − floor.

        Components without weight are left out; without any, the prior is uniform.

        Raises:
            PriorError: a number is out of range.
        """
        if not all(0 <= part.weight < math.inf for part in components):
            raise PriorError("a part of a prior has a weight that is no positive number")
        total = math.fsum(part.weight for part in components)
        if total == 0:
            return cls((), 1.0, source)
        scaled = [replace(c, weight=c.weight / total * (1 - floor)) for c in components]
        return cls(tuple(c for c in scaled if c.weight > 0), floor, source)

    def log_density(self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike) -> Floats:
        """Natural logarithm of the density per steradian, in the broadcast shape of the arguments.

        The uniform prior is −ln 4π everywhere. Without a floor it is finite too, however far off.
        """
        points = unit_vectors(lat_deg, lon_deg)
        with np.errstate(divide="ignore"):
            total = np.full(points.shape[:-1], np.log(self.floor / (4 * np.pi)))
        for part in self.components:
            concentration = (EARTH_RADIUS_M / part.sigma_m) ** 2
            log_share = math.log(part.weight) + log_peak(concentration)
            exponent = concentration * _one_minus_cosine(points, part)
            total = np.logaddexp(total, log_share - exponent)
        return np.asarray(total)

    def cell_mass(
        self, lat_deg: npt.ArrayLike, lon_deg: npt.ArrayLike, area_m2: npt.ArrayLike
    ) -> Floats:
        """Probability of being in each of some cells of the Earth's surface.

        A cell is known by its centre and its area: each Gaussian is blurred by the extent of the
        cell, so that the mass of a narrow one stays with the cell it lies in and those of any
        tiling sum to one. In the centre of a round cell the mass is exact.

        Args:
            lat_deg: of the centres.
            lon_deg: of the centres.
            area_m2: of the cells.
        """
        centres = unit_vectors(lat_deg, lon_deg)
        share = np.asarray(area_m2, np.float64) / (4 * np.pi * EARTH_RADIUS_M**2)  # of the Earth
        total = self.floor * np.broadcast_to(share, centres.shape[:-1])
        for part in self.components:
            concentration = (EARTH_RADIUS_M / part.sigma_m) ** 2
            inside = -np.expm1(-2 * share * concentration)  # of the plane's Gaussian, if centred
            blurred = inside / (2 * share)
            exponent = blurred * _one_minus_cosine(centres, part)
            total = total + part.weight * inside / -np.expm1(-2 * blurred) * np.exp(-exponent)
        return np.asarray(total)

    def widened(self, extra_m: float) -> GeoPrior:
        """The prior after the robot may have moved.

        Args:
            extra_m: standard deviation of the movement, one axis.
        """
        parts = [
            replace(c, sigma_m=min(math.hypot(c.sigma_m, extra_m), MAX_SIGMA_M))
            for c in self.components
        ]
        return replace(self, components=tuple(parts))


def _one_minus_cosine(points: Floats, part: Component) -> Floats:
    """Of the angles from a component's centre; by the chord, exact where they are small."""
    chord = points - unit_vectors(part.lat_deg, part.lon_deg)
    return np.asarray((chord**2).sum(axis=-1) / 2)


def log_peak(concentration: float) -> float:
    """Logarithm of the density, per steradian, in the centre of a von Mises–Fisher distribution."""
    return math.log(concentration / (2 * math.pi)) - math.log(-math.expm1(-2 * concentration))


def _fault(part: Component) -> str:
    """What is wrong with a component, "" if nothing is. NaN fails every comparison."""
    if not abs(part.lat_deg) <= 90:
        return f"latitude {part.lat_deg:g} is not in [-90, 90]"
    if not abs(part.lon_deg) <= 180:
        return f"longitude {part.lon_deg:g} is not in [-180, 180]"
    if not MIN_SIGMA_M <= part.sigma_m <= MAX_SIGMA_M:
        return f"sigma {part.sigma_m:g} m is not in [{MIN_SIGMA_M:g}, {MAX_SIGMA_M:g}]"
    if not 0 < part.weight <= 1:
        return f"weight {part.weight:g} is not in (0, 1]"
    return ""
