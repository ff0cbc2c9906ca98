"""A geographic prior: a mixture of Gaussians on the sphere and a uniform floor."""

from __future__ import annotations

from dataclasses import dataclass


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
        source: where it comes from: "vlm", "fixed" or "topic".
    """

    components: tuple[Component, ...]
    floor: float
    source: str
