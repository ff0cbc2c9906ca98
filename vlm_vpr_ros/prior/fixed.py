"""The prior of people who know where their robot is."""

from __future__ import annotations

from pathlib import Path

from vlm_vpr_ros.config import PriorConfig, lat_lon_deg
from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior
from vlm_vpr_ros.prior.geojson import read_components
from vlm_vpr_ros.types import GAUSSIAN_RADII

FLOOR = 0.05
"""People are wrong as well: a robot is shipped, and its parameters are not changed."""


def fixed_prior(config: PriorConfig) -> GeoPrior | None:
    """The prior of `prior.center` and `prior.geojson` together; None if neither is set.

    Raises:
        PriorError: the file cannot be used.
    """
    sigma_m = config.radius_km * 1000 / GAUSSIAN_RADII[90]
    parts = []
    if config.center:
        lat_deg, lon_deg = lat_lon_deg(config.center)
        parts.append(Component(lat_deg, lon_deg, sigma_m, 1.0, "prior.center"))
    if config.geojson:
        parts += read_components(Path(config.geojson), sigma_m)
    return GeoPrior.mixture(parts, FLOOR, "fixed") if parts else None
