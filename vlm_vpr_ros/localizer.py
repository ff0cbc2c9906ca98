"""The way of a frame, on one page."""

from __future__ import annotations

from pathlib import Path

from vlm_vpr_ros.config import LocalizerConfig
from vlm_vpr_ros.types import Frame, Outcome


class Localizer:
    """Finds where a frame was taken.

    Not thread-safe: one frame at a time.
    """

    @classmethod
    def open(cls, region: Path, config: LocalizerConfig) -> Localizer:
        """Open a region and the encoder it was built with.

        Raises:
            RegionError: the region is missing, damaged, or built with another encoder.
            ModelError: the encoder cannot be loaded.
        """
        raise NotImplementedError

    def localize(self, frame: Frame) -> Outcome:
        """Localize one frame. Never raises for what is in the image."""
        raise NotImplementedError

    def reconfigure(self, config: LocalizerConfig) -> None:
        """Take the values of the sections `gate` and `fix`; the others count when opening."""
        raise NotImplementedError

    def reset(self) -> None:
        """Forget earlier frames."""
        raise NotImplementedError

    def describe(self) -> dict[str, str]:
        """What is in use, for diagnostics: region, references, encoder, provider."""
        raise NotImplementedError
