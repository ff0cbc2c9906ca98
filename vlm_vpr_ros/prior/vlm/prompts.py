"""What the model is asked. The image stands between the system prompt and the question."""

from __future__ import annotations

from collections.abc import Sequence

SYSTEM = (
    "You tell where on Earth a photo was taken, from streets, buildings, signs, writing, vehicles, "
    "vegetation, terrain and light."
)

OPEN_QUESTION = (
    "Where was this photo taken? Answer with one JSON object: clues (up to five short texts, what "
    "in the photo tells the place), country, region (state or province), city, latitude and "
    "longitude (decimal degrees). Leave a name empty and a number null when nothing tells it."
)

CHOICE_QUESTION = "Where was this photo taken? One of these is right:"
CHOICE_END = "Answer with its letter alone."

LETTERS = "ABCDEFGHIJKLMNOPQRST"
"""Names of the options of one question; more of them would not be told apart well."""


_CONTROL = str.maketrans("<>[]{}|", "       ")


def choice_question(options: Sequence[str]) -> str:
    """The question with its lettered options, at most as many as `LETTERS`.

    Names come with a region, perhaps from strangers: none is to hold a control token of a model.
    """
    names = [option.translate(_CONTROL) for option in options]
    lines = [f"{letter}. {name}" for letter, name in zip(LETTERS, names, strict=False)]
    return "\n".join([CHOICE_QUESTION, *lines, CHOICE_END])
