"""The local features of a region's references (see `record_store` for the files)."""

from __future__ import annotations

from pathlib import Path

from vlm_vpr_ros.record_store import OFFSETS, RecordStore, RecordStoreWriter
from vlm_vpr_ros.verification.feature_codec import MAX_BYTES, decode_features
from vlm_vpr_ros.verification.local_features import LocalFeatures

__all__ = ["FEATURES", "OFFSETS", "FeatureStore", "FeatureStoreWriter"]

FEATURES = "features.bin"


class FeatureStore(RecordStore):
    """Encoded features of all references, read where they lie."""

    @classmethod
    def open(cls, folder: Path, references: int) -> FeatureStore:
        """Map the files of a folder.

        Args:
            folder: holds features.bin and offsets.npy.
            references: how many the region has.

        Raises:
            RegionError: a file is missing, damaged, or of another number of references.
        """
        return cls(folder / FEATURES, references, MAX_BYTES)

    def features(self, reference: int) -> LocalFeatures | None:
        """The features of a reference, or None if it has none.

        Raises:
            RegionError: its bytes are damaged.
        """
        data = self.encoded(reference)
        if not data:
            return None
        try:
            return decode_features(data)
        except ValueError as error:
            raise self._damaged(reference, error) from None


class FeatureStoreWriter(RecordStoreWriter):
    """Writes a store of features.

    Args:
        folder: made if absent.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / FEATURES)
