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
    max_speed_mps: float = Field(
        15.0,
        gt=0.0,
        le=1000.0,
        description="How fast the robot may move, in m/s, where it has no odometry: it bounds how "
        "far apart two frames were taken, and a prior is widened by this much with time.",
    )

    @property
    def of_single_frames(self) -> LocalizerConfig:
        """The same, with every frame speaking for itself."""
        evidence = self.evidence.model_copy(update={"max_frames": 1})
        return self.model_copy(update={"evidence": evidence})
