"""Fixtures of the geographic prior."""

from __future__ import annotations

import pytest
from support.tiny_vlm import TinyVlm, write_tiny_vlm


@pytest.fixture(scope="session")
def tiny_vlm(tmp_path_factory: pytest.TempPathFactory) -> TinyVlm:
    """A vision-language model with random weights."""
    return write_tiny_vlm(tmp_path_factory.mktemp("tiny_vlm"))
