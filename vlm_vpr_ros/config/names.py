"""Parameters by their dotted names, as ROS and the command line know them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from vlm_vpr_ros.config.node import NodeConfig
from vlm_vpr_ros.errors import ConfigError

Leaf = tuple[str, FieldInfo]
C = TypeVar("C", bound=BaseModel)


def leaves(section: type[BaseModel], prefix: str = "") -> Iterator[Leaf]:
    """Yield (dotted name, field) of every parameter below a section, in the order of the tree."""
    for name, field in section.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from leaves(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name, field


def value_of(config: BaseModel, dotted_name: str) -> Any:
    """The value of one parameter of a config."""
    value: Any = config
    for name in dotted_name.split("."):
        value = getattr(value, name)
    return value


def config_of(kind: type[C], parameters: Mapping[str, Any]) -> C:
    """Build a config from dotted names; what is not named keeps its default.

    Raises:
        ConfigError: naming every unknown name (with the nearest known one) and wrong value.
    """
    known = [name for name, _ in leaves(kind)]
    complaints = [_unknown(name, known) for name in parameters if name not in known]
    if complaints:
        raise ConfigError("\n".join(complaints))
    try:
        return kind.model_validate(_nested(parameters))
    except ValidationError as error:
        raise ConfigError("\n".join(_complaint(e, parameters) for e in error.errors())) from None


def node_config(parameters: Mapping[str, Any]) -> NodeConfig:
    """The node's config, see `config_of`."""
    return config_of(NodeConfig, parameters)


def _nested(parameters: Mapping[str, Any]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for dotted_name, value in parameters.items():
        *path, leaf = dotted_name.split(".")
        branch = tree
        for name in path:
            branch = branch.setdefault(name, {})
        branch[leaf] = value
    return tree


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"unknown parameter `{name}`" + (f": did you mean `{near[0]}`?" if near else "")


def _complaint(error: Any, parameters: Mapping[str, Any]) -> str:
    name = ".".join(str(part) for part in error["loc"])
    while name not in parameters and "." in name:  # drop the index of an array's element
        name = name.rpartition(".")[0]
    return f"parameter `{name}` = {parameters.get(name)!r}: {error['msg']}"
