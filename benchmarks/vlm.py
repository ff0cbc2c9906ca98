"""The vision-language model: what its own process costs, and what reusing the image's prefix saves.

Random weights in two sizes, since time does not depend on what a model knows. Both sides of every
comparison run in turn in one run.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.targets import Report, arguments
from vlm_vpr_ros.config import VlmConfig
from vlm_vpr_ros.prior.vlm import prompts
from vlm_vpr_ros.prior.vlm.geo_asker import GeoAsker
from vlm_vpr_ros.prior.vlm.grammar import open_answer_grammar
from vlm_vpr_ros.prior.vlm.native_log import route_log
from vlm_vpr_ros.prior.vlm.protocol import PlaceNames, Settings
from vlm_vpr_ros.prior.vlm.sampling import sampled_answers
from vlm_vpr_ros.prior.vlm.vision_model import MARKER, VisionModel
from vlm_vpr_ros.prior.vlm.vlm_prior import VlmAnswer, VlmPrior
from vlm_vpr_ros.prior.vlm.vlm_worker import NICENESS
from vlm_vpr_ros.types import RgbImage

sys.path.append(str(Path(__file__).resolve().parents[1] / "models" / "export"))
from make_tiny_vlm import Pair, write_pair
from tiny_vlm_network import TinyVlmConfig, random_weights

_PHRASES = (prompts.SYSTEM, prompts.OPEN_QUESTION, prompts.CHOICE_QUESTION, prompts.CHOICE_END)
_WORDS = tuple(dict.fromkeys(word for text in _PHRASES for word in text.split() if len(word) > 1))
"""Whole words are tokens, as in a real vocabulary: prompts are then as long as real ones."""

TINY = TinyVlmConfig(words=_WORDS)
SMALL = TinyVlmConfig(
    image_size=336, patch_size=14, vision_embed=192, vision_heads=3, vision_feed_forward=768,
    vision_layers=6, embed=256, heads=8, feed_forward=704, layers=6, words=_WORDS,
)  # fmt: skip
"""Some 8 M parameters, and 576 tokens an image, as LLaVA has."""

PLACES = [PlaceNames(f"Town {i}, Land", "Land", "", f"Town {i}") for i in range(20)]
SAMPLES = 4
WARM_UP = 2


def main() -> None:
    """Measure and print."""
    args = arguments(__doc__).parse_args()
    report = Report("vlm")
    route_log(everything=False)
    with tempfile.TemporaryDirectory() as folder:
        for name, config, turns in (("tiny", TINY, 40), ("8 M", SMALL, 7)):
            pair = write_pair(Path(folder) / name, random_weights(config), config)
            _own_process(name, pair, turns, report)
            _reuse(name, pair, turns, report)
    report.write(args.json)


def _own_process(name: str, pair: Pair, turns: int, report: Report) -> None:
    """`VlmPrior.ask` against the same questions put to llama.cpp in this process."""
    model, mmproj = map(str, pair)
    shared: dict[str, Any] = {"model": model, "mmproj": mmproj, "n_threads": 1, "samples": SAMPLES}
    config = VlmConfig(**shared, timeout_s=600.0)
    settings = Settings(
        **shared, chat_handler="", n_ctx=config.n_ctx, n_gpu_layers=0,
        temperature=config.temperature, places=tuple(PLACES), log=False,
    )  # fmt: skip
    with closing(VlmPrior(config, PLACES)) as prior, closing(GeoAsker(settings)) as direct:
        prior.ask(_image(0), 0).result()
        os.nice(NICENESS)  # as the worker, now that it runs
        worker = int(prior.health()["vlm process"])
        ours: list[float] = []
        theirs: list[float] = []
        cpu_s = {"worker": -_cpu_s(worker), "here": 0.0, "direct": 0.0}
        for turn in range(turns + WARM_UP):
            image = _image(turn)
            began_s = time.process_time()
            seconds, answer = _timed(partial(_asked, prior, image))
            ours.append(seconds)
            between_s = time.process_time()
            seconds, said = _timed(partial(direct.answer, image))
            theirs.append(seconds)
            cpu_s["here"] += between_s - began_s
            cpu_s["direct"] += time.process_time() - between_s
            assert len(answer.choice) == len(said["probabilities"])
        cpu_s["worker"] += _cpu_s(worker)
    overhead = np.median(np.subtract(ours, theirs)[WARM_UP:])
    more_cpu_s = (cpu_s["worker"] + cpu_s["here"] - cpu_s["direct"]) / (turns + WARM_UP)
    report.add(f"{name}: called directly, p50 ms", 1e3 * _p50(theirs))
    report.add(f"{name}: through the worker, p50 ms", 1e3 * _p50(ours))
    report.add(f"{name}: the worker's overhead, p50 ms", 1e3 * overhead)
    report.add(f"{name}: the worker's overhead, share", overhead / _p50(theirs))
    allowed = max(0.05 * _p50(theirs), 0.01)
    report.add(f"{name}: the worker's overhead / (5 % or 10 ms)", overhead / allowed, "<= 1")
    report.add(f"{name}: the worker's overhead, CPU ms a frame", 1e3 * more_cpu_s)


def _asked(prior: VlmPrior, image: RgbImage) -> VlmAnswer:
    return prior.ask(image, 0).result()


def _reuse(name: str, pair: Pair, turns: int, report: Report) -> None:
    """Several questions, and several answers, with and without the image's prefix kept."""
    with closing(VisionModel(*pair, n_ctx=4096, n_threads=1, sequences=SAMPLES)) as model:
        options = [place.label for place in PLACES]
        questions = [
            _prompt(prompts.choice_question(np.roll(options, shift).tolist()))
            for shift in range(SAMPLES)
        ]
        opened = _prompt(prompts.OPEN_QUESTION)
        grammar = open_answer_grammar()

        def ask(image: RgbImage, anew: bool) -> None:
            for number, question in enumerate(questions):
                if anew or number == 0:
                    model.look(image)
                model.prompt(question)

        def draw(image: RgbImage, anew: bool) -> None:
            for samples in [1] * SAMPLES if anew else [SAMPLES]:
                model.look(image)
                sampled_answers(model, opened, grammar, 0.7, samples)

        for what, work in (("orders of 20 places", ask), ("drawn answers", draw)):
            kept, anew = _in_turn(work, turns)
            report.add(f"{name}: {SAMPLES} {what}, each with the image anew, p50 ms", 1e3 * anew)
            report.add(f"{name}: {SAMPLES} {what}, the image's prefix kept, p50 ms", 1e3 * kept)
            report.add(f"{name}: {SAMPLES} {what}, saved", 1 - kept / anew)


def _in_turn(work: Callable[[RgbImage, bool], None], turns: int) -> tuple[float, float]:
    """Median seconds with the prefix kept, and anew."""
    kept: list[float] = []
    anew: list[float] = []
    for turn in range(turns + WARM_UP):
        image = _image(turn)
        kept.append(_timed(partial(work, image, False))[0])
        anew.append(_timed(partial(work, image, True))[0])
    return _p50(kept), _p50(anew)


def _cpu_s(pid: int) -> float:
    """CPU time of another process so far: what a busy machine does not change."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _prompt(question: str) -> str:
    return f"<|system|>{prompts.SYSTEM}<|end|><|user|>{MARKER}\n{question}<|end|><|assistant|>"


def _image(seed: int) -> RgbImage:
    return np.random.default_rng(seed).integers(0, 255, (720, 1280, 3), dtype=np.uint8)


def _p50(seconds: Sequence[float]) -> float:
    return float(np.median(seconds[WARM_UP:]))


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    start = time.perf_counter()
    result = work()
    return time.perf_counter() - start, result


if __name__ == "__main__":
    main()
