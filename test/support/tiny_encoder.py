"""A small encoder for tests: an ONNX file and its card, and the same computation in numpy.

conv 5x5, stride 2 -> ReLU -> global average -> 32 numbers. The kernels are random but seeded, so
two runs write the same bytes. It tells textures apart by colour and grain, at any size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import yaml
from onnx import TensorProto, helper, numpy_helper

DIM = 32
KERNEL = 5
STRIDE = 2
FIXED_SIZE = (48, 64)
"""Height, width."""
MEAN = (0.48, 0.46, 0.41)
STD = (0.23, 0.22, 0.25)


def write_tiny_encoder(
    folder: Path,
    *,
    name: str = "tiny",
    layout: str = "NCHW",
    dtype: str = "float32",
    color: str = "RGB",
    size: tuple[int, int] | None = FIXED_SIZE,
    batch: int | None = None,
    output_dtype: str = "float32",
    output_gain: float = 1.0,
    seed: int = 0,
    card: Mapping[str, Any] | None = None,
) -> Path:
    """Write the model and its card; return the card's path.

    Args:
        folder: made if absent.
        name: name in the card and of both files.
        layout: NCHW or NHWC.
        dtype: of the input, float32 or uint8.
        color: RGB or BGR.
        size: height and width of the input; None: dynamic.
        batch: fixed batch size; None: dynamic.
        output_dtype: float32, float16 or float64.
        output_gain: factor on the descriptor before it leaves the network.
        seed: of the kernels.
        card: entries that replace those of the card (`input` is merged).
    """
    folder.mkdir(parents=True, exist_ok=True)
    model = folder / f"{name}.onnx"
    model.write_bytes(_network(layout, dtype, size, batch, output_dtype, output_gain, seed))
    content: dict[str, Any] = {
        "name": name,
        "kind": "encoder",
        "description": "Random convolution, for tests.",
        "file": model.name,
        "sha256": hashlib.sha256(model.read_bytes()).hexdigest(),
        "dim": DIM,
        "input": {
            "name": "image",
            "layout": layout,
            "dtype": dtype,
            "color": color,
            "interpolation": "area",
        },
        "output": {"name": "descriptor"},
        "chance_similarity": 0.5,
        "source": "made by the tests",
        "licence": "Apache-2.0",
    }
    if size:
        content["input"] |= {"height": size[0], "width": size[1]}
    if dtype == "float32":
        content["input"] |= {"scale": 1 / 255, "mean": list(MEAN), "std": list(STD)}
    for key, value in (card or {}).items():
        content[key] = content[key] | value if key == "input" else value
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")
    return path


def add_generic_mean(card: Path, mean: np.ndarray) -> None:
    """Write a generic mean descriptor beside a card and name it there."""
    file = card.with_suffix(".mean.npy")
    np.save(file, mean)
    content = yaml.safe_load(card.read_text(encoding="utf-8"))
    content["generic_mean"] = {
        "file": file.name,
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    card.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def reference_descriptor(
    image: np.ndarray,
    *,
    dtype: str = "float32",
    color: str = "RGB",
    size: tuple[int, int] | None = FIXED_SIZE,
    seed: int = 0,
) -> np.ndarray:
    """The descriptor of an RGB image, computed in numpy, unit length, float64."""
    if size and image.shape[:2] != size:
        image = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
    values = image[..., ::-1].astype(np.float64) if color == "BGR" else image.astype(np.float64)
    if dtype == "float32":
        values = (values / 255 - np.array(MEAN)) / np.array(STD)
    else:
        values = values / 255 - 0.5  # the uint8 network does this itself
    windows = np.lib.stride_tricks.sliding_window_view(values, (KERNEL, KERNEL), axis=(0, 1))
    windows = windows[::STRIDE, ::STRIDE]  # (rows, columns, channel, ky, kx)
    response = np.einsum("rcikl,oikl->rco", windows, _kernels(seed).astype(np.float64))
    pooled = np.maximum(response, 0).mean(axis=(0, 1))
    return pooled / np.linalg.norm(pooled)


def _kernels(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    kernels = rng.normal(size=(DIM, 3, KERNEL, KERNEL))
    kernels -= kernels.mean(axis=(2, 3), keepdims=True) * 0.9  # grain counts, and colour a little
    return kernels.astype(np.float32)


def _network(
    layout: str,
    dtype: str,
    size: tuple[int, int] | None,
    batch: int | None,
    output_dtype: str,
    output_gain: float,
    seed: int,
) -> bytes:
    height, width = size or ("height", "width")
    channels = ["n" if batch is None else batch, 3, height, width]
    shape = channels if layout == "NCHW" else [channels[i] for i in (0, 2, 3, 1)]
    constants = {
        "kernels": _kernels(seed),
        "gain": np.array(output_gain, np.float32),
        "scale": np.array(1 / 255, np.float32),
        "half": np.array(0.5, np.float32),
    }
    nodes = []
    value = "image"

    def then(operator: str, *others: str, **attributes: Any) -> None:
        nonlocal value
        result = f"{operator}_{len(nodes)}"
        nodes.append(helper.make_node(operator, [value, *others], [result], **attributes))
        value = result

    if dtype == "uint8":
        then("Cast", to=TensorProto.FLOAT)
        then("Mul", "scale")
        then("Sub", "half")
    if layout == "NHWC":
        then("Transpose", perm=[0, 3, 1, 2])
    then("Conv", "kernels", strides=[STRIDE, STRIDE])
    then("Relu")
    then("GlobalAveragePool")
    then("Flatten")
    then("Mul", "gain")
    kind = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16}.get(
        output_dtype, TensorProto.DOUBLE
    )
    then("Cast", to=kind)
    nodes.append(helper.make_node("Identity", [value], ["descriptor"]))
    graph = helper.make_graph(
        nodes,
        "tiny",
        [
            helper.make_tensor_value_info(
                "image", TensorProto.FLOAT if dtype == "float32" else TensorProto.UINT8, shape
            )
        ],
        [helper.make_tensor_value_info("descriptor", kind, [shape[0], DIM])],
        [numpy_helper.from_array(array, key) for key, array in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
