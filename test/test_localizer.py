"""The way of a frame, with a tiny encoder and streets that do not exist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from support.streets import FakeSource, drive, observation, view
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.config import EncoderConfig, FixConfig, LocalizerConfig
from vlm_vpr_ros.errors import ModelError, RegionError
from vlm_vpr_ros.geodesy import distance_m
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.mapping.builder import build_region
from vlm_vpr_ros.networks import Networks
from vlm_vpr_ros.region.region import Region
from vlm_vpr_ros.retrieval.encoder import Encoder
from vlm_vpr_ros.types import Frame, Outcome, Reason, RgbImage

PLACES = [6, 61, 64, 138, 173, 209, 215, 225, 252, 257, 269, 283, 285, 288]
"""Places that the tiny encoder tells apart: centred cosines below 0.4."""
STRANGE = [1109, 1179, 1494, 1511, 1548, 1757, 1863, 2435, 2591, 2689, 2813, 2943]
"""Places elsewhere that resemble none of them."""
SECOND = 10**9


@pytest.fixture(name="card", scope="module")
def _card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    return write_tiny_encoder(folder, card={"chance_similarity": 0.5})


@pytest.fixture(name="region", scope="module")
def _region(tmp_path_factory: pytest.TempPathFactory, card: Path) -> Path:
    out = tmp_path_factory.mktemp("regions") / "town"
    build_region([drive("map", PLACES)], out, Networks(Encoder.load(encoder_config(card))))
    return out


def encoder_config(card: Path) -> EncoderConfig:
    return EncoderConfig(name=str(card), providers=("CPUExecutionProvider",))


@pytest.fixture(name="localizer")
def _localizer(region: Path, card: Path) -> Localizer:
    return Localizer.open(region, LocalizerConfig(encoder=encoder_config(card)))


def frame(image: RgbImage, second: float = 0.0) -> Frame:
    return Frame(image, int(second * SECOND))


def check(outcome: Outcome) -> None:
    """What holds for every outcome."""
    assert outcome.accepted == (outcome.fix is not None) == (outcome.reason is Reason.ACCEPTED)
    assert outcome.detail
    assert "total" in outcome.latency_ms
    assert all(value >= 0 for value in outcome.latency_ms.values())
    total = sum(h.probability for h in outcome.hypotheses) + outcome.probability_none
    assert total == pytest.approx(1)
    probabilities = [h.probability for h in outcome.hypotheses]
    assert probabilities == sorted(probabilities, reverse=True)
    assert outcome.probability == (probabilities[0] if probabilities else 0.0)
    members = [c.reference for h in outcome.hypotheses for c in h.candidates]
    assert sorted(members) == sorted(c.reference for c in outcome.candidates)
    assert len(set(members)) == len(members)
    for hypothesis in outcome.hypotheses:
        assert hypothesis.sigma_m > 0
        assert hypothesis.similarity == hypothesis.candidates[0].similarity
    if outcome.fix:
        covariance = outcome.fix.covariance_enu_m2
        assert covariance.shape == (3, 3)
        np.linalg.cholesky(covariance)
        position, best = outcome.fix.position, outcome.hypotheses[0].position
        assert (position.lat_deg, position.lon_deg) == (best.lat_deg, best.lon_deg)
        sigma = np.sqrt(np.trace(covariance[:2, :2]) / 2)
        assert outcome.hypotheses[0].sigma_m == pytest.approx(sigma)


def test_known_places_are_found(localizer: Localizer) -> None:
    for place in PLACES:
        outcome = localizer.localize(frame(view(place, visit=2), place))
        check(outcome)
        expected = observation(place, "map").position
        assert outcome.fix is not None and expected is not None
        found = outcome.fix.position
        off = distance_m(found.lat_deg, found.lon_deg, expected.lat_deg, expected.lon_deg)
        assert off < 1
        assert found.alt_m == 100 + place
        assert outcome.stamp_ns == place * SECOND
        assert {"check", "encode", "search", "estimate"} <= set(outcome.latency_ms)


def test_unknown_places_are_refused(localizer: Localizer) -> None:
    for place in STRANGE:
        localizer.reset()
        outcome = localizer.localize(frame(view(place)))
        check(outcome)
        assert outcome.reason is Reason.WEAK_EVIDENCE


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((48, 64, 3), np.uint8), Reason.DARK_IMAGE),
        (np.full((48, 64, 3), 128, np.uint8), Reason.FEATURELESS_IMAGE),
        (np.full((1, 1, 3), 255, np.uint8), Reason.FEATURELESS_IMAGE),
    ],
)
def test_dark_and_featureless(localizer: Localizer, image: RgbImage, reason: Reason) -> None:
    outcome = localizer.localize(frame(image))
    check(outcome)
    assert outcome.reason is reason
    assert outcome.hypotheses == outcome.candidates == ()


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((0, 64, 3), np.uint8),
        np.zeros((48, 64), np.uint8),
        np.full((48, 64, 4), 99, np.uint8),
        np.full((48, 64, 3), np.nan, np.float32),
    ],
)
def test_what_is_no_image_is_refused(localizer: Localizer, image: RgbImage) -> None:
    outcome = localizer.localize(frame(image, 3))
    check(outcome)
    assert outcome.reason is Reason.CORRUPT_IMAGE
    assert "not an RGB image" in outcome.detail
    assert outcome.stamp_ns == 3 * SECOND and "total" in outcome.latency_ms


def test_an_image_too_small_for_a_dynamic_network_is_refused(tmp_path: Path) -> None:
    networks = Networks(Encoder.load(encoder_config(write_tiny_encoder(tmp_path, size=None))))
    build_region([drive("map", PLACES)], tmp_path / "region", networks)
    localizer = Localizer(Region.open(tmp_path / "region"), networks, LocalizerConfig())
    outcome = localizer.localize(frame(view(6)[:, ::64]))  # two columns
    check(outcome)
    assert outcome.reason is Reason.CORRUPT_IMAGE
    assert "2 x 96 pixels" in outcome.detail
    assert localizer.localize(frame(view(6, visit=2))).accepted


@pytest.mark.parametrize("output", [np.nan, RuntimeError("CUDA error 700")])
def test_an_encoder_that_fails_is_no_exception(
    region: Path, card: Path, output: float | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = Networks(Encoder.load(encoder_config(card)))
    localizer = Localizer(Region.open(region), networks, LocalizerConfig())

    def run(batch: np.ndarray) -> np.ndarray:
        if isinstance(output, Exception):
            raise output
        return np.full((len(batch), 32), output, np.float32)

    with monkeypatch.context() as patch:
        patch.setattr(networks.encoder, "_run", run)
        outcome = localizer.localize(frame(view(6)))
    check(outcome)
    if isinstance(output, Exception):  # the machine's fault, not the image's
        assert outcome.reason is Reason.INTERNAL_ERROR and "CUDA error 700" in outcome.detail
    else:
        assert outcome.reason is Reason.CORRUPT_IMAGE and "finite" in outcome.detail
    assert localizer.localize(frame(view(6, visit=2))).accepted  # and it goes on


def test_a_refused_frame_teaches_nothing(localizer: Localizer) -> None:
    expected = localizer.localize(frame(view(6), 2)).candidates
    localizer.reset()
    localizer.localize(frame(np.zeros((48, 64, 3), np.uint8), 1))
    assert localizer.localize(frame(view(6), 2)).candidates == expected


def test_a_parked_robot_scores_as_one_frame(localizer: Localizer) -> None:
    outcomes = [localizer.localize(frame(view(61, visit=1), i)) for i in range(60)]
    assert {o.reason for o in outcomes} == {outcomes[0].reason}
    assert {o.candidates for o in outcomes} == {outcomes[0].candidates}


def test_reset_and_a_stamp_that_goes_backwards_are_a_new_drive(localizer: Localizer) -> None:
    images = [view(place, visit=1) for place in PLACES[:8]]
    first = [localizer.localize(frame(image, 10 + i)).candidates for i, image in enumerate(images)]
    again = [localizer.localize(frame(image, i)).candidates for i, image in enumerate(images)]
    assert again == first
    localizer.reset()
    later = [localizer.localize(frame(image, 50 + i)).candidates for i, image in enumerate(images)]
    assert later == first
    on = [localizer.localize(frame(image, 90 + i)).candidates for i, image in enumerate(images)]
    assert on != first  # without a reset the drive goes on


def test_equal_stamps_are_no_new_drive(localizer: Localizer) -> None:
    first = localizer.localize(frame(view(6), 5)).candidates
    for place in PLACES:
        localizer.localize(frame(view(place), 5))
    assert localizer.localize(frame(view(6), 5)).candidates != first


@pytest.mark.parametrize(("mode", "expected"), [("fixed", 12.5), ("nan", None)])
def test_altitude_modes(region: Path, card: Path, mode: str, expected: float | None) -> None:
    fix_config = FixConfig(altitude_mode=mode, altitude_m=12.5)  # type: ignore[arg-type]
    other = Localizer.open(region, LocalizerConfig(encoder=encoder_config(card), fix=fix_config))
    outcome = other.localize(frame(view(PLACES[0])))
    assert outcome.fix is not None
    assert outcome.fix.position.alt_m == expected


def test_a_region_of_one_image_answers_nothing_wrong(tmp_path: Path, card: Path) -> None:
    encoder = Encoder.load(encoder_config(card))
    source = FakeSource("one", [observation(0, "one"), observation(0, "one")])
    build_region([source], tmp_path / "region", Networks(encoder))
    localizer = Localizer(Region.open(tmp_path / "region"), Networks(encoder), LocalizerConfig())
    for place in range(20):
        outcome = localizer.localize(frame(view(place), place))
        check(outcome)
        assert not outcome.accepted


def test_opening_what_does_not_fit(tmp_path: Path, region: Path, card: Path) -> None:
    config = LocalizerConfig(encoder=encoder_config(card))
    with pytest.raises(RegionError, match="no such region"):
        Localizer.open(tmp_path / "absent", config)
    other = write_tiny_encoder(tmp_path, name="other", seed=1)
    with pytest.raises(RegionError, match="Set encoder.name to `tiny`"):
        Localizer.open(region, LocalizerConfig(encoder=encoder_config(other)))
    with pytest.raises(ModelError):
        Localizer.open(region, LocalizerConfig(encoder=encoder_config(tmp_path / "no.yaml")))


def test_describe(localizer: Localizer, region: Path) -> None:
    described = localizer.describe()
    assert described["region"] == str(region)
    assert described["provider"] == "CPUExecutionProvider"
    assert described["references"] == "14"
