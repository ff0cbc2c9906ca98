"""One vision-language model for the localizers of an evaluation."""

from __future__ import annotations

import numpy as np
from support.tiny_vlm import TinyVlm

from vlm_vpr_ros.config import LocalizerConfig, VlmConfig
from vlm_vpr_ros.evaluation.remembering import remembering_model
from vlm_vpr_ros.types import Frame

WAIT_S = 60.0


def test_two_keepers_share_one_answer_of_one_model(tiny_vlm: TinyVlm) -> None:
    model, mmproj = map(str, tiny_vlm.pair)
    vlm = VlmConfig(model=model, mmproj=mmproj, mode="open", n_threads=1, timeout_s=WAIT_S)
    config = LocalizerConfig(vlm=vlm)
    shared = remembering_model(config, ())
    keepers = [shared.keeper(config) for _ in range(2)]
    frame = Frame(np.zeros((48, 64, 3), np.uint8), 0)
    try:
        reports = []
        for keeper in keepers:
            keeper.ask(frame)
            reports.append(keeper.current(0, WAIT_S))
        assert reports[0] == reports[1]
        assert keepers[0].describe()["vlm starts"] == "1"
        assert shared.model is not None
        assert shared.model.ask(frame.image, 0) is shared.model.ask(frame.image, 0)
    finally:
        for keeper in keepers:
            keeper.close()
