"""Any encoder with a card: the same descriptor as by hand, a clear word when it does not fit."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import yaml
from support.streets import view
from support.tiny_encoder import DIM, add_generic_mean, reference_descriptor, write_tiny_encoder

from vlm_vpr_ros.config import EncoderConfig
from vlm_vpr_ros.errors import ImageError, ModelError
from vlm_vpr_ros.retrieval.encoder import Encoder

CPU = ("CPUExecutionProvider",)


def load(card: Path, **config: Any) -> Encoder:
    return Encoder.load(EncoderConfig(name=str(card), **({"providers": CPU} | config)))


def edit(card: Path, **entries: Any) -> Path:
    content = yaml.safe_load(card.read_text())
    content.update(entries)
    card.write_text(yaml.safe_dump(content))
    return card


@pytest.mark.parametrize("batch", [None, 1])
@pytest.mark.parametrize("size", [(48, 64), (33, 47), None])
@pytest.mark.parametrize(
    ("layout", "dtype", "color"),
    [
        ("NCHW", "float32", "RGB"),
        ("NCHW", "float32", "BGR"),
        ("NHWC", "float32", "RGB"),
        ("NHWC", "uint8", "BGR"),
        ("NCHW", "uint8", "RGB"),
    ],
)
def test_every_kind_of_card_gives_the_right_descriptor(
    tmp_path: Path,
    layout: str,
    dtype: str,
    color: str,
    size: tuple[int, int] | None,
    batch: int | None,
) -> None:
    card = write_tiny_encoder(
        tmp_path, layout=layout, dtype=dtype, color=color, size=size, batch=batch
    )
    encoder = load(card)
    images = [view(i) for i in range(5)]
    expected = [reference_descriptor(i, dtype=dtype, color=color, size=size) for i in images]
    singles = np.stack([encoder.encode(image) for image in images])
    together = encoder.encode_batch(images)
    assert together.shape == (5, DIM) and together.dtype == np.float32
    np.testing.assert_allclose(singles, expected, atol=2e-6)
    np.testing.assert_allclose(together, expected, atol=2e-6)
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("size", [(48, 64), None])
def test_images_of_different_size_in_one_batch(
    tmp_path: Path, size: tuple[int, int] | None
) -> None:
    encoder = load(write_tiny_encoder(tmp_path, size=size))
    images = [view(i, size=(60 + 7 * (i % 3), 80)) for i in range(7)]
    np.testing.assert_allclose(
        encoder.encode_batch(images), [encoder.encode(i) for i in images], atol=2e-6
    )


def test_no_images_no_descriptors(tmp_path: Path) -> None:
    assert load(write_tiny_encoder(tmp_path)).encode_batch([]).shape == (0, DIM)


@pytest.mark.parametrize("output_dtype", ["float16", "float64"])
def test_other_output_types(tmp_path: Path, output_dtype: str) -> None:
    encoder = load(write_tiny_encoder(tmp_path, output_dtype=output_dtype, output_gain=100))
    descriptor = encoder.encode(view(1))
    assert descriptor.dtype == np.float32
    np.testing.assert_allclose(descriptor, reference_descriptor(view(1)), atol=1e-3)


@pytest.mark.parametrize("gain", [1e-28, 1e25])
def test_networks_of_any_scale(tmp_path: Path, gain: float) -> None:
    encoder = load(write_tiny_encoder(tmp_path, output_gain=gain))
    np.testing.assert_allclose(encoder.encode(view(1)), reference_descriptor(view(1)), atol=1e-5)


def test_a_network_that_overflows_is_an_error_of_the_image(tmp_path: Path) -> None:
    encoder = load(write_tiny_encoder(tmp_path, output_dtype="float16", output_gain=1e9))
    with pytest.raises(ImageError, match="not finite"):
        encoder.encode(view(1))


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (7, 3), (481, 641)])
def test_odd_sizes_with_a_fixed_network(tmp_path: Path, shape: tuple[int, int]) -> None:
    image = np.full((*shape, 3), 90, np.uint8)
    descriptor = load(write_tiny_encoder(tmp_path)).encode(image)
    np.testing.assert_allclose(descriptor, reference_descriptor(image), atol=1e-5)


def test_an_image_too_small_for_a_dynamic_network(tmp_path: Path) -> None:
    encoder = load(write_tiny_encoder(tmp_path, size=None))
    with pytest.raises(ImageError, match="cannot take an image of 3 x 2 pixels"):
        encoder.encode(np.zeros((2, 3, 3), np.uint8))
    assert np.isfinite(encoder.encode(view(0))).all()  # and goes on


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((20, 30), np.uint8),
        np.zeros((20, 30, 1), np.uint8),
        np.zeros((20, 30, 4), np.uint8),
        np.zeros((0, 30, 3), np.uint8),
        np.zeros((20, 30, 3), np.uint16),
        np.zeros((20, 30, 3), np.float32),
    ],
)
def test_what_is_no_rgb_image(tmp_path: Path, image: np.ndarray) -> None:
    with pytest.raises(ImageError, match="not an RGB image"):
        load(write_tiny_encoder(tmp_path)).encode(image)


def test_an_image_that_is_not_contiguous(tmp_path: Path) -> None:
    encoder = load(write_tiny_encoder(tmp_path, size=None))
    image = view(2)[:, ::-1]
    assert not image.flags.c_contiguous
    np.testing.assert_allclose(
        encoder.encode(image), reference_descriptor(image, size=None), atol=2e-6
    )


def test_the_provider_reported_is_the_one_in_use(tmp_path: Path) -> None:
    card = write_tiny_encoder(tmp_path)
    encoder = load(card, providers=("CUDAExecutionProvider", "CPUExecutionProvider"))
    assert encoder.provider == encoder._session.get_providers()[0]
    assert load(card).provider == "CPUExecutionProvider"


def test_wrong_providers(tmp_path: Path) -> None:
    card = write_tiny_encoder(tmp_path)
    with pytest.raises(ModelError, match="did you mean `CUDAExecutionProvider`"):
        load(card, providers=("CUDAExecutionProvder", "CPUExecutionProvider"))
    absent = sorted(
        set(onnxruntime.get_all_providers()) - set(onnxruntime.get_available_providers())
    )
    with pytest.raises(ModelError, match="this onnxruntime has only"):
        load(card, providers=(absent[0],))


def test_threads(tmp_path: Path) -> None:
    card = write_tiny_encoder(tmp_path)
    np.testing.assert_allclose(
        load(card, threads=1).encode(view(0)), load(card).encode(view(0)), atol=1e-6
    )


def test_the_fingerprint_covers_network_and_preparation(tmp_path: Path) -> None:
    prints = [
        load(write_tiny_encoder(tmp_path / str(i), **options)).fingerprint
        for i, options in enumerate(
            [
                {},
                {"seed": 1},
                {"color": "BGR"},
                {"card": {"input": {"std": [0.2, 0.2, 0.2]}}},
                {"card": {"input": {"interpolation": "linear"}}},
            ]
        )
    ]
    assert len(set(prints)) == len(prints)
    other_words = write_tiny_encoder(tmp_path / "words", card={"description": "Other words."})
    assert load(other_words).fingerprint == prints[0]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"dim": DIM + 1}, "gives 32 numbers an image, its card says 33"),
        ({"dim": 0}, "dim"),
        ({"dim": 10**9}, "dim"),
        ({"file": "other.onnx"}, "other.onnx: the model file is missing"),
        ({"file": "../tiny.onnx"}, "file"),
        ({"file": "/etc/passwd"}, "file"),
        ({"sha256": "0" * 64}, "SHA-256 differs"),
        ({"sha256": "x"}, "sha256"),
        ({"output": {"name": "logits"}}, "does not run.*logits"),
        ({"kind": "detector"}, "kind"),
        ({"colour": "RGB"}, "colour: Extra inputs"),
        ({"chance_similarity": float("nan")}, "chance_similarity"),
        ({"generic_mean": {"file": "absent.npy", "sha256": "0" * 64}}, "absent.npy.*missing"),
    ],
)
def test_wrong_cards(tmp_path: Path, entries: dict[str, Any], message: str) -> None:
    card = edit(write_tiny_encoder(tmp_path), **entries)
    with pytest.raises(ModelError, match=message):
        load(card)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"name": "pixels"}, "does not run.*pixels"),
        ({"height": 40}, "does not run"),
        ({"layout": "NHWC"}, "does not run"),
        ({"dtype": "uint8", "scale": 1.0}, "do not apply to a uint8 input"),
        ({"std": [0.2, 0.0, 0.2]}, "input.std.1"),
        ({"std": [0.2]}, "input.std"),
        ({"mean": [float("nan"), 0, 0]}, "input.mean.0"),
        ({"height": None}, "give width and height, or neither"),
        ({"height": 10**6}, "input.height"),
        ({"color": "GRAY"}, "input.color"),
        ({"interpolation": "lanczos"}, "input.interpolation"),
    ],
)
def test_wrong_inputs(tmp_path: Path, entries: dict[str, Any], message: str) -> None:
    card = write_tiny_encoder(tmp_path, card={"input": entries})
    with pytest.raises(ModelError, match=message):
        load(card)


def test_a_network_with_a_fixed_batch_of_four(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="batch must be of dynamic size or 1"):
        load(write_tiny_encoder(tmp_path, batch=4))


@pytest.mark.parametrize("data", [b"", b"not a network", bytes(1000)])
def test_garbage_networks(tmp_path: Path, data: bytes) -> None:
    card = write_tiny_encoder(tmp_path)
    (tmp_path / "tiny.onnx").write_bytes(data)
    edit(card, sha256=hashlib.sha256(data).hexdigest())
    with pytest.raises(ModelError, match=r"tiny\.onnx: onnxruntime cannot load|does not run"):
        load(card)


def test_truncated_network(tmp_path: Path) -> None:
    card = write_tiny_encoder(tmp_path)
    model = tmp_path / "tiny.onnx"
    model.write_bytes(model.read_bytes()[:-100])
    with pytest.raises(ModelError, match="SHA-256 differs.*Fetch it again"):
        load(card)
    edit(card, sha256=hashlib.sha256(model.read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="cannot load"):
        load(card)


def test_weights_outside_the_folder_are_not_read(tmp_path: Path) -> None:
    card = write_tiny_encoder(tmp_path / "models")
    path = tmp_path / "models" / "tiny.onnx"
    model = onnx.load(path)
    (kernels,) = [t for t in model.graph.initializer if t.name == "kernels"]
    (tmp_path / "secret.bin").write_bytes(kernels.raw_data)
    kernels.ClearField("raw_data")
    kernels.data_location = onnx.TensorProto.EXTERNAL
    entry = kernels.external_data.add()
    entry.key, entry.value = "location", "../secret.bin"
    path.write_bytes(model.SerializeToString())
    edit(card, sha256=hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(ModelError, match="weights inside"):
        load(card)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "just words",
        "a: b: c",
        "\t",
        "name: 2024-13-41",
        "name: !!python/object/apply:os.system [echo]",
        "name: !!bool maybe",
        "[" * 5000,
        "&a [*a]",
        "name: !!timestamp x",
    ],
)
def test_garbage_cards(tmp_path: Path, text: str) -> None:
    card = tmp_path / "card.yaml"
    card.write_text(text)
    with pytest.raises(ModelError, match=r"card\.yaml"):
        load(card)


def test_binary_card_and_no_card(tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    with pytest.raises(ModelError, match=r"card\.yaml"):
        load(card)
    card.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ModelError, match=r"card\.yaml"):
        load(card)
    with pytest.raises(ModelError):
        load(tmp_path)
    with pytest.raises(ModelError):
        Encoder.load(EncoderConfig(name="no_such_encoder"))


def test_generic_mean(tmp_path: Path) -> None:
    card = write_tiny_encoder(tmp_path)
    assert load(card).generic_mean is None
    add_generic_mean(card, np.arange(DIM, dtype=np.float32))
    np.testing.assert_array_equal(load(card).generic_mean, np.arange(DIM))


@pytest.mark.parametrize(
    "mean",
    [
        np.zeros(DIM + 1, np.float32),
        np.zeros((DIM, 1), np.float32),
        np.full(DIM, np.nan, np.float32),
        np.array(["a"] * DIM),
        np.array([None] * DIM, object),
    ],
)
def test_wrong_generic_mean(tmp_path: Path, mean: np.ndarray) -> None:
    card = write_tiny_encoder(tmp_path)
    add_generic_mean(card, mean)
    with pytest.raises(ModelError, match="mean.npy"):
        load(card)
