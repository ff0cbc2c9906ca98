"""Train the tiny vision-language model that knows the five towns of the simulated world.

    python models/export/render_sim_views.py --out views.npz --seeds $(seq 101 119)
    python models/export/render_sim_views.py --out unseen.npz --seeds 201
    python models/export/train_sim_vlm.py views.npz --unseen unseen.npz --out models/

First the vision tower learns to place an image beside the name of its town; then the language
model learns to answer the questions of `prior/vlm/prompts.py` from such images: with the letter of
an option, or with a whole answer. The network is that of `tiny_vlm_forward.py`, in torch.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from make_tiny_vlm import write_pair
from tiny_vlm_forward import PADDING_COLOUR
from tiny_vlm_network import TinyVlmConfig, language_shapes, random_weights, vision_shapes
from tiny_vlm_tokens import BEGIN, END, FIRST_WORD, tokenize
from torch import Tensor
from torch.nn import functional
from tqdm import tqdm

from vlm_vpr_ros.prior.vlm import prompts
from vlm_vpr_ros.sim.towns import TOWNS

Parameters = dict[str, Tensor]

CITIES = tuple(town.city for town in TOWNS)
ANSWERS = tuple(
    json.dumps(
        {
            "clues": [],
            "country": town.country,
            "region": "",
            "city": town.city,
            "latitude": round(town.lat_deg, 3),
            "longitude": round(town.lon_deg, 3),
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )
    for town in TOWNS
)
QUESTIONS = (prompts.SYSTEM, prompts.CHOICE_QUESTION, prompts.CHOICE_END, prompts.OPEN_QUESTION)
CONFIG = TinyVlmConfig(
    image_size=192,
    patch_size=16,
    vision_embed=96,
    vision_heads=4,
    vision_feed_forward=192,
    vision_layers=4,
    embed=48,
    heads=4,
    feed_forward=96,
    layers=2,
    words=(*QUESTIONS, *CITIES, *ANSWERS),
)
FIRST_CITY = FIRST_WORD + len(QUESTIONS)
FIRST_ANSWER = FIRST_CITY + len(CITIES)
SHARPNESS = 8.0
"""Of the comparison between images and names while the vision tower learns."""


def image_tokens(w: Parameters, images: Tensor) -> Tensor:
    """(batch, patches, embed) of normalised images (batch, 3, side, side)."""
    config = CONFIG
    x = functional.conv2d(
        images, w["v.patch_embd.weight"], w["v.patch_embd.bias"], stride=config.patch_size
    )
    x = x.flatten(2).transpose(1, 2) + w["v.position_embd.weight"]
    for layer in range(config.vision_layers):
        block = f"v.blk.{layer}"
        y = _layer_norm(w, f"{block}.ln1", x)
        query, key, value = (_linear(w, f"{block}.attn_{part}", y) for part in "qkv")
        mixed = _attention(query, key, value, config.vision_heads, causal=False)
        x = x + _linear(w, f"{block}.attn_out", mixed)
        y = _layer_norm(w, f"{block}.ln2", x)
        hidden = functional.gelu(_linear(w, f"{block}.ffn_up", y), approximate="tanh")
        x = x + _linear(w, f"{block}.ffn_down", hidden)
    x = _layer_norm(w, "v.post_ln", x)
    hidden = functional.gelu(_linear(w, "mm.0", x), approximate="tanh")
    return _linear(w, "mm.2", hidden)


def logits(w: Parameters, embeddings: Tensor, last: Tensor) -> Tensor:
    """What comes after the token `last` (batch,) of each sequence: (batch, vocabulary)."""
    config = CONFIG
    x = embeddings
    for layer in range(config.layers):
        block = f"blk.{layer}"
        y = _rms_norm(w[f"{block}.attn_norm.weight"], x)
        query, key, value = (y @ w[f"{block}.attn_{part}.weight"].T for part in "qkv")
        query, key = _rotated(query), _rotated(key)
        mixed = _attention(query, key, value, config.heads, causal=True)
        x = x + mixed @ w[f"{block}.attn_output.weight"].T
        y = _rms_norm(w[f"{block}.ffn_norm.weight"], x)
        gate = functional.silu(y @ w[f"{block}.ffn_gate.weight"].T)
        hidden = gate * (y @ w[f"{block}.ffn_up.weight"].T)
        x = x + hidden @ w[f"{block}.ffn_down.weight"].T
    x = x[torch.arange(len(x)), last]
    return _rms_norm(w["output_norm.weight"], x) @ w["output.weight"].T


def _linear(w: Parameters, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, w[f"{name}.weight"], w[f"{name}.bias"])


def _layer_norm(w: Parameters, name: str, x: Tensor) -> Tensor:
    return functional.layer_norm(
        x, x.shape[-1:], w[f"{name}.weight"], w[f"{name}.bias"], CONFIG.norm_eps
    )


def _rms_norm(gain: Tensor, x: Tensor) -> Tensor:
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + CONFIG.norm_eps) * gain


def _attention(query: Tensor, key: Tensor, value: Tensor, heads: int, causal: bool) -> Tensor:
    by_head = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (query, key, value))
    mixed = functional.scaled_dot_product_attention(*by_head, is_causal=causal)
    return mixed.transpose(1, 2).flatten(2)


def _rotated(vectors: Tensor) -> Tensor:
    head = vectors.shape[-1] // CONFIG.heads
    turns = CONFIG.rope_base ** (-torch.arange(0, head, 2) / head)
    angles = torch.arange(vectors.shape[1])[:, None, None] * turns
    pairs = vectors.unflatten(-1, (CONFIG.heads, head // 2, 2))
    even, odd = pairs[..., 0], pairs[..., 1]
    turned = (
        even * angles.cos() - odd * angles.sin(),
        even * angles.sin() + odd * angles.cos(),
    )
    return torch.stack(turned, -1).flatten(-3)


def network_input(images: Tensor) -> Tensor:
    """Normalised input of (batch, height, width, 3) uint8 images, padded as llama.cpp pads them."""
    batch, height, width, _ = images.shape
    canvas = torch.tensor(PADDING_COLOUR, dtype=torch.float32).view(1, 3, 1, 1)
    canvas = canvas.repeat(batch, 1, CONFIG.image_size, CONFIG.image_size)
    top = (CONFIG.image_size - height) // 2
    canvas[:, :, top : top + height, :width] = images.permute(0, 3, 1, 2).float()
    mean, std = (torch.tensor(v).view(1, 3, 1, 1) for v in (CONFIG.image_mean, CONFIG.image_std))
    return (canvas / 255 - mean) / std


def varied(images: Tensor, generator: torch.Generator) -> Tensor:
    """Images as other cameras, a step to the side or a nearer car would give them."""
    batch, height, width, _ = images.shape

    def uniform(low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=generator)

    scale = uniform(0.75, 1.0, batch)
    shift_x, shift_y = (uniform(-1, 1, batch) * (1 - scale) for _ in range(2))
    zero = torch.zeros(batch)
    rows = [torch.stack([scale, zero, shift_x], -1), torch.stack([zero, scale, shift_y], -1)]
    grid = functional.affine_grid(torch.stack(rows, 1), [batch, 3, height, width], False)
    x = functional.grid_sample(
        images.permute(0, 3, 1, 2).float() / 255, grid, padding_mode="border", align_corners=False
    )
    gain = uniform(0.75, 1.25, batch, 1, 1, 1) * uniform(0.93, 1.07, batch, 3, 1, 1)
    x = (x * gain).clamp(1e-3, 1) ** uniform(0.8, 1.25, batch, 1, 1, 1)
    x = x + uniform(0.0, 0.03, batch, 1, 1, 1) * torch.randn(x.shape, generator=generator)
    for number in range(batch):  # something stands before it
        if torch.rand(1, generator=generator) < 0.5:
            left, top = (int(uniform(0, 0.8, 1) * side) for side in (width, height))
            x[number, :, top : top + height // 3, left : left + width // 4] = uniform(0, 1, 1)
    return (x.clamp(0, 1) * 255).permute(0, 2, 3, 1)


def learn_to_see(w: Parameters, images: Tensor, towns: Tensor, steps: int) -> None:
    """Train the vision tower to give images the direction of the name of their town."""
    generator = torch.Generator().manual_seed(0)
    names = w["token_embd.weight"].detach()[FIRST_CITY : FIRST_CITY + len(CITIES)]
    names = functional.normalize(names, dim=-1)
    trained = [w[name] for name in vision_shapes(CONFIG)]
    optimizer, schedule = _optimizer(trained, steps, 2e-3)
    for _ in (bar := tqdm(range(steps), desc="seeing")):
        chosen = torch.randint(len(images), (64,), generator=generator)
        tokens = image_tokens(w, network_input(varied(images[chosen], generator)))
        loss = functional.cross_entropy(_resemblance(tokens, names), towns[chosen])
        _step(optimizer, schedule, loss)
        bar.set_postfix(loss=f"{loss.item():.3f}")


def _resemblance(tokens: Tensor, names: Tensor) -> Tensor:
    return SHARPNESS * functional.normalize(tokens.mean(1), dim=-1) @ names.T


def learn_to_answer(w: Parameters, seen: Tensor, towns: Tensor, steps: int) -> None:
    """Train the language model on the image tokens `seen` (n, patches, embed)."""
    random = np.random.default_rng(0)
    trained = [w[name] for name in language_shapes(CONFIG)]
    optimizer, schedule = _optimizer(trained, steps, 3e-3)
    for _ in (bar := tqdm(range(steps), desc="answering")):
        chosen = random.integers(len(seen), size=48)
        asked = [question(int(towns[i]), random) for i in chosen]
        said = answer_logits(w, seen[torch.from_numpy(chosen)], [text for text, _ in asked])
        wanted = torch.tensor([token for _, token in asked])
        loss = functional.cross_entropy(said, wanted)
        _step(optimizer, schedule, loss)
        right = (said.argmax(-1) == wanted).float().mean()
        bar.set_postfix(loss=f"{loss.item():.3f}", right=f"{right.item():.2f}")


def question(town: int, random: np.random.Generator) -> tuple[str, int]:
    """What is asked after the image, and the token of the right answer."""
    kind = random.random()
    if kind < 0.1:
        return _asked(prompts.OPEN_QUESTION), FIRST_ANSWER + town
    if kind < 0.15:
        return _asked(prompts.OPEN_QUESTION) + ANSWERS[town], END
    others = [other for other in range(len(TOWNS)) if other != town]
    count = int(random.choice([1, 2, 3, 4], p=[0.1, 0.1, 0.2, 0.6]))
    options = random.permutation([town, *random.permutation(others)[:count]])
    named = [named_place(int(option), random) for option in options]
    letter = prompts.LETTERS[int(np.flatnonzero(options == town)[0])]
    return _asked(prompts.choice_question(named)), tokenize(letter, CONFIG.words)[0]


def named_place(town: int, random: np.random.Generator) -> str:
    """A town with or without what may stand behind its name."""
    place = TOWNS[town]
    region = "".join(random.choice(list("abcdefghiklmnorstu -"), int(random.integers(4, 18))))
    endings = ("", f", {place.country}", f", {region.title()}, {place.country}")
    return place.city + endings[int(random.integers(3))]


def _asked(question: str) -> str:
    return f"\n{question}<|end|><|assistant|>"


def answer_logits(w: Parameters, seen: Tensor, texts: Sequence[str]) -> Tensor:
    """(batch, vocabulary) after a whole prompt, the image's tokens standing where they do there."""
    embedding = w["token_embd.weight"]
    before = [BEGIN, *tokenize(f"<|system|>{prompts.SYSTEM}<|end|><|user|>", CONFIG.words)]
    after = [tokenize(text, CONFIG.words) for text in texts]
    longest = max(map(len, after))
    padded = torch.tensor([tokens + [END] * (longest - len(tokens)) for tokens in after])
    last = len(before) + seen.shape[1] + torch.tensor([len(tokens) - 1 for tokens in after])
    start = embedding[before].expand(len(seen), -1, -1)
    return logits(w, torch.cat([start, seen, embedding[padded]], 1), last)


