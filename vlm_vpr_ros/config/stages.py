"""Parameters of the stages on the way of a frame."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from vlm_vpr_ros.config.section import Section


class EncoderConfig(Section):
    """The network that turns an image into a descriptor."""

    name: str = Field(
        "efficientnet_lite0_vlad",
        description="Encoder: name of a card in models/, or path of a card (.yaml).",
    )
    providers: tuple[str, ...] = Field(
        ("CUDAExecutionProvider", "CPUExecutionProvider"),
        description="onnxruntime execution providers in order of preference; the first that really "
        "starts is used, and /diagnostics says which.",
    )
    threads: int = Field(0, ge=0, le=256, description="CPU threads of one inference; 0: all cores.")


class RetrievalConfig(Section):
    """The search for references that resemble the frame."""

    candidates: int = Field(
        20, ge=1, le=1000, description="References kept from the search for the later stages."
    )
    pseudo_frames: float = Field(
        10.0,
        ge=1.0,
        le=1000.0,
        description="Weight of the region's mean descriptor in the query's running mean, in "
        "frames. The mean removes what a drive's light and camera have in common.",
    )

    whole_below_mb: float = Field(
        500.0,
        ge=0.0,
        le=1e9,
        description="A region whose descriptors take less than this, in megabytes, is searched "
        "whole. A larger one is searched where the geographic prior says, and whole without one.",
    )
    prior_share: float = Field(
        0.0225,
        ge=0.0,
        le=1.0,
        description="Of a larger region: the share of its references that is searched in the "
        "cells that the prior finds most probable.",
    )
    sketch_share: float = Field(
        0.0075,
        ge=0.0,
        le=1.0,
        description="Of a larger region: the share of its references that is searched elsewhere, "
        "those most alike by a sketch of 128 bits: the hedge against a wrong prior.",
    )


class VerificationConfig(Section):
    """The geometric check of the best candidates."""

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
        60,
        ge=8,
        le=100_000,
        description="With this many inliers a candidate is beyond doubt, and of the places after "
        "it only the best candidate is checked. 4000 pairs of unrelated photos reached 20, wrong "
        "places of one walk 52.",
    )


class GateConfig(Section):
    """The decision to give an answer."""

    target_false_fix_rate: float = Field(
        0.05,
        gt=0.0,
        lt=0.5,
        description="Share of the accepted fixes that may be false, that is, farther from the "
        "truth than gate.false_radius_m.",
    )
    false_radius_m: float = Field(
        50.0, gt=0.0, le=1e6, description="A fix farther off than this, in metres, is false."
    )


class EvidenceConfig(Section):
    """The evidence of several frames."""

    max_frames: int = Field(
        7,
        ge=1,
        le=50,
        description="How many frames speak together: the newest and those before it that show "
        "other views. ~/relocalize looks at so many new ones until a fix is accepted. 1: every "
        "frame speaks for itself.",
    )
    timeout_s: float = Field(
        5.0,
        gt=0.0,
        le=3600.0,
        description="How long ~/relocalize waits for more frames after the first one's answer, in "
        "seconds.",
    )


class FixConfig(Section):
    """The published position."""

    altitude_mode: Literal["reference", "fixed", "nan"] = Field(
        "reference",
        description="Height of the fix: `reference` (ellipsoidal height of the matched references; "
        "refused to be guessed, NaN if unknown), `fixed` (fix.altitude_m) or `nan`. "
        "navsat_transform_node drops fixes whose height is NaN.",
    )
    altitude_m: float = Field(
        0.0, ge=-1e4, le=1e5, description="Ellipsoidal height in metres for altitude_mode `fixed`."
    )
    altitude_sigma_m: float = Field(
        10.0,
        gt=0.0,
        le=1e4,
        description="Vertical standard deviation in metres. Some consumers take the largest of the "
        "three variances as the error of the fix: a huge one ruins a good fix.",
    )
    min_sigma_m: float = Field(
        2.0,
        gt=0.0,
        le=1e4,
        description="Floor of the horizontal standard deviation in metres, one axis.",
    )
