"""The parameters of the node `relocalizer`: which may change when, and their commented file.

Run as a module, it prints `config/relocalizer.yaml`.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping
from typing import Any

import yaml
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import ParameterDescriptor

from vlm_vpr_ros.config import NodeConfig, leaves, value_of
from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.node import declaration
from vlm_vpr_ros.node.declaration import limits, matches, ros_value, updated

LIVE = (
    "evidence.timeout_s",
    "gate.",
    "fix.",
    "prior.max_log_odds",
    "prior.wait_s",
    "map.",
    "continuous",
    "rate",
    "max_image_age_s",
    "relocalize_timeout_s",
    "frame_id",
    "publish_refused",
)
"""What may change while the node is configured: whole names, or sections with their dot."""

AT_START = ("autostart",)
"""What is read once, when the node starts."""


def changed_live(config: NodeConfig, changes: Mapping[str, Any], fixed: bool) -> NodeConfig:
    """The config with some parameters changed while the node runs.

    Args:
        config: as it is.
        changes: names and new values.
        fixed: whether what was configured must stay as it is (see `LIVE`).

    Raises:
        ConfigError: as `updated`, or a parameter cannot change now.
    """
    new = updated(config, changes)
    late = [
        name
        for name in changes
        if not matches(name, LIVE) and value_of(new, name) != value_of(config, name)
    ]
    if fixed and late:
        raise ConfigError(
            f"{', '.join(late)} cannot change while the node is configured: clean it up, set, "
            "configure again"
        )
    return new


def takes_effect(name: str) -> str:
    """When a change of a parameter does."""
    if matches(name, AT_START):
        return "at start"
    return "at once" if matches(name, LIVE) else "when configured"


def descriptor(name: str, field: FieldInfo) -> ParameterDescriptor:
    """What `ros2 param describe` says of a parameter."""
    made = declaration.descriptor(name, field)
    made.read_only = matches(name, AT_START)
    remarks = (made.additional_constraints, f"takes effect {takes_effect(name)}")
    made.additional_constraints = "; ".join(filter(None, remarks))
    return made


def comment(name: str, field: FieldInfo) -> str:
    """What the parameter file says of a parameter."""
    remarks = "; ".join(filter(None, (limits(name, field), takes_effect(name))))
    return f"{field.description or ''} [{remarks}]"


def yaml_text() -> str:
    """The commented parameter file with every default."""
    lines = [
        "# Every parameter of the node `relocalizer` with its default.",
        "# Made from vlm_vpr_ros/config/ by `python3 -m vlm_vpr_ros.node.parameters`.",
        "# In brackets: what is allowed, and when a change takes effect: at once, when the node is",
        "# configured (again), or only at its start.",
        "/**:",
        "  ros__parameters:",
    ]
    section = ""
    for name, field in leaves(NodeConfig):
        *path, leaf = name.split(".")
        indent = "  " * (2 + len(path))
        lines.append("")
        if path and path[0] != section:
            lines.append(f"    {path[0]}:")
        section = path[0] if path else ""
        wrapped = textwrap.wrap(comment(name, field), 96 - len(indent))
        lines += [f"{indent}# {line}" for line in wrapped]
        value = ros_value(field.get_default(call_default_factory=True))
        text = yaml.safe_dump(value, default_flow_style=True, width=1000)
        lines.append(f"{indent}{leaf}: {text.removesuffix('...' + chr(10)).strip()}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(yaml_text())