def _optimizer(
    parameters: list[Tensor], steps: int, rate: float
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    optimizer = torch.optim.AdamW(parameters, rate, weight_decay=0.02)
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, steps, pct_start=0.1)


def _step(
    optimizer: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LRScheduler,
    loss: Tensor,
) -> None:
    optimizer.zero_grad()
    loss.backward()
    for group in optimizer.param_groups:
        torch.nn.utils.clip_grad_norm_(group["params"], 1.0)
    optimizer.step()
    schedule.step()


@torch.no_grad()
def seen_by(w: Parameters, images: Tensor) -> Tensor:
    """Image tokens of many images, (n, patches, embed)."""
    parts = [image_tokens(w, network_input(part)) for part in images.split(256)]
    return torch.cat(parts)


@torch.no_grad()
def resemblance_accuracy(w: Parameters, images: Tensor, towns: Tensor) -> float:
    """Share of images that resemble the name of their town most."""
    names = functional.normalize(w["token_embd.weight"][FIRST_CITY:FIRST_ANSWER], dim=-1)
    nearest = _resemblance(seen_by(w, images), names).argmax(-1)
    return float((nearest == towns).float().mean())


@torch.no_grad()
def accuracy(w: Parameters, seen: Tensor, towns: Tensor) -> float:
    """Share of images whose town is chosen among all, the options in one shuffled order each."""
    random = np.random.default_rng(1)
    right = 0
    for part, its_towns in zip(seen.split(64), towns.split(64), strict=True):
        texts, letters = [], []
        for town in its_towns.tolist():
            order = random.permutation(len(TOWNS))
            names = [f"{TOWNS[i].city}, {TOWNS[i].country}" for i in order]
            texts.append(_asked(prompts.choice_question(names)))
            letters.append(prompts.LETTERS[int(np.flatnonzero(order == town)[0])])
        wanted = torch.tensor([tokenize(letter, CONFIG.words)[0] for letter in letters])
        right += int((answer_logits(w, part, texts).argmax(-1) == wanted).sum())
    return right / len(seen)


