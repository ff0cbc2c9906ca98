from pathlib import Path

import pytest

pytest.importorskip("rclpy", reason="ROS 2 (rclpy) is not installed")

from vlm_vpr_ros.config import NodeConfig, leaves, node_config, read_parameters, value_of
from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.node import declaration, parameters

FIELDS = dict(leaves(NodeConfig))
YAML = Path(__file__).parents[2] / "config" / "relocalizer.yaml"


def described(name):
    return parameters.descriptor(name, FIELDS[name])


def test_yaml_is_made_from_the_tree():
    assert YAML.read_text() == parameters.yaml_text()


def test_yaml_holds_every_default():
    values = read_parameters(YAML)
    assert list(values) == [name for name, _ in leaves(NodeConfig)]
    assert node_config(values) == NodeConfig()


@pytest.mark.parametrize("name", FIELDS)
def test_every_parameter_is_described(name):
    descriptor = described(name)
    assert descriptor.description
    value = value_of(NodeConfig(), name)
    if isinstance(value, float):
        assert descriptor.dynamic_typing
        bounds = descriptor.floating_point_range[0]
        assert bounds.from_value <= value <= bounds.to_value
    elif isinstance(value, int) and not isinstance(value, bool):
        bounds = descriptor.integer_range[0]
        assert bounds.from_value <= value <= bounds.to_value


def test_choices_are_named():
    said = described("image_transport").additional_constraints
    assert said.startswith("one of: compressed, raw")


def test_excluded_bounds_are_named():
    said = described("gate.target_false_fix_rate").additional_constraints
    assert said == "0 < target_false_fix_rate < 0.5; takes effect at once"


def test_whole_numbers_pass_for_numbers():
    rate = declaration.updated(NodeConfig(), {"rate": 2}).rate
    assert rate == 2.0
    assert isinstance(rate, float)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rate", 0, "greater than 0"),
        ("rate", True, "must be a number"),
        ("rate", "2", "must be a number"),
        ("rate", None, "must be a number"),
        ("rate", float("nan"), "finite"),
        ("continuous", 1, "must be true or false"),
        ("region", 7, "must be a text"),
        ("image_transport", "theora", "compressed"),
        ("image_transport", 1, "must be one of compressed, raw"),
        ("retrieval.candidates", 2.5, "must be a whole number"),
        ("encoder.providers", "CPU", "must be a list of texts"),
        ("encoder.providers", [1], "must be a list of texts"),
        ("rat", 1.0, "did you mean `rate`"),
    ],
)
def test_wrong_values_are_refused_by_name(name, value, said):
    with pytest.raises(ConfigError) as refusal:
        declaration.updated(NodeConfig(), {name: value})
    assert name in str(refusal.value)
    assert said in str(refusal.value)


def test_patterns_match_whole_names_and_sections():
    assert declaration.matches("gate.false_radius_m", parameters.LIVE)
    assert declaration.matches("rate", parameters.LIVE)
    assert not declaration.matches("rates", parameters.LIVE)
    assert not declaration.matches("region", parameters.LIVE)
    assert declaration.foreign("qos_overrides./x.reliability")
    assert declaration.foreign("use_sim_time")


@pytest.mark.parametrize(
    ("name", "when"),
    [("rate", "at once"), ("retrieval.candidates", "when configured"), ("autostart", "at start")],
)
def test_yaml_tells_when_a_change_takes_effect(name, when):
    comment = parameters.comment(name, FIELDS[name])
    assert comment.endswith(f"; {when}]") or comment.endswith(f" [{when}]")
