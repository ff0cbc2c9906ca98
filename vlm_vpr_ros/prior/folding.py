"""Spellings of one name become one: case, accents, punctuation, articles and abbreviations."""

from __future__ import annotations

import re
import unicodedata

_MARKS = re.compile("[\u0300-\u036f]+")
_LETTERS = str.maketrans(
    {  # what neither NFKD nor casefold takes apart
        **dict(zip("øłđðıħŧ", "oldditt", strict=True)),
        **{"æ": "ae", "œ": "oe", "þ": "th", "ə": "e"},
        **dict.fromkeys("'’‘ʼʻ`´ʿʾ", ""),  # Xi'an, Côte d'Ivoire: written without as well
        **dict.fromkeys('-‐‑–—_.,;:/()[]"“”„&·•\t\r\N{NO-BREAK SPACE}', " "),
    }
)
_SPACES = re.compile(" +")
_ABBREVIATIONS = {"st": "saint", "ste": "sainte", "mt": "mount", "ft": "fort"}
_WORD = re.compile(rf"(?<![^ \n])({'|'.join(_ABBREVIATIONS)})(?= )")
_EDGES = re.compile(r"(?:^ | $)", re.MULTILINE)
_ARTICLE = re.compile(r"^the ", re.MULTILINE)


def folded(text: str) -> str:
    """A name, or one name a line, in the form in which names are compared.

    >>> folded("The Côte-d’Ivoire"), folded("ST. LOUIS"), folded("Đà Nẵng")
    ('cote divoire', 'saint louis', 'da nang')
    """
    text = unicodedata.normalize("NFKD", text).casefold()
    text = unicodedata.normalize("NFKD", text)  # casefold may put letters together again
    text = _MARKS.sub("", text).translate(_LETTERS)
    text = _EDGES.sub("", _SPACES.sub(" ", text))
    text = _WORD.sub(lambda match: _ABBREVIATIONS[match[1]], text)
    return _ARTICLE.sub("", text)
