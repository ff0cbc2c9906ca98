"""The tiny vision-language model of the simulated towns, asked through the real worker process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from vlm_vpr_ros import resources
from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.vlm.protocol import PlaceNames
from vlm_vpr_ros.prior.vlm.vlm_prior import VlmPrior
from vlm_vpr_ros.sim import town_vlm as module
from vlm_vpr_ros.sim.drives import Leg
from vlm_vpr_ros.sim.layout import Plan
from vlm_vpr_ros.sim.town_vlm import main, town_prior, town_vlm
from vlm_vpr_ros.sim.towns import TOWNS

pytest.importorskip("panda3d", reason="Panda3D is not installed (requirements/sim.txt)")

from vlm_vpr_ros.sim.simulate import World, views_of, way_of

SEED = 11
"""It was trained on other worlds."""


def test_it_tells_towns_it_has_not_seen():
    world = World(SEED)
    places = [PlaceNames(f"{t.city}, {t.country}", t.country, "", t.city) for t in TOWNS]
    prior = VlmPrior(town_vlm().model_copy(update={"mode": "choice"}), places)
    right = []
    try:
        for number, town in enumerate(TOWNS[:3]):
            leg = Leg(town.key, Plan(town, SEED).loop, "day", 1.0)
            views = views_of(
                leg, way_of(leg, 1, SEED), world.plan(town.key), np.random.default_rng(0)
            )
            for image in world.images(leg, views[10::60], 1):
                answer = prior.ask(image, 0).result()
                assert not answer.failure
                right.append(int(np.argmax(answer.choice)) == number)
    finally:
        prior.close()
    assert np.mean(right) > 0.7


def test_its_parameters_are_those_of_the_node(capsys):
    assert main() == 0
    (parameters,) = yaml.safe_load(capsys.readouterr().out)["relocalizer"].values()
    assert Path(parameters["vlm"]["mmproj"]).is_file()
    assert parameters["prior"]["max_log_odds"] == town_prior().max_log_odds


def test_another_file_of_its_name_is_refused(monkeypatch, tmp_path, capsys):
    damaged = tmp_path / "sim_towns_vlm.gguf"
    damaged.write_bytes(b"GGUF")

    def elsewhere(name):
        return damaged if name == damaged.name else resources.model_path(name)

    monkeypatch.setattr(module, "model_path", elsewhere)
    with pytest.raises(ModelError, match="not the file"):
        town_vlm()
    assert main() == 2
    assert "not the file" in capsys.readouterr().err


def test_it_is_trusted_as_it_was_measured(monkeypatch, tmp_path):
    card = tmp_path / "sim_towns_vlm.yaml"
    card.write_text("measured: {choice_right_town: 0.2}")
    monkeypatch.setattr(module, "model_path", lambda _: card)
    assert town_prior().max_log_odds == 0.0  # one of five, as a guess
    card.write_text("measured: {choice_right_town: 0.9}")
    assert town_prior().max_log_odds == pytest.approx(np.log(36), abs=0.05)
