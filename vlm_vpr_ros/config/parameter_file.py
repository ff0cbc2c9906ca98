"""ROS 2 parameter files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.files import read_yaml

NODE_NAME = "relocalizer"
_OUR_BLOCKS = {NODE_NAME, "*", "**"}


def read_parameters(path: Path) -> dict[str, Any]:
    """Read a ROS 2 parameter file and return its dotted names and values.

    The blocks of the node `relocalizer` in whatever namespace and those of all nodes (`/**`) are
    merged in the order of the file; what it says of other nodes is not looked at.

    Raises:
        ConfigError: the file cannot be read, or has no such block.
    """
    try:
        tree = read_yaml(path)
        blocks = list(_blocks(tree)) if isinstance(tree, dict) else []
        ours = [block for node, block in blocks if node.rpartition("/")[2] in _OUR_BLOCKS]
        parameters: dict[str, Any] = {}
        for block in ours:
            if not isinstance(block, dict):
                raise ValueError("`ros__parameters` is no list of names and values")
            parameters.update(_flat(block))
    except (ValueError, RecursionError) as error:  # a YAML anchor can contain itself
        raise ConfigError(f"{path}: {error}") from None
    if not ours:
        others = ", ".join(node for node, _ in blocks)
        wrong = f"only of {others}" if others else "not a ROS 2 parameter file"
        raise ConfigError(
            f"{path}: no parameters of the node {NODE_NAME} ({wrong}): expected "
            f"`/**: ros__parameters: ...` or `{NODE_NAME}: ros__parameters: ...`"
        )
    return parameters


def _blocks(tree: Mapping[Any, Any], node: str = "") -> Iterator[tuple[str, Any]]:
    """Every (name of a node with its namespace, `ros__parameters` block); namespaces may nest."""
    for key, value in tree.items():
        if key == "ros__parameters":
            yield node, value
        elif isinstance(value, dict):
            yield from _blocks(value, f"{node}/{str(key).strip('/')}")


def _flat(tree: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        if isinstance(value, dict):
            flat.update(_flat(value, f"{prefix}{name}."))
        else:
            flat[f"{prefix}{name}"] = value
    return flat
