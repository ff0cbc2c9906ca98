"""The node's parameters: declared from the config tree, checked, read back.

Run as a module, it prints `config/relocalizer.yaml`.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Literal, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from vlm_vpr_ros.config import NodeConfig, leaves, node_config, value_of
from vlm_vpr_ros.errors import ConfigError

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

_NOT_OURS = ("use_sim_time", "start_type_description_service", "qos_overrides.")
_KINDS: dict[Any, str] = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a text",
}
_INT64 = (-(2**63), 2**63 - 1)
_FLOAT64 = (-sys.float_info.max, sys.float_info.max)


def declare(node: Node) -> NodeConfig:
    """Declare every parameter of the tree on a node and return the config it starts with.

    The node must have been made with `automatically_declare_parameters_from_overrides`: it is the
    public way to learn of overrides that nobody declares, such as a misspelt key of a YAML file.

    Raises:
        ConfigError: an override is unknown, of the wrong type or out of range.
    """
    names = [name for name, _ in leaves(NodeConfig)]
    overrides = {
        name: parameter.value
        for name, parameter in node.get_parameters_by_prefix("").items()
        if not foreign(name)
    }
    config = updated(NodeConfig(), overrides)
    for name in overrides:
        node.undeclare_parameter(name)
    node.declare_parameters(
        "",
        [(name, _ros_value(value_of(config, name)), descriptor(name)) for name in names],
        ignore_override=True,
    )
    return config


def updated(config: NodeConfig, changes: Mapping[str, Any]) -> NodeConfig:
    """The config with some parameters changed.

    Raises:
        ConfigError: naming every unknown name (with the nearest known one) and every wrong value.
    """
    known = dict(leaves(NodeConfig))
    wrong = [
        f"parameter `{name}` = {value!r}: must be {_kind(known[name])}"
        for name, value in changes.items()
        if name in known and not _fits(value, known[name])
    ]
    if wrong:
        raise ConfigError("\n".join(wrong))
    return node_config({name: value_of(config, name) for name in known} | dict(changes))


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


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a parameter is named by one of the patterns, see `LIVE`."""
    return any(
        name == pattern or (pattern.endswith(".") and name.startswith(pattern))
        for pattern in patterns
    )


def foreign(name: str) -> bool:
    """Whether a parameter is rclpy's own."""
    return matches(name, _NOT_OURS)


def _ros_value(value: Any) -> Any:
    """A value of the tree as rclpy stores it."""
    return list(value) if isinstance(value, tuple) else value


def descriptor(name: str) -> ParameterDescriptor:
    """What `ros2 param describe` says of a parameter."""
    field = dict(leaves(NodeConfig))[name]
    remarks = [_limits(name, field)]
    made = ParameterDescriptor(description=field.description or "")
    low, high = _bounds(field)
    if field.annotation is float:
        # rclpy refuses `rate: 1` for a parameter whose type is fixed to floating point, so its
        # type is left open and `updated` checks it.
        made.dynamic_typing = True
        made.floating_point_range = [
            FloatingPointRange(
                from_value=_FLOAT64[0] if low is None else float(low),
                to_value=_FLOAT64[1] if high is None else float(high),
            )
        ]
    elif field.annotation is int:
        made.integer_range = [
            IntegerRange(
                from_value=_INT64[0] if low is None else int(low),
                to_value=_INT64[1] if high is None else int(high),
                step=1,
            )
        ]
    if matches(name, AT_START):
        made.read_only = True
    elif not matches(name, LIVE):
        remarks.append("takes effect when the node is configured")
    made.additional_constraints = "; ".join(remark for remark in remarks if remark)
    return made


def yaml_text() -> str:
    """The commented parameter file with every default."""
    lines = [
        "# Every parameter of the node `relocalizer` with its default.",
        "# Made from vlm_vpr_ros/config/ by `python3 -m vlm_vpr_ros.node.parameters`.",
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
        limits = _limits(name, field)
        comment = (field.description or "") + (f" [{limits}]" if limits else "")
        lines += [f"{indent}# {line}" for line in textwrap.wrap(comment, 96 - len(indent))]
        value = _ros_value(field.get_default(call_default_factory=True))
        text = yaml.safe_dump(value, default_flow_style=True, width=1000)
        lines.append(f"{indent}{leaf}: {text.removesuffix('...' + chr(10)).strip()}")
    return "\n".join(lines) + "\n"


def _choices(field: FieldInfo) -> tuple[str, ...]:
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    def first(*names: str) -> float | None:
        found = [getattr(m, n) for m in field.metadata for n in names if hasattr(m, n)]
        return found[0] if found else None

    return first("ge", "gt"), first("le", "lt")


def _limits(name: str, field: FieldInfo) -> str:
    """The allowed values in words: ROS ranges cannot say that a bound itself is excluded."""
    if choices := _choices(field):
        return "one of: " + ", ".join(choices)
    if any(getattr(m, "min_length", 0) for m in field.metadata):
        return "not empty"
    signs = {"ge": "<=", "gt": "<", "le": "<=", "lt": "<"}
    bounds = {s: getattr(m, s) for m in field.metadata for s in signs if hasattr(m, s)}
    low = "".join(f"{bounds[s]:g} {signs[s]} " for s in ("ge", "gt") if s in bounds)
    high = "".join(f" {signs[s]} {bounds[s]:g}" for s in ("le", "lt") if s in bounds)
    return f"{low}{name.rpartition('.')[2]}{high}" if low or high else ""


def _kind(field: FieldInfo) -> str:
    if _choices(field):
        return "one of " + ", ".join(_choices(field))
    return _KINDS.get(field.annotation, "a list of texts")


def _fits(value: Any, field: FieldInfo) -> bool:
    """Whether a value is of the parameter's type; pydantic alone would take "2" or True for 2.0."""
    if field.annotation is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if field.annotation is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if field.annotation is bool:
        return isinstance(value, bool)
    if field.annotation is str or _choices(field):
        return isinstance(value, str)
    return isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)


if __name__ == "__main__":
    sys.stdout.write(yaml_text())
