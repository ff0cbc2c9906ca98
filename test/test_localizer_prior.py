"""A prior in the way of a frame: two towns with the same street, and who knows which it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.priors import at
from support.streets import ORIGIN, view
from support.tiny_encoder import write_tiny_encoder
from support.twin_towns import SHARED, build_twin_towns, encoder_of

from vlm_vpr_ros.config import GateConfig, LocalizerConfig, PriorConfig
from vlm_vpr_ros.errors import PriorError
from vlm_vpr_ros.geodesy import displaced
from vlm_vpr_ros.localizer import Localizer
from vlm_vpr_ros.types import Frame, PriorStatus, Reason


@pytest.fixture(name="card", scope="module")
def _card(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_encoder(tmp_path_factory.mktemp("models"), card={"chance_similarity": 0.5})


@pytest.fixture(name="region", scope="module")
def _region(tmp_path_factory: pytest.TempPathFactory, card: Path) -> Path:
    return build_twin_towns(tmp_path_factory.mktemp("regions") / "twins", card)


def opened(region: Path, card: Path, **prior: object) -> Localizer:
    config = LocalizerConfig(
        encoder=encoder_of(card),
        prior=PriorConfig(**prior),  # type: ignore[arg-type]
        gate=GateConfig(target_false_fix_rate=0.3),  # a town of ten images is never sure
    )
    return Localizer.open(region, config)


FRAME = Frame(view(SHARED), 0)


@pytest.mark.parametrize(("center", "town"), [(ORIGIN, "here"), ((-33.9, 151.2), "there")])
def test_a_fixed_prior_tells_twins_apart_as_far_as_its_cap_lets_it(
    region: Path, card: Path, center: tuple[float, float], town: str
) -> None:
    assert opened(region, card).localize(FRAME).reason is Reason.AMBIGUOUS
    text = f"{center[0]}, {center[1]}"
    hesitant = opened(region, card, center=text, max_log_odds=0.5).localize(FRAME)
    assert hesitant.reason is Reason.AMBIGUOUS and "without the prior" in hesitant.detail
    localizer = opened(region, card, center=text, max_log_odds=4.0)
    outcome = localizer.localize(FRAME)
    first, second = outcome.hypotheses[:2]
    south = first.position.lat_deg < 0
    assert south == (town == "there")
    assert first.probability > 1.5 * second.probability
    assert outcome.accepted and "without the prior" in outcome.detail
    assert outcome.prior.status is PriorStatus.USED and outcome.prior.prior is not None
    assert list(outcome.stages) == ["retrieval", "prior"]
    assert outcome.stages["prior"] == outcome.candidates
    assert all(c.prior_log_odds == 0 for c in outcome.stages["retrieval"])
    assert outcome.candidates[0].prior_log_odds > 0


def test_without_a_prior_nothing_is_added(region: Path, card: Path) -> None:
    outcome = opened(region, card).localize(FRAME)
    assert outcome.prior.status is PriorStatus.OFF
    assert list(outcome.stages) == ["retrieval"]
    assert "without the prior" not in outcome.detail


def test_a_prior_of_a_wrong_continent_keeps_a_clear_fix(region: Path, card: Path) -> None:
    frame = Frame(view(61), 0)
    expected = displaced(*ORIGIN, 60.0 * 61, 0.0)
    for center in ("", "35.7, 139.7"):
        outcome = opened(region, card, center=center).localize(frame)
        assert outcome.fix is not None
        assert outcome.fix.position.lat_deg == pytest.approx(expected[0], abs=1e-6)


def test_what_is_told_ranks_and_reset_forgets_it(region: Path, card: Path) -> None:
    localizer = opened(region, card)
    localizer.observe_prior(at(-33.9, 151.2, 2e4), 0)
    assert localizer.localize(FRAME).hypotheses[0].position.lat_deg < 0
    localizer.reset()
    assert localizer.localize(FRAME).prior.status is PriorStatus.OFF
    localizer.close()


def test_zero_log_odds_switch_it_off_live(region: Path, card: Path) -> None:
    localizer = opened(region, card, center="-33.9, 151.2")
    before = localizer.localize(FRAME).candidates
    config = LocalizerConfig(prior=PriorConfig(max_log_odds=0.0))
    localizer.reconfigure(config)
    after = localizer.localize(FRAME).candidates
    assert before[0].prior_log_odds > 0
    assert all(c.prior_log_odds == pytest.approx(0) for c in after)


def test_a_file_that_is_no_prior_is_refused_when_opening(
    region: Path, card: Path, tmp_path: Path
) -> None:
    with pytest.raises(PriorError, match="nowhere"):
        opened(region, card, geojson=str(tmp_path / "nowhere.geojson"))
