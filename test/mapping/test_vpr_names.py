from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from pyproj import Transformer
from test_images import picture

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.mapping import vpr_names
from vlm_vpr_ros.mapping.coordinates import SWAPPED
from vlm_vpr_ros.mapping.sources import open_source
from vlm_vpr_ros.types import GeoPoint

SF_XL = "@0549008.95@4178964.42@10@S@037.75668@-122.44363@pano_1@@270@@@@20131107_154210@@.jpg"
# As the tools of the benchmark write the sets: of Mapillary without a zone, of Nordland with none.
MSLS = "@0345710.54@6170880.35@9kUvJQHqXvZu0@32@Fj8dNnGsd@cph@20190608_121212@.jpg"


def save(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(picture()).save(path)


def test_every_field(tmp_path: Path) -> None:
    root = tmp_path / "sf_xl" / "test"
    save(root / "database" / SF_XL)
    save(root / "queries" / SF_XL.replace("270", "").replace("20131107_154210", "201311"))
    source = open_source(root)
    assert source.count() == 2
    first, second = source.observations()
    assert (first.source, first.drive) == (f"database/{SF_XL}", "test/database")
    assert first.position is not None
    assert first.position.lat_deg == pytest.approx(37.75668, abs=1e-5)
    assert first.position.lon_deg == pytest.approx(-122.44363, abs=1e-5)
    assert first.position.alt_m is None
    assert first.heading_deg == 270.0
    assert first.stamp_ns == 1_383_838_930_000_000_000
    assert first.load().shape == (32, 48, 3)
    assert (second.drive, second.heading_deg, second.stamp_ns) == ("test/queries", None, None)
    assert source.report.left_out == Counter()


def test_what_a_name_lacks_is_counted(tmp_path: Path) -> None:
    wrong = {
        MSLS: vpr_names.NO_ZONE,
        "@0000012.00@0000000.00@@@@@@@@@@@@@.jpg": vpr_names.NO_ZONE,
        "photo.jpg": vpr_names.NO_NAME,
        "@a@b@.jpg": vpr_names.NO_NAME,
        SF_XL.replace("0549008", "0459008"): vpr_names.CONTRADICTION,
        SF_XL.replace("037.75668@-122.44363", "-122.44363@037.75668"): SWAPPED,
        SF_XL.replace("@270@", "@west@"): vpr_names.BAD_HEADING,
    }
    for name in wrong:
        save(tmp_path / name)
    save(tmp_path / SF_XL)
    source = open_source(tmp_path)
    kept = list(source.observations())
    assert source.report.left_out == Counter(wrong.values())
    assert source.report.names[vpr_names.CONTRADICTION] == [SF_XL.replace("0549008", "0459008")]
    assert {o.source: o.heading_deg for o in kept} == {
        SF_XL: 270.0,
        SF_XL.replace("@270@", "@west@"): None,
    }


def test_latitude_and_longitude_alone(tmp_path: Path) -> None:
    save(tmp_path / "@0@0@@@48.85837@2.29448@@@@@@@@@.jpg")
    (observation,) = open_source(tmp_path).observations()
    assert observation.position == GeoPoint(48.85837, 2.29448)


def test_topics_are_refused(tmp_path: Path) -> None:
    save(tmp_path / SF_XL)
    with pytest.raises(SourceError, match="not a bag"):
        open_source(tmp_path, image_topic="/camera")


@given(
    lat=st.one_of(st.floats(-79.9, -0.001), st.floats(0.001, 83.9)), lon=st.floats(-179.9, 179.9)
)
def test_utm_of_every_zone_comes_back(lat: float, lon: float) -> None:
    zone = int((lon + 180) // 6) + 1
    code = (32600 if lat >= 0 else 32700) + zone
    east, north = Transformer.from_crs(4326, code, always_xy=True).transform(lon, lat)
    band = "CDEFGHJKLMNPQRSTUVWXX"[int((lat + 80) // 8)]
    name = f"@{east:010.2f}@{north:010.2f}@{zone:02}@{band}@@@@@@@@@@@.jpg"
    position = vpr_names._position(name, name.split("@")[1:])
    assert isinstance(position, GeoPoint)
    assert distance_m(lat, lon, position.lat_deg, position.lon_deg) < 0.02


@given(st.text(alphabet="@.-0123456789SXé", max_size=80))
def test_no_name_raises(name: str) -> None:
    fields = name.split("@")[1:] + [""] * 13
    position = vpr_names._position(name, fields)
    assert isinstance(position, (str, GeoPoint))
