"""Parameters: defaults, ranges, and what a wrong file or value is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vlm_vpr_ros.config import (
    NodeConfig,
    datum_of,
    leaves,
    node_config,
    read_parameters,
    value_of,
)
from vlm_vpr_ros.errors import ConfigError

LEAVES = dict(leaves(NodeConfig))


def test_every_default_is_valid_and_described() -> None:
    config = NodeConfig()
    defaults = {name: value_of(config, name) for name in LEAVES}
    assert node_config(defaults) == config == node_config({})
    for name, field in LEAVES.items():
        assert field.description and field.description.endswith("."), name
        assert value_of(config, name) == field.get_default(call_default_factory=True)


def test_dotted_names_reach_their_values() -> None:
    config = node_config({"gate.target_false_fix_rate": 0.01, "rate": 2, "region": "/r"})
    assert (config.gate.target_false_fix_rate, config.rate, config.region) == (0.01, 2.0, "/r")
    assert config.gate.false_radius_m == 50.0


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("gate.target_false_fix_rat", "gate.target_false_fix_rate"),
        ("continous", "continuous"),
        ("encoder.nam", "encoder.name"),
        ("fix.altitude", "fix.altitude_m"),
        ("gate", "rate"),
    ],
)
def test_an_unknown_name_is_told_the_nearest(name: str, near: str) -> None:
    with pytest.raises(ConfigError, match=f"unknown parameter `{name}`: did you mean `{near}`"):
        node_config({name: 1})


def test_a_name_like_none() -> None:
    with pytest.raises(ConfigError, match=r"^unknown parameter `zzz`$"):
        node_config({"zzz": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("gate.target_false_fix_rate", 0.0),
        ("gate.target_false_fix_rate", 0.5),
        ("gate.target_false_fix_rate", float("nan")),
        ("gate.false_radius_m", float("inf")),
        ("gate.false_radius_m", -1),
        ("retrieval.candidates", 0),
        ("retrieval.candidates", 2.5),
        ("retrieval.candidates", 10**30),
        ("retrieval.pseudo_frames", "many"),
        ("fix.altitude_mode", "sea"),
        ("fix.min_sigma_m", 0),
        ("encoder.threads", -1),
        ("encoder.providers", "CPUExecutionProvider"),
        ("encoder.providers", ["CPUExecutionProvider", 3]),
        ("rate", None),
        ("rate", [1.0]),
        ("rate", 0),
        ("region", 5),
        ("frame_id", ""),
        ("autostart", "perhaps"),
        ("image_transport", "theora"),
    ],
)
def test_a_wrong_value_is_named_with_its_parameter(name: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"parameter `{name}` = ") as raised:
        node_config({name: value})
    assert repr(value) in str(raised.value)


def test_every_mistake_is_reported_at_once() -> None:
    with pytest.raises(ConfigError) as raised:
        node_config({"rate": -1, "fix.min_sigma_m": -1})
    assert len(str(raised.value).splitlines()) == 2
    with pytest.raises(ConfigError) as raised:
        node_config({"raet": 1, "regoin": ""})
    assert len(str(raised.value).splitlines()) == 2


def write(folder: Path, text: str) -> Path:
    path = folder / "relocalizer.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_reading_nested_and_dotted_names(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        """
        /**:
          ros__parameters:
            rate: 2
            gate: {target_false_fix_rate: 0.02}
            fix.altitude_mode: nan
            encoder:
              name: megaloc
              providers: [CPUExecutionProvider]
        relocalizer:
          ros__parameters: {rate: 3}
        """,
    )
    parameters = read_parameters(path)
    assert parameters == {
        "rate": 3,
        "gate.target_false_fix_rate": 0.02,
        "fix.altitude_mode": "nan",
        "encoder.name": "megaloc",
        "encoder.providers": ["CPUExecutionProvider"],
    }
    assert node_config(parameters).fix.altitude_mode == "nan"


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("amcl: {ros__parameters: {alpha1: 0.2}}\nrelocalizer: {ros__parameters: {rate: 3}}", 3),
        ("/amcl: {ros__parameters: 5}\n/relocalizer: {ros__parameters: {rate: 3}}", 3),
        ("/robot1/relocalizer: {ros__parameters: {rate: 4}}", 4),
        (
            "/robot1: {relocalizer: {ros__parameters: {rate: 4}}, amcl: {ros__parameters: {a: 1}}}",
            4,
        ),
        ("a: {b: {/relocalizer: {ros__parameters: {rate: 5}}}}", 5),
        ("/robot1/**: {ros__parameters: {rate: 6}}", 6),
        ("/**/relocalizer: {ros__parameters: {rate: 6}}", 6),
        ("/**: {ros__parameters: {rate: 1}, relocalizer: {ros__parameters: {rate: 2}}}", 2),
        ("relocalizer: {ros__parameters: {rate: 2}}\n/**: {ros__parameters: {rate: 1}}", 1),
        ("relocalizer: {ros__parameters: {}}\n3: {ros__parameters: {rate: 1}}", None),
        ("my_relocalizer: {ros__parameters: {x: 1}}\n/**: {ros__parameters: {rate: 7}}", 7),
    ],
)
def test_only_our_blocks_of_a_shared_file_count(
    tmp_path: Path, text: str, rate: float | None
) -> None:
    expected = {} if rate is None else {"rate": rate}
    assert read_parameters(write(tmp_path, text)) == expected


