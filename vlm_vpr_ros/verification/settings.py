"""The parameters of the geometric verification."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class VerificationConfig(BaseModel):
    """The geometric check of the best candidates."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    candidates: int = Field(
        20,
        ge=0,
        le=1000,
        description="How many of the best references are checked by the geometry of their local "
        "features; 0 switches the check off.",
    )
    model: str = Field(
        "xfeat",
        description="Local features: name of a card in models/, or path of a card (.yaml).",
    )
    keypoints: int = Field(
        1024,
        ge=16,
        le=2048,
        description="Strongest keypoints of an image that are used. Half of them take half the "
        "time and find fewer places.",
    )
    clear_inliers: int = Field(
        100,
        ge=8,
        le=100_000,
        description="With this many inliers a candidate is beyond doubt, and of the places after "
        "it only the best candidate is checked. 4000 pairs of unrelated photos reached 65.",
    )
