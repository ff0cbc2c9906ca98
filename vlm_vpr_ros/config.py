"""Every parameter and its default, in one tree.

The dotted path of a field (`gate.target_false_fix_rate`) is the name of its ROS parameter and its
key in `config/relocalizer.yaml`. Descriptions and ranges written here become its descriptor.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.fields import FieldInfo

from vlm_vpr_ros.errors import ConfigError
from vlm_vpr_ros.files import read_yaml


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class EncoderConfig(_Section):
    """The network that turns an image into a descriptor."""

    name: str = Field(
        "efficientnet_lite0_vlad",
        description="Encoder: name of a card in models/, or path of a card (.yaml).",
    )
    providers: tuple[str, ...] = Field(
        ("CUDAExecutionProvider", "CPUExecutionProvider"),
        description="onnxruntime execution providers in order of preference; the first that really "
        "starts is used, and /diagnostics says which.",
    )
    threads: int = Field(0, ge=0, le=256, description="CPU threads of one inference; 0: all cores.")


class RetrievalConfig(_Section):
    """The search for references that resemble the frame."""

    candidates: int = Field(
        20, ge=1, le=1000, description="References kept from the search for the later stages."
    )
    pseudo_frames: float = Field(
        10.0,
        ge=1.0,
        le=1000.0,
        description="Weight of the region's mean descriptor in the query's running mean, in "
        "frames. The mean removes what a drive's light and camera have in common.",
    )

    whole_below_mb: float = Field(
        500.0,
        ge=0.0,
        le=1e9,
        description="A region whose descriptors take less than this, in megabytes, is searched "
        "whole. A larger one is searched where the geographic prior says, and whole without one.",
    )
    prior_share: float = Field(
        0.0225,
        ge=0.0,
        le=1.0,
        description="Of a larger region: the share of its references that is searched in the "
        "cells that the prior finds most probable.",
    )
    sketch_share: float = Field(
        0.0075,
        ge=0.0,
        le=1.0,
        description="Of a larger region: the share of its references that is searched elsewhere, "
        "those most alike by a sketch of 128 bits: the hedge against a wrong prior.",
    )


class VerificationConfig(_Section):
    """The geometric check of the best candidates."""

    candidates: int = Field(
        20,
        ge=0,
        le=1000,
        description="How many of the best references are checked by the geometry of their local "
        "features; 0 switches the check off.",
    )
    model: str = Field(
        "xfeat",
        description="Local features: name of a card in models/, or path of a card (.yaml).",
    )
    keypoints: int = Field(
        1024,
        ge=16,
        le=2048,
        description="Strongest keypoints of an image that are used. Half of them take half the "
        "time and find fewer places.",
    )
    clear_inliers: int = Field(
        60,
        ge=8,
        le=100_000,
        description="With this many inliers a candidate is beyond doubt, and of the places after "
        "it only the best candidate is checked. 4000 pairs of unrelated photos reached 20, wrong "
        "places of one walk 52.",
    )


class GateConfig(_Section):
    """The decision to give an answer."""

    target_false_fix_rate: float = Field(
        0.05,
        gt=0.0,
        lt=0.5,
        description="Share of the accepted fixes that may be false, that is, farther from the "
        "truth than gate.false_radius_m.",
    )
    false_radius_m: float = Field(
        50.0, gt=0.0, le=1e6, description="A fix farther off than this, in metres, is false."
    )


class EvidenceConfig(_Section):
    """The evidence of several frames."""

    max_frames: int = Field(
        7,
        ge=1,
        le=50,
        description="How many frames speak together: the newest and those before it that show "
        "other views. ~/relocalize looks at so many new ones until a fix is accepted. 1: every "
        "frame speaks for itself.",
    )
    timeout_s: float = Field(
        5.0,
        gt=0.0,
        le=3600.0,
        description="How long ~/relocalize waits for more frames after the first one's answer, in "
        "seconds.",
    )
    max_speed_mps: float = Field(
        15.0,
        gt=0.0,
        le=1000.0,
        description="How fast the robot may move between two frames, in m/s, where it has no "
        "odometry.",
    )


class PriorConfig(_Section):
    """What is known beforehand of where on Earth the robot is."""

    max_log_odds: float = Field(
        1.8,
        ge=0.0,
        le=20.0,
        description="How far the prior may move one place against another, in nats; 0 switches it "
        "off. Fitted: the best log score that costs at most half a point of recall when every "
        "frame gets the answer to another one (`python -m benchmarks.prior --fit`).",
    )
    wait_s: float = Field(
        10.0,
        ge=0.0,
        le=3600.0,
        description="How long ~/relocalize waits for the answer of the vision-language model after "
        "the search has ended, in seconds; then it answers without.",
    )
    ask_again_m: float = Field(
        1000.0,
        ge=0.0,
        le=1e7,
        description="The model is asked again once the robot may have moved this far since the "
        "last image it was shown, in metres, and when it is lost again; 0: on every frame.",
    )
    max_speed_mps: float = Field(
        5.0,
        ge=0.0,
        le=1000.0,
        description="How fast the robot may move, in m/s: a prior is widened by this much with "
        "time where there is no odometry.",
    )
    center: str = Field(
        "",
        description="Where the robot is known to be: latitude and longitude in degrees, as maps "
        "show them (`48.137, 11.575`); empty: not known.",
    )
    radius_km: float = Field(
        25.0,
        gt=0.0,
        le=20_000.0,
        description="Around prior.center, and around points of prior.geojson that name no width: "
        "the radius in kilometres that holds the robot nine times in ten.",
    )
    geojson: str = Field(
        "",
        description="GeoJSON file of points and areas in which the robot is known to be; empty: "
        "none.",
    )

    @field_validator("center")
    @classmethod
    def _is_a_position(cls, center: str) -> str:
        if center:
            lat_lon_deg(center)
        return center


class FixConfig(_Section):
    """The published position."""

    altitude_mode: Literal["reference", "fixed", "nan"] = Field(
        "reference",
        description="Height of the fix: `reference` (ellipsoidal height of the matched references; "
        "refused to be guessed, NaN if unknown), `fixed` (fix.altitude_m) or `nan`. "
        "navsat_transform_node drops fixes whose height is NaN.",
    )
    altitude_m: float = Field(
        0.0, ge=-1e4, le=1e5, description="Ellipsoidal height in metres for altitude_mode `fixed`."
    )
    altitude_sigma_m: float = Field(
        10.0,
        gt=0.0,
        le=1e4,
        description="Vertical standard deviation in metres. Some consumers take the largest of the "
        "three variances as the error of the fix: a huge one ruins a good fix.",
    )
    min_sigma_m: float = Field(
        2.0,
        gt=0.0,
        le=1e4,
        description="Floor of the horizontal standard deviation in metres, one axis.",
    )


class VlmConfig(_Section):
    """The vision-language model that says roughly where a frame was taken."""

    model: str = Field(
        "", description="Path of the model (GGUF); empty: no vision-language model is used."
    )
    mmproj: str = Field(
        "", description="Path of the vision tower (GGUF, `mmproj`) that belongs to the model."
    )
    chat_handler: str = Field(
        "",
        description="Chat template, where the one in the GGUF is missing or unfit: name of a chat "
        "handler of llama-cpp-python such as `Llava15ChatHandler`, or path of a Jinja file.",
    )
    mode: Literal["auto", "open", "choice"] = Field(
        "auto",
        description="How the model is asked: `open` (country, region, city, coordinates), `choice` "
        "(which of the region's places), or `auto`: choice if the region knows 2 to 400 places.",
    )
    samples: int = Field(
        5,
        ge=1,
        le=32,
        description="Answers that are drawn for a frame (open), or orders in which the places are "
        "offered (choice). Their spread is information; they share the image's evaluation.",
    )
    temperature: float = Field(
        0.7,
        ge=0.0,
        le=2.0,
        description="Of the drawn answers; at 0 all are the same.",
    )
    timeout_s: float = Field(
        30.0,
        gt=0.0,
        le=3600.0,
        description="A frame without an answer after this many seconds goes on without one; the "
        "model's process is then ended and started again.",
    )
    max_memory_mib: int = Field(
        16384,
        ge=64,
        le=1_048_576,
        description="Resident memory in MiB, model included, above which the model's process is "
        "ended and started again.",
    )
    n_ctx: int = Field(
        4096,
        ge=256,
        le=1_048_576,
        description="Tokens of context: image, question and all drawn answers have to fit.",
    )
    n_threads: int = Field(0, ge=0, le=256, description="CPU threads of the model; 0: all cores.")
    n_gpu_layers: int = Field(
        0, ge=-1, le=1000, description="Layers of the model on the GPU; -1: all."
    )
    log: bool = Field(False, description="Print the messages of llama.cpp.")


class LocalizerConfig(_Section):
    """Everything the localizer needs: no ROS."""

    encoder: EncoderConfig = Field(default_factory=EncoderConfig)
    retrieval: RetrievalConfig = Field(default_factory=RetrievalConfig)
    verification: VerificationConfig = Field(default_factory=VerificationConfig)
    evidence: EvidenceConfig = Field(default_factory=EvidenceConfig)
    prior: PriorConfig = Field(default_factory=PriorConfig)
    gate: GateConfig = Field(default_factory=GateConfig)
    fix: FixConfig = Field(default_factory=FixConfig)
    vlm: VlmConfig = Field(default_factory=VlmConfig)


class MapConfig(_Section):
    """The local frame of ~/pose and ~/markers."""

    frame: str = Field("map", min_length=1, description="Name of the frame.")
    datum: str = Field(
        "",
        description="Where the frame's origin is: `latitude, longitude`, or `latitude, longitude, "
        "height, yaw`, in degrees, metres above the ellipsoid, and degrees from east "
        "counter-clockwise to the x axis (default 0). Empty: there is no ~/pose, and ~/markers are "
        "in the frame `enu` around the first place found.",
    )

    @field_validator("datum")
    @classmethod
    def _is_a_datum(cls, text: str) -> str:
        if text:
            datum_of(text)
        return text


class NodeConfig(LocalizerConfig):
    """The parameters of the ROS 2 node `relocalizer`."""

    map: MapConfig = Field(default_factory=MapConfig)
    region: str = Field("", description="Folder of the region index (made by `vlm_vpr build`).")
    autostart: bool = Field(
        True, description="Configure and activate at start, without a lifecycle manager."
    )
    image_transport: Literal["compressed", "raw"] = Field(
        "compressed",
        description="Type of the topic `image`: `compressed` (sensor_msgs/CompressedImage) or "
        "`raw` (sensor_msgs/Image).",
    )
    continuous: bool = Field(
        False, description="Publish fixes at `rate` from the start (see ~/set_continuous)."
    )
    rate: float = Field(
        1.0, gt=0.0, le=100.0, description="Frames per second localized in continuous mode."
    )
    max_image_age_s: float = Field(
        2.0,
        gt=0.0,
        le=3600.0,
        description="~/relocalize refuses an image that arrived longer ago than this, in seconds "
        "(steady clock: a bag's old stamps do not matter).",
    )
    relocalize_timeout_s: float = Field(
        10.0,
        gt=0.0,
        le=3600.0,
        description="How long ~/relocalize waits for its first image, in seconds.",
    )
    frame_id: str = Field(
        "base_link",
        min_length=1,
        description="frame_id of the fix: the frame on the robot whose position it is.",
    )
    publish_refused: bool = Field(
        False,
        description="Also publish refused frames on ~/fix, as STATUS_NO_FIX with NaN position.",
    )


def lat_lon_deg(text: str) -> tuple[float, float]:
    """The position that a text such as "48.137, 11.575" names.

    Raises:
        ValueError: it names none.
    """
    try:
        lat_deg, lon_deg = (float(number) for number in text.split(","))
        if abs(lat_deg) <= 90 and abs(lon_deg) <= 180:
            return lat_deg, lon_deg
    except ValueError:
        pass
    raise ValueError("must be `latitude, longitude` in degrees, such as `48.137, 11.575`")


def datum_of(text: str) -> tuple[float, float, float | None, float]:
    """Latitude, longitude, height (None if not given) and yaw of `map.datum`.

    Raises:
        ValueError: the text is no datum.
    """
    place, rest = text.split(",")[:2], text.split(",")[2:]
    try:
        lat_deg, lon_deg = lat_lon_deg(",".join(place))
        alt_m, yaw_deg = map(float, rest) if rest else (None, 0.0)
        if math.isfinite((alt_m or 0.0) + yaw_deg):
            return lat_deg, lon_deg, alt_m, yaw_deg
    except ValueError:
        pass
    raise ValueError(
        "must be `latitude, longitude` or `latitude, longitude, height, yaw`, such as "
        "`48.137, 11.575` or `48.137, 11.575, 560.0, 90.0`"
    )


NODE_NAME = "relocalizer"
_OUR_BLOCKS = {NODE_NAME, "*", "**"}

Leaf = tuple[str, FieldInfo]


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


def node_config(parameters: Mapping[str, Any]) -> NodeConfig:
    """Build the node's config from dotted names; what is not named keeps its default.

    Raises:
        ConfigError: naming every unknown name (with the nearest known one) and wrong value.
    """
    known = [name for name, _ in leaves(NodeConfig)]
    complaints = [_unknown(name, known) for name in parameters if name not in known]
    if complaints:
        raise ConfigError("\n".join(complaints))
    try:
        return NodeConfig.model_validate(_nested(parameters))
    except ValidationError as error:
        raise ConfigError("\n".join(_complaint(e, parameters) for e in error.errors())) from None


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
