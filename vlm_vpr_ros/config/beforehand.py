"""Parameters of what is known beforehand: where on Earth the robot is, and who says so."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from vlm_vpr_ros.config.positions import lat_lon_deg
from vlm_vpr_ros.config.section import Section


class PriorConfig(Section):
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


class VlmConfig(Section):
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
        description="A frame without an answer after this many seconds goes on without one. When "
        "the model itself takes longer for a frame, its process is ended and started again; what a "
        "frame waits for loading, or for another frame, does not count as the model's time.",
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
    n_threads: int = Field(
        0,
        ge=0,
        le=256,
        description="CPU threads of the model; 0: one less than there are cores. Its threads wait "
        "for each other without sleeping: where others hold a core, they slow each other down.",
    )
    n_gpu_layers: int = Field(
        0, ge=-1, le=1000, description="Layers of the model on the GPU; -1: all."
    )
    log: bool = Field(False, description="Print the messages of llama.cpp.")