def test_a_file_for_other_nodes_alone(tmp_path: Path) -> None:
    path = write(tmp_path, "amcl: {ros__parameters: {a: 1}}\nr1: {amcl: {ros__parameters: {a: 1}}}")
    with pytest.raises(ConfigError, match="of the node relocalizer .only of /amcl, /r1/a"):
        read_parameters(path)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "&a {b: *a}",
        "/**: {ros__parameters: &a {b: *a}}",
        "relocalizer/ros__parameters: {rate: 2}",
        "42",
        "[1, 2]",
        "words",
        "rate: 2",
        "/**: {rate: 2}",
        "/**: {ros__parameters: [1]}",
        "/**: {ros__parameters: 3}",
        "a: b: c",
        "\t- x",
        "!!python/object/apply:os.system [echo]",
        "/**: {ros__parameters: {rate: 2024-13-41}}",
        "/**: {ros__parameters: {rate: !!bool perhaps}}",
        "[" * 5000,
        "{[a]: b}",
    ],
)
def test_what_is_no_parameter_file(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"relocalizer\.yaml: "):
        read_parameters(write(tmp_path, text))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "relocalizer.yaml"
    with pytest.raises(ConfigError, match=r"relocalizer\.yaml: cannot be read"):
        read_parameters(path)
    path.write_bytes(b"\xff\xfe\x80")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_parameters(path)
    with pytest.raises(ConfigError, match="cannot be read"):
        read_parameters(tmp_path)


def test_odd_keys_and_depths_are_refused_by_name(tmp_path: Path) -> None:
    for text, name in (
        ("{1: 2}", "1"),
        ("{rate: {deep: 1}}", "rate.deep"),
        ("{gate: {target: {deep: 1}}}", "gate.target.deep"),
    ):
        path = write(tmp_path, "/**: {ros__parameters: " + text + "}")
        with pytest.raises(ConfigError, match=f"unknown parameter `{name}`"):
            node_config(read_parameters(path))


@pytest.mark.parametrize(
    ("text", "datum"),
    [
        ("48.1, -11.5", (48.1, -11.5, None, 0.0)),
        ("48.1,-11.5,560.5,90", (48.1, -11.5, 560.5, 90.0)),
    ],
)
def test_a_datum_names_an_origin(text: str, datum: tuple[float | None, ...]) -> None:
    assert node_config({"map.datum": text}).map.datum == text
    assert datum_of(text) == datum


@pytest.mark.parametrize(
    "text",
    ["48.1", "91, 11", "48, 11, 560", "48, 11, nan, 0", "48, 11, 0, inf", "a, b", "1,2,3,4,5"],
)
def test_what_is_no_datum_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"parameter `map.datum` = .*latitude, longitude"):
        node_config({"map.datum": text})
