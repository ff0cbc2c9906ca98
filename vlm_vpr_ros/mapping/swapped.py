"""Latitude and longitude may be swapped where both orders are valid: a town can tell."""

from __future__ import annotations

import numpy as np

from vlm_vpr_ros.geodesy import lat_lon, unit_vectors
from vlm_vpr_ros.mapping.neighbourhoods import arc_m, middles, nearest_city
from vlm_vpr_ros.prior.gazetteer import Gazetteer
from vlm_vpr_ros.region.references import References
from vlm_vpr_ros.text import counted

_IN_TOWN_M = 50e3


def swapped_remark(references: References) -> str | None:
    """Ask about drives far from any town that would be in one with their coordinates swapped.

    Far is 100 km (see `nearest_city`). Two in three of the world's towns are recognised by this
    when swapped, one in four by a latitude beyond 90 degrees; a drive through a desert may be asked
    about without reason, so that nothing is left out or changed for it.

    Raises:
        ModelError: the gazetteer cannot be read.
    """
    gazetteer = Gazetteer.load()
    cities = gazetteer.cities
    names, drive = np.unique(np.array(references.drive), return_inverse=True)
    here = middles(unit_vectors(references.lat_deg, references.lon_deg), drive)
    told = [lat_lon(point) for point in here]
    there = unit_vectors(
        np.array([np.clip(lon_deg, -90, 90) for _, lon_deg in told]),
        np.array([lat_deg for lat_deg, _ in told]),
    )
    city = nearest_city(cities, there)
    away_m = arc_m(there, unit_vectors(cities.lat_deg[city], cities.lon_deg[city]))
    valid = np.array([abs(lon_deg) <= 90 for _, lon_deg in told])
    in_town = valid & (city >= 0) & (away_m <= _IN_TOWN_M)
    asked = np.flatnonzero(in_town & (nearest_city(cities, here) < 0))
    if not len(asked):
        return None
    first = asked[0]
    lat_deg, lon_deg = told[first]
    more = f" (and {counted(len(asked) - 1, 'drive')} more)" if len(asked) > 1 else ""
    return (
        f"are latitude and longitude swapped? Drive `{names[first]}`{more} is more than 100 km "
        f"from any town at {lat_deg:.4f}, {lon_deg:.4f}, and near "
        f"{gazetteer.label(gazetteer.city(int(city[first])))} at {lon_deg:.4f}, {lat_deg:.4f}"
    )
