"""calibration.json: what held-out drives taught about a region.

It lies in the region's folder and counts only for that very region, with the settings and the
program that it was made with: thresholds of other scores would promise what nobody has tested.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vlm_vpr_ros import __version__
from vlm_vpr_ros.config import LocalizerConfig, leaves, value_of
from vlm_vpr_ros.errors import RegionError
from vlm_vpr_ros.files import write_atomic
from vlm_vpr_ros.region.manifest import Manifest, Sha256
from vlm_vpr_ros.validation import first_problem

CALIBRATION = "calibration.json"
FORMAT_VERSION = 3

_MAX_BYTES = 1 << 20
_SCORING = (
    *("retrieval.", "verification.", "evidence."),
    *("gate.false_radius_m", "fix.min_sigma_m", "max_speed_mps"),
)
_NOT_SCORING = ("evidence.timeout_s", "evidence.max_frames", "verification.model")

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Text = Annotated[str, Field(max_length=1000)]
Setting: TypeAlias = bool | int | float | str
Guarantee: TypeAlias = Literal["further drives", "these drives only"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Ellipses(_Part):
    """What makes the covariance true.

    Attributes:
        fixes: right fixes that it was fitted on.
        scale: factor on the covariance.
        radii: per cent -> Mahalanobis distance, under the scaled covariance, that holds as much.
    """

    fixes: int = Field(ge=1)
    scale: float = Field(gt=0, le=1e6)
    radii: dict[Literal["50", "90", "95"], Annotated[float, Field(gt=0, le=1e3)]] = Field(
        min_length=3
    )


class Threshold(_Part):
    """The support that a target needs, and what it did on the held-out drives.

    Attributes:
        target: share of the answers that may be false.
        support: least log-odds of an answer, see `estimation.gate.support`.
        guarantee: what the confidence speaks of: further drives like these, or these alone.
        decisions: how often an answer was asked for.
        accepted: how often it was given.
        false: how many of these were false.
        ellipses: of the right ones; None where they were too few.
    """

    target: float = Field(gt=0, lt=0.5)
    support: float = Field(ge=-1e6, le=1e6)
    guarantee: Guarantee
    decisions: Count
    accepted: Count
    false: Count
    ellipses: Ellipses | None


class Refusal(_Part):
    """A target that the held-out drives do not support, and why."""

    target: float = Field(gt=0, lt=0.5)
    why: Text


class Mode(_Part):
    """Of single frames, or of windows.

    Attributes:
        slope: of the log-odds from which probabilities are made.
        bias: added to them.
        thresholds: by ascending target.
        refusals: targets without a threshold.
        ellipses: of answers without a threshold, which are given by their probability alone; None
            where too few were right.
    """

    slope: float = Field(gt=0, le=100)
    bias: float = Field(ge=-100, le=100)
    thresholds: tuple[Threshold, ...] = Field(max_length=100)
    refusals: tuple[Refusal, ...] = Field(max_length=100)
    ellipses: Ellipses | None

    def threshold(self, target: float) -> Threshold | None:
        """The loosest threshold that keeps within a target; None if there is none."""
        kept = [threshold for threshold in self.thresholds if threshold.target <= target]
        return max(kept, key=lambda threshold: threshold.target, default=None)


class Made(_Part):
    """With what a calibration was made, and hence for what it counts.

    Attributes:
        version: of this program.
        manifest_sha256: of the region's manifest, which names its networks and all files.
        references: of the region.
        encoder: its name.
        settings: the parameters that change scores and positions.
    """

    version: Text
    manifest_sha256: Sha256
    references: int = Field(ge=1)
    encoder: Text
    settings: dict[Annotated[str, Field(max_length=100)], Setting] = Field(max_length=200)

    @classmethod
    def of(cls, manifest: Manifest, config: LocalizerConfig) -> Made:
        """What a calibration of this region with these settings would be made with."""
        return cls(
            version=__version__,
            manifest_sha256=hashlib.sha256(manifest.model_dump_json().encode()).hexdigest(),
            references=manifest.references,
            encoder=manifest.encoder.name,
            settings={
                name: value_of(config, name)
                for name, _ in leaves(LocalizerConfig)
                if name.startswith(_SCORING) and name not in _NOT_SCORING
            },
        )

    def difference(self, here: Made) -> str:
        """What differs, as a clause for people; "" if nothing does."""
        if self.manifest_sha256 != here.manifest_sha256:
            return "made for another region, or before this one was built anew"
        if self.version != here.version:
            return f"made by version {self.version}, this is {here.version}"
        names = sorted(self.settings.keys() | here.settings.keys())
        for name in names:
            then, now = self.settings.get(name), here.settings.get(name)
            if then != now:
                return f"made with {name} = {then}, which is {now} now"
        return ""


class Calibration(_Part):
    """The content of calibration.json.

    Attributes:
        format_version: of the file.
        made: for what it counts.
        date: when it was made, UTC.
        confidence: that a threshold keeps its target.
        drives: held-out drives and their frames.
        outside: frames among them that were taken outside of the region.
        frames: of a window.
        single: of frames that stand alone.
        windows: of windows as `~/relocalize` gathers them, each of which ends with its first
            answer. What one frame says there has the slope, bias and ellipses of single frames.
    """

    format_version: Literal[3]
    made: Made
    date: datetime.datetime
    confidence: Share
    drives: dict[Text, Annotated[int, Field(ge=1)]] = Field(min_length=1, max_length=100_000)
    outside: Count
    frames: int = Field(ge=1, le=1000)
    single: Mode
    windows: Mode

    def write(self, folder: Path) -> None:
        """Write calibration.json into a region."""
        write_atomic(folder / CALIBRATION, (self.model_dump_json(indent=1) + "\n").encode())


def read_calibration(folder: Path) -> Calibration | None:
    """The calibration of a region; None if it has none.

    Raises:
        RegionError: the file is no calibration.
    """
    path = folder / CALIBRATION
    if not path.exists():
        return None
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise RegionError(f"{path}: too large to be a calibration. {_ADVICE}")
        return Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise RegionError(f"{path}: cannot be read: {error}") from None
    except ValidationError as error:
        raise RegionError(f"{path}: damaged: {first_problem(error)}. {_ADVICE}") from None


_ADVICE = "Delete it, or repeat `vlm_vpr calibrate`."


def radii_of(ellipses: Ellipses) -> Mapping[int, float]:
    """The radii by number."""
    return {int(per_cent): radius for per_cent, radius in ellipses.radii.items()}
