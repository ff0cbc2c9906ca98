"""Fixtures that several tests share."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("repository", deadline=None)  # a shared machine stalls at times
settings.load_profile("repository")

# A shell's background job ignores SIGINT, and so would the programs that the tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real recordings; skips the test where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("VLM_VPR_DATA") or beside)
    if not folder.is_dir():
        pytest.skip(f"real data absent: {folder} (set VLM_VPR_DATA)")
    return folder
