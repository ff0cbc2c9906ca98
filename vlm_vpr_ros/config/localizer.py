"""Everything the localizer needs: no ROS."""

from __future__ import annotations

from pydantic import Field

from vlm_vpr_ros.config.beforehand import PriorConfig, VlmConfig
from vlm_vpr_ros.config.section import Section
from vlm_vpr_ros.config.stages import (
    EncoderConfig,
    EvidenceConfig,
    FixConfig,
    GateConfig,
    RetrievalConfig,
    VerificationConfig,
)


class LocalizerConfig(Section):
    """Everything the localizer needs: no ROS."""

    encoder: EncoderConfig = Field(default_factory=EncoderConfig)
    retrieval: RetrievalConfig = Field(default_factory=RetrievalConfig)
    verification: VerificationConfig = Field(default_factory=VerificationConfig)
    evidence: EvidenceConfig = Field(default_factory=EvidenceConfig)
    prior: PriorConfig = Field(default_factory=PriorConfig)
    gate: GateConfig = Field(default_factory=GateConfig)
    fix: FixConfig = Field(default_factory=FixConfig)
    vlm: VlmConfig = Field(default_factory=VlmConfig)
