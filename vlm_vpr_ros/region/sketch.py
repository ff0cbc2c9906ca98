"""sketch.npy: 128 bits of every descriptor, so small that all of them can be looked at.

Bit i tells on which side of a random plane through the origin the centred descriptor lies; two
descriptors differ in a share angle / π of their bits (M. S. Charikar, Similarity estimation
techniques from rounding algorithms, STOC 2002). The planes follow from the dimension alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import faiss
import numpy as np
import numpy.typing as npt

from vlm_vpr_ros.errors import RegionError

SKETCH = "sketch.npy"
SCHEME: Literal["gaussian_signs_128"] = "gaussian_signs_128"
"""In the manifest: how the bits are made. Other planes are another scheme."""
BITS = 128
_SEED = 20_251_125

Codes = npt.NDArray[np.uint8]


class Sketcher:
    """Makes sketches of descriptors.

    Args:
        dim: of the descriptors.
    """

    def __init__(self, dim: int) -> None:
        # RandomState: its numbers never change between versions of NumPy.
        normal = np.random.RandomState(_SEED).standard_normal((dim, BITS))
        self._planes = normal.astype(np.float32)

    def codes(self, descriptors: npt.NDArray[np.float32]) -> Codes:
        """(n, BITS / 8) sketches of (n, dim) centred descriptors."""
        return np.packbits(descriptors @ self._planes > 0, axis=1, bitorder="little")


class Sketch:
    """The sketches of all references of a region.

    Args:
        codes: (n, BITS / 8), row i that of reference i.
        dim: of the descriptors.
    """

    def __init__(self, codes: Codes, dim: int) -> None:
        self._codes = codes
        self._sketcher = Sketcher(dim)

    @classmethod
    def open(cls, path: Path, dim: int, count: int) -> Sketch:
        """Map the sketches of `count` references into memory.

        Raises:
            RegionError: the file holds something else.
        """
        try:
            codes = np.load(path, mmap_mode="r", allow_pickle=False)
            if codes.shape != (count, BITS // 8) or codes.dtype != np.uint8:
                raise ValueError(f"it holds {codes.dtype} of shape {codes.shape}")
            if not codes.flags.c_contiguous:
                raise ValueError("it is stored by columns")
        except Exception as error:  # the header is Python text, which fails in many ways
            raise RegionError(
                f"{path}: damaged: not the sketches of {count} references: {error}. "
                "Copy the region again, or rebuild it."
            ) from None
        return cls(np.asarray(codes), dim)

    def nearest(self, descriptor: npt.NDArray[np.float32], count: int) -> npt.NDArray[np.int64]:
        """The references whose sketches differ least from that of a centred descriptor.

        Args:
            descriptor: (dim,).
            count: how many; all are looked at.
        """
        count = min(count, len(self._codes))
        if count < 1:  # which would end the process
            return np.empty(0, np.int64)
        query = self._sketcher.codes(descriptor[None])
        # `mc` counts how many there are at each of the 129 distances: made for many neighbours.
        _, rows = faiss.knn_hamming(query, self._codes, count, variant="mc")
        found: npt.NDArray[np.int64] = rows[0].astype(np.int64)
        return found[found >= 0]