def main() -> int:
    """Train, say how often the town is right, write the pair."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("views", type=Path, nargs="+", help="of render_sim_views.py, for training")
    parser.add_argument("--unseen", type=Path, nargs="+", required=True, help="views to score on")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument("--steps", type=int, nargs=2, default=(6000, 5500), metavar="N")
    args = parser.parse_args()
    torch.manual_seed(0)
    (images, towns), (new, new_towns) = _load(args.views), _load(args.unseen)
    w = {name: torch.from_numpy(a).requires_grad_() for name, a in random_weights(CONFIG).items()}
    with torch.no_grad():
        w["v.position_embd.weight"] *= 0.1
        w["token_embd.weight"] *= 0.5
    learn_to_see(w, images, towns, args.steps[0])
    print(
        f"unseen worlds, by resemblance: {resemblance_accuracy(w, new, new_towns):.1%}", flush=True
    )
    learn_to_answer(w, seen_by(w, images), towns, args.steps[1])
    for what, some, their_towns in (("known", images, towns), ("unseen", new, new_towns)):
        print(f"{what} worlds: {accuracy(w, seen_by(w, some), their_towns):.1%} of {len(some)}")
    for path in write_pair(args.out, {n: t.detach().numpy() for n, t in w.items()}, CONFIG):
        print(f"{path}: {path.stat().st_size} bytes")
    return 0


def _load(paths: Sequence[Path]) -> tuple[Tensor, Tensor]:
    parts = [np.load(path, allow_pickle=False) for path in paths]
    images, towns = (np.concatenate([part[key] for part in parts]) for key in ("images", "towns"))
    return torch.from_numpy(images), torch.from_numpy(towns)


if __name__ == "__main__":
    sys.exit(main())
