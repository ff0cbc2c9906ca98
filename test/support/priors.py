"""Geographic priors for tests."""

from __future__ import annotations

from support.properties import st
from vlm_vpr_ros.prior.geo_prior import Component, GeoPrior

latitudes = st.one_of(st.sampled_from([-90.0, 90.0, 89.9999, 0.0]), st.floats(-90, 90))
longitudes = st.one_of(st.sampled_from([-180.0, 180.0, 179.9999]), st.floats(-180, 180))
sigmas_m = st.sampled_from([1.0, 30.0, 1e3, 25e3, 200e3, 750e3, 2.5e6, 6.4e6, 2e7])
components = st.builds(
    Component, latitudes, longitudes, sigmas_m, st.floats(0.01, 1.0), st.text(max_size=9)
)


def priors(min_floor: float = 0.0) -> st.SearchStrategy[GeoPrior]:
    return st.builds(
        GeoPrior.mixture,
        st.lists(components, min_size=1, max_size=4),
        st.floats(min_floor, 1.0),
        st.just("vlm"),
    )


def at(lat_deg: float, lon_deg: float, sigma_m: float, floor: float = 0.1) -> GeoPrior:
    """One Gaussian."""
    return GeoPrior((Component(lat_deg, lon_deg, sigma_m, 1 - floor, "there"),), floor, "vlm")
