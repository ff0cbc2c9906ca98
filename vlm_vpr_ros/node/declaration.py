"""Parameters of a node: declared from a section of the config tree, checked, read back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from vlm_vpr_ros.config import config_of, leaves, value_of
from vlm_vpr_ros.errors import ConfigError

_NOT_OURS = ("use_sim_time", "start_type_description_service", "qos_overrides.")
_KINDS: dict[Any, str] = {
    float: "a number",
    int: "a whole number",
    bool: "true or false",
    str: "a text",
}
_INT64 = (-(2**63), 2**63 - 1)
_FLOAT64 = (-sys.float_info.max, sys.float_info.max)

C = TypeVar("C", bound=BaseModel)


def declare(
    node: Node, defaults: C, describe: Callable[[str, FieldInfo], ParameterDescriptor]
) -> C:
    """Declare every parameter of a config on a node and return the config it starts with.

    The node must have been made with `automatically_declare_parameters_from_overrides`: it is the
    public way to learn of overrides that nobody declares, such as a misspelt key of a YAML file.

    Args:
        node: declares them.
        defaults: the config without overrides.
        describe: makes the descriptor of a parameter.

    Raises:
        ConfigError: an override is unknown, of the wrong type or out of range.
    """
    overrides = {
        name: parameter.value
        for name, parameter in node.get_parameters_by_prefix("").items()
        if not foreign(name)
    }
    config = updated(defaults, overrides)
    for name in overrides:
        node.undeclare_parameter(name)
    node.declare_parameters(
        "",
        [
            (name, ros_value(value_of(config, name)), describe(name, field))
            for name, field in leaves(type(config))
        ],
        ignore_override=True,
    )
    return config


def updated(config: C, changes: Mapping[str, Any]) -> C:
    """The config with some parameters changed.

    Raises:
        ConfigError: naming every unknown name (with the nearest known one) and every wrong value.
    """
    known = dict(leaves(type(config)))
    wrong = [
        f"parameter `{name}` = {value!r}: must be {_kind(known[name])}"
        for name, value in changes.items()
        if name in known and not _fits(value, known[name])
    ]
    if wrong:
        raise ConfigError("\n".join(wrong))
    values = {name: value_of(config, name) for name in known} | dict(changes)
    return config_of(type(config), values)


def matches(name: str, patterns: Sequence[str]) -> bool:
    """Whether a parameter is named by a pattern: a whole name, or a section with its dot."""
    return any(
        name == pattern or (pattern.endswith(".") and name.startswith(pattern))
        for pattern in patterns
    )


def foreign(name: str) -> bool:
    """Whether a parameter is rclpy's own."""
    return matches(name, _NOT_OURS)


def ros_value(value: Any) -> Any:
    """A value of the tree as rclpy stores it."""
    return list(value) if isinstance(value, tuple) else value


def descriptor(name: str, field: FieldInfo) -> ParameterDescriptor:
    """What `ros2 param describe` says of a parameter: description, range, choices."""
    made = ParameterDescriptor(description=field.description or "")
    made.additional_constraints = limits(name, field)
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
    return made


def _choices(field: FieldInfo) -> tuple[str, ...]:
    return get_args(field.annotation) if get_origin(field.annotation) is Literal else ()


def _bounds(field: FieldInfo) -> tuple[float | None, float | None]:
    def first(*names: str) -> float | None:
        found = [getattr(m, n) for m in field.metadata for n in names if hasattr(m, n)]
        return found[0] if found else None

    return first("ge", "gt"), first("le", "lt")


def limits(name: str, field: FieldInfo) -> str:
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
