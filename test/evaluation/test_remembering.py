from __future__ import annotations

from typing import Any

import pytest
from support.local_features import with_features
from support.streets import view
from support.tiny_encoder import write_tiny_encoder

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.evaluation.remembering import remembering_model, remembering_networks
from vlm_vpr_ros.networks import Networks


@pytest.fixture(name="config", scope="module")
def _config(tmp_path_factory: pytest.TempPathFactory) -> LocalizerConfig:
    return with_features(write_tiny_encoder(tmp_path_factory.mktemp("models")))


def test_the_last_images_are_looked_at_once(
    config: LocalizerConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = remembering_networks(config, features=True, images=2)
    runs: list[Any] = []
    session = networks.encoder._session

    class Counting:
        def run(self, *arguments: Any) -> Any:
            runs.append(arguments)
            return session.run(*arguments)

    monkeypatch.setattr(networks.encoder, "_session", Counting())
    images = [view(place) for place in range(3)]
    first = [networks.encoder.encode(image) for image in images[:2]]
    again = [networks.encoder.encode(image) for image in images[:2]]
    assert len(runs) == 2
    assert all(a is b for a, b in zip(first, again, strict=True))
    networks.encoder.encode(images[2])  # images[0] is forgotten
    networks.encoder.encode(images[1])
    assert len(runs) == 3
    networks.encoder.encode(images[0])
    assert len(runs) == 4


def test_they_give_what_the_plain_ones_give(config: LocalizerConfig) -> None:
    plain = Networks.load(config, features=True)
    remembering = remembering_networks(config, features=True)
    image = view(4)
    for _ in range(2):
        assert (remembering.encoder.encode(image) == plain.encoder.encode(image)).all()
        assert remembering.extractor and plain.extractor
        a, b = remembering.extractor.extract(image), plain.extractor.extract(image)
        assert (a.keypoints == b.keypoints).all() and (a.descriptors == b.descriptors).all()
    assert remembering.encoder.fingerprint == plain.encoder.fingerprint


def test_without_a_model_keepers_know_what_is_configured() -> None:
    config = LocalizerConfig()
    assert remembering_model(config, ()).model is None
    assert remembering_model(config, ()).keeper(config).describe() == {"prior": "off"}
