"""A localizer whose answers a test decides; run as a program, the node with that localizer.

The region is a folder with a file `script.json`: {"sleep_s", "prior_s", "accept", "accept_from",
"raise"}. It is read for every frame, so that a test can change it while the node runs. A frame
waits `prior_s` for a prior, until the localizer is closed. `accept_from` refuses the frames before
that one, counted from a reset. Every event becomes a line of `log.jsonl`.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.prior.geo_prior import GeoPrior
from vlm_vpr_ros.types import Candidate, Fix, Frame, GeoPoint, Hypothesis, Outcome, Reason

PLACE = GeoPoint(-27.4772, 153.0281, 31.5)
COVARIANCE = np.array([[25.0, 3.0, 0.0], [3.0, 16.0, 0.0], [0.0, 0.0, 100.0]])


class StandIn:
    def __init__(self, region: Path, config: LocalizerConfig) -> None:
        self._region = region
        self._config = config
        self._frames = 0
        self._closed = threading.Event()

    @classmethod
    def open(cls, region: Path, config: LocalizerConfig) -> StandIn:
        if not (region / "script.json").is_file():
            raise RegionError(f"{region}: no manifest.json: build the region first")
        if (region / "script.json").read_text().startswith("damaged"):
            raise RegionError(f"{region}: manifest.json is damaged: build the region again")
        opened = cls(region, config)
        opened._note("open")
        return opened

    def localize(self, frame: Frame, wait_for_prior_s: float = 0.0) -> Outcome:
        script = self._script()
        self._note(
            "begin",
            stamp_ns=frame.stamp_ns,
            gate=self._config.gate.target_false_fix_rate,
            x_m=frame.odometry and frame.odometry.x_m,
            wait_for_prior_s=wait_for_prior_s,
        )
        time.sleep(script.get("sleep_s", 0.0))
        self._closed.wait(script.get("prior_s", 0.0))
        if "raise" in script:
            raise ValueError(script["raise"])
        self._note("end", stamp_ns=frame.stamp_ns, mean=float(frame.image.mean()))
        self._frames += 1
        accept = script.get("accept", True) and self._frames >= script.get("accept_from", 0)
        hypothesis = Hypothesis(
            PLACE, 0.8, None, 0.95, 4.5**2 * np.eye(2), (Candidate(7, PLACE, 0.8),)
        )
        return Outcome(
            stamp_ns=frame.stamp_ns,
            reason=Reason.ACCEPTED if accept else Reason.WEAK_EVIDENCE,
            detail="as the script says",
            fix=Fix(PLACE, COVARIANCE, calibrated=True) if accept else None,
            hypotheses=(hypothesis,),
            probability=0.95,
            probability_none=0.05,
            frames=self._frames,
            latency_ms={"encode": 1.5},
        )

    def reconfigure(self, config: LocalizerConfig) -> None:
        self._config = config

    def reset(self) -> None:
        self._note("reset")
        self._frames = 0

    def observe_prior(self, prior: GeoPrior, stamp_ns: int) -> None:
        part = prior.components[0]
        self._note("told", stamp_ns=stamp_ns, lat_deg=part.lat_deg, sigma_m=part.sigma_m)

    def close(self) -> None:
        self._closed.set()
        self._note("close")

    def describe(self) -> dict[str, str]:
        return {"region": self._region.name, "provider": "CPUExecutionProvider"}

    def _script(self) -> dict[str, Any]:
        return dict(json.loads((self._region / "script.json").read_text()))

    def _note(self, event: str, **facts: Any) -> None:
        with (self._region / "log.jsonl").open("a") as log:
            log.write(json.dumps({"event": event, "at": time.monotonic(), **facts}) + "\n")


if __name__ == "__main__":
    from vlm_vpr_ros.node.main import main

    sys.exit(main(open_localizer=StandIn.open))  # type: ignore[arg-type]
