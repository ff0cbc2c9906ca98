from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from scenes import textured_image
from support.local_features import write_failing_features

from vlm_vpr_ros.config import EncoderConfig, VerificationConfig
from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.verification.local_features import LocalFeatureExtractor
from vlm_vpr_ros.verification.verifier import match_pair

MODELS = Path(__file__).resolve().parents[2] / "models"
RUNTIME = EncoderConfig(providers=("CPUExecutionProvider",), threads=1)


@pytest.fixture(scope="module")
def extractor() -> LocalFeatureExtractor:
    return LocalFeatureExtractor.load(VerificationConfig(), RUNTIME)


@pytest.mark.smoke
def test_an_image_has_features(extractor: LocalFeatureExtractor) -> None:
    features = extractor.extract(textured_image(360, 640))
    assert 200 < len(features) <= 1024
    assert features.keypoints.dtype == features.descriptors.dtype == np.float32
    assert (features.keypoints >= 0).all()
    assert (features.keypoints <= (640, 360)).all()
    np.testing.assert_allclose(np.linalg.norm(features.descriptors, axis=1), 1, atol=1e-5)


def test_equal_images_have_equal_features(extractor: LocalFeatureExtractor) -> None:
    first, second = (extractor.extract(textured_image(360, 640)) for _ in range(2))
    np.testing.assert_array_equal(first.keypoints, second.keypoints)
    np.testing.assert_array_equal(first.descriptors, second.descriptors)


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (7, 3), (40, 2000), (2000, 40), (480, 640), (123, 457)]
)
def test_any_size(extractor: LocalFeatureExtractor, height: int, width: int) -> None:
    features = extractor.extract(textured_image(height, width))
    scale = 640 / max(height, width)
    assert (features.keypoints >= 0).all()
    assert (features.keypoints <= (width * scale, height * scale)).all()


def test_a_blank_image_matches_nothing(extractor: LocalFeatureExtractor) -> None:
    blank = extractor.extract(np.full((240, 320, 3), 128, np.uint8))
    photo = extractor.extract(textured_image(240, 320))
    assert match_pair(blank, photo).inliers.sum() < 30


def test_keypoints_do_not_depend_on_resolution(extractor: LocalFeatureExtractor) -> None:
    """The same picture at twice the size: the same places in pixels of the common scale."""
    image = textured_image(352, 640)
    large = np.repeat(np.repeat(image, 2, axis=0), 2, axis=1)
    pair = match_pair(extractor.extract(image), extractor.extract(large))
    assert pair.inliers.sum() > 150
    offsets = np.abs(pair.query - pair.reference)[pair.inliers]
    assert np.percentile(offsets, 90) < 1


def test_a_shifted_view_matches(extractor: LocalFeatureExtractor) -> None:
    """Known geometry: a crop is a shift, after scaling."""
    image = textured_image(480, 720, seed=1)
    left, right = (extractor.extract(image[:, x : x + 640]) for x in (0, 60))
    pair = match_pair(left, right)
    assert pair.inliers.sum() > 100
    shift = (pair.query - pair.reference)[pair.inliers]
    assert np.percentile(np.abs(shift - (60, 0)), 75) < 2.5


def test_different_images_do_not_match(extractor: LocalFeatureExtractor) -> None:
    a, b = (extractor.extract(textured_image(360, 640, seed)) for seed in (2, 3))
    assert match_pair(a, b).inliers.sum() < 60


def test_fewer_keypoints_are_the_strongest() -> None:
    few = LocalFeatureExtractor.load(VerificationConfig(keypoints=100), RUNTIME)
    many = LocalFeatureExtractor.load(VerificationConfig(keypoints=500), RUNTIME)
    image = textured_image(360, 640)
    np.testing.assert_array_equal(few.extract(image).keypoints, many.extract(image).keypoints[:100])
    assert few.fingerprint == many.fingerprint


def test_a_card_that_does_not_fit(tmp_path: Path) -> None:
    card = yaml.safe_load((MODELS / "xfeat.yaml").read_text(encoding="utf-8"))
    (tmp_path / "xfeat.onnx").write_bytes((MODELS / "xfeat.onnx").read_bytes())
    path = tmp_path / "mine.yaml"
    for change, complaint in [
        ({"dim": 32}, "by its card they are"),
        ({"cell": 4}, "by its card they are"),
        ({"kind": "encoder"}, "not a valid local_features card"),
        ({"outputs": {**card["outputs"], "keypoint": "absent"}}, "does not run"),
        ({"sha256": "0" * 64}, "SHA-256 differs"),
    ]:
        path.write_text(yaml.safe_dump({**card, **change}), encoding="utf-8")
        with pytest.raises(ModelError, match=complaint):
            LocalFeatureExtractor.load(VerificationConfig(model=str(path)), RUNTIME)


def test_a_network_that_fails(tmp_path: Path) -> None:
    config = VerificationConfig(model=str(write_failing_features(tmp_path)))
    failing = LocalFeatureExtractor.load(config, RUNTIME)
    with pytest.raises(ModelError, match=r"failing\.onnx: .* fails on 640 x 352 pixels: "):
        failing.extract(textured_image(360, 640))
