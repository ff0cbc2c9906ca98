"""The worker by itself, over its pipes."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import closing
from dataclasses import replace

import numpy as np
from support.tiny_vlm import TinyVlm

from vlm_vpr_ros.prior.vlm.geo_asker import GeoAsker
from vlm_vpr_ros.prior.vlm.protocol import PlaceNames, Settings, frame, read_frame

PATIENCE_S = 60.0


def test_it_ends_with_its_stdin_even_while_loading(tiny_vlm: TinyVlm) -> None:
    worker = start()
    assert worker.stdin is not None
    worker.stdin.write(frame(settings(tiny_vlm).as_header()))
    worker.stdin.close()
    assert worker.wait(PATIENCE_S) == 0


def test_it_ends_with_its_stdin_before_it_knows_anything() -> None:
    worker = start()
    assert worker.stdin is not None
    worker.stdin.close()
    assert worker.wait(PATIENCE_S) == 0


def test_it_ends_on_garbage() -> None:
    worker = start()
    assert worker.stdin is not None
    worker.stdin.write(json.dumps({"hello": 1}).encode())
    worker.stdin.flush()
    assert worker.wait(PATIENCE_S) == 0


def test_it_answers_frames_in_order(tiny_vlm: TinyVlm) -> None:
    worker = start()
    assert worker.stdin is not None
    assert worker.stdout is not None
    worker.stdin.write(frame(settings(tiny_vlm).as_header()))
    for number in (5, 6):
        header = {"id": number, "height": 8, "width": 9}
        worker.stdin.write(frame(header, bytes(8 * 9 * 3)))
    worker.stdin.flush()
    said = [read_frame(worker.stdout.read) for _ in range(3)]
    assert [header.get("id") for header, _ in filter(None, said)] == [None, 5, 6]
    worker.stdin.close()
    worker.stdout.close()
    assert worker.wait(PATIENCE_S) == 0


def test_llama_cpp_is_loaded_by_the_worker_alone() -> None:
    script = (
        "import sys, vlm_vpr_ros.localizer, vlm_vpr_ros.prior.vlm.vlm_prior;"
        "sys.exit(bool({'llama_cpp', 'jinja2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_questions_about_an_image_share_its_evaluation(tiny_vlm: TinyVlm) -> None:
    places = tuple(PlaceNames(f"P{i}, C", "C", "", f"P{i}") for i in range(9))
    with closing(GeoAsker(replace(settings(tiny_vlm), places=places))) as asker:
        asker.answer(np.zeros((48, 64, 3), np.uint8))
        assert asker._model.usage.reused > 64  # the image's tokens


def start() -> subprocess.Popen[bytes]:
    module = "vlm_vpr_ros.prior.vlm.vlm_worker"
    return subprocess.Popen(
        [sys.executable, "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def settings(tiny_vlm: TinyVlm) -> Settings:
    model, mmproj = map(str, tiny_vlm.pair)
    return Settings(model, mmproj, "", 4096, 1, 0, 1.0, 2, (), False)
