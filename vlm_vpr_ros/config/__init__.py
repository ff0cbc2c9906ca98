"""Every parameter and its default, in one tree.

The dotted path of a field (`gate.target_false_fix_rate`) is the name of its ROS parameter and its
key in `config/relocalizer.yaml`. Descriptions and ranges written here become its descriptor.
The small node `after_kidnapping` has a section of its own.
"""

from vlm_vpr_ros.config.after_kidnapping import AfterKidnappingConfig
from vlm_vpr_ros.config.beforehand import PriorConfig, VlmConfig
from vlm_vpr_ros.config.localizer import LocalizerConfig
from vlm_vpr_ros.config.names import config_of, leaves, node_config, value_of
from vlm_vpr_ros.config.node import MapConfig, NodeConfig
from vlm_vpr_ros.config.parameter_file import read_parameters
from vlm_vpr_ros.config.positions import datum_of, lat_lon_deg
from vlm_vpr_ros.config.stages import (
    EncoderConfig,
    EvidenceConfig,
    FixConfig,
    GateConfig,
    RetrievalConfig,
    VerificationConfig,
)

__all__ = [
    "AfterKidnappingConfig",
    "EncoderConfig",
    "EvidenceConfig",
    "FixConfig",
    "GateConfig",
    "LocalizerConfig",
    "MapConfig",
    "NodeConfig",
    "PriorConfig",
    "RetrievalConfig",
    "VerificationConfig",
    "VlmConfig",
    "config_of",
    "datum_of",
    "lat_lon_deg",
    "leaves",
    "node_config",
    "read_parameters",
    "value_of",
]
