"""descriptors.faiss: an inverted file whose lists are H3 cells.

Geography is the coarse quantizer: list i holds, as fp16, the descriptors taken in cell i. A
search names the lists it probes (`search_preassigned`), so a geographic prior decides where to
look, and no k-means has to be trained. The file is memory-mapped.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import numpy.typing as npt
from faiss.contrib.ivf_tools import add_preassigned, search_preassigned

from vlm_vpr_ros.errors import RegionError

_FP16_BYTES = 2


class GeoIvf:
    """Descriptors by cell.

    Args:
        index: IndexIVFScalarQuantizer, fp16, inner product, one list per cell.
    """

    def __init__(self, index: faiss.IndexIVFScalarQuantizer) -> None:
        self._index = index

    @classmethod
    def empty(cls, dim: int, cells: int) -> GeoIvf:
        """An index of `cells` empty lists."""
        quantizer = faiss.IndexFlatIP(dim)  # never asked: lists are always named by the caller
        index = faiss.IndexIVFScalarQuantizer(
            quantizer,
            dim,
            cells,
            faiss.ScalarQuantizer.QT_fp16,
            faiss.METRIC_INNER_PRODUCT,
            False,  # not by residual: a residual to an absent centroid aborts the process
        )
        index.is_trained = True  # fp16 has nothing to learn
        return cls(index)

    @classmethod
    def open(cls, path: Path, dim: int, count: int, cells: int) -> GeoIvf:
        """Map an index file into memory, after its header was found to be as promised.

        faiss trusts the sizes in a file: a damaged one can end the process or be searched with
        wrong results, so nothing reaches faiss before this check.

        Raises:
            RegionError: the file is not such an index.
        """
        try:
            _check_layout(path, dim, count, cells)
            index = faiss.read_index(str(path), faiss.IO_FLAG_MMAP)
        except (OSError, ValueError, RuntimeError, struct.error) as error:
            raise RegionError(
                f"{path}: damaged: {error}. Copy the region again, or rebuild it."
            ) from None
        return cls(index)

    @property
    def dim(self) -> int:
        """Length of a descriptor."""
        return int(self._index.d)

    def add(
        self,
        descriptors: npt.NDArray[np.float32],
        lists: npt.NDArray[np.int64],
        references: npt.NDArray[np.int64],
    ) -> None:
        """Add descriptors (n, dim) to lists (n,) under their reference numbers (n,)."""
        add_preassigned(
            self._index,
            np.ascontiguousarray(descriptors, np.float32),
            np.ascontiguousarray(lists, np.int64),
            np.ascontiguousarray(references, np.int64),
        )

    def write(self, path: Path) -> None:
        """Write the index file."""
        faiss.write_index(self._index, str(path))

    def search(
        self, query: npt.NDArray[np.float32], k: int, lists: npt.NDArray[np.int64] | None = None
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The references most similar to a query, best first.

        Args:
            query: (dim,) centred descriptor, unit length.
            k: how many.
            lists: lists to probe, in this order; None: all of them.

        Returns:
            Reference numbers and cosines, (m,) each with m <= k.
        """
        if lists is None:
            lists = np.arange(self._index.nlist, dtype=np.int64)
        if not len(lists):
            return np.empty(0, np.int64), np.empty(0, np.float32)
        probes = np.ascontiguousarray(lists, np.int64)[None]
        self._index.nprobe = probes.shape[1]
        # faiss holds no reference to what it is handed: the arrays live in this frame.
        row = np.ascontiguousarray(query, np.float32)[None]
        unused = np.zeros(probes.shape, np.float32)
        similarity, reference = search_preassigned(self._index, row, k, probes, unused)
        return _found(reference[0], similarity[0])

    def compare(
        self,
        query: npt.NDArray[np.float32],
        k: int,
        references: npt.NDArray[np.int64],
        lists: npt.NDArray[np.int64],
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
        """The most similar ones of some references, best first, as `search` returns them.

        Args:
            query: (dim,) centred descriptor, unit length.
            k: how many.
            references: which ones to look at, at least one.
            lists: those that hold them.
        """
        wanted = np.zeros(int(references.max()) + 1, bool)
        wanted[references] = True
        bits = np.packbits(wanted, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits)
        probes = np.ascontiguousarray(lists, np.int64)[None]
        parameters = faiss.SearchParametersIVF(sel=selector, nprobe=probes.shape[1])
        row = np.ascontiguousarray(query, np.float32)[None]
        unused = np.zeros(probes.shape, np.float32)
        similarity = np.empty((1, k), np.float32)
        reference = np.empty((1, k), np.int64)
        # The method behind `search_preassigned`, whose wrapper takes no selector.
        self._index.search_preassigned_c(
            1,
            faiss.swig_ptr(row),
            k,
            faiss.swig_ptr(probes),
            faiss.swig_ptr(unused),
            faiss.swig_ptr(similarity),
            faiss.swig_ptr(reference),
            False,
            parameters,
        )
        return _found(reference[0], similarity[0])

    def descriptors(self, count: int) -> npt.NDArray[np.float32]:
        """All descriptors as (count, dim), row i that of reference i.

        Raises:
            ValueError: the index does not hold each reference once, or holds no finite numbers.
        """
        seen = np.zeros(count, bool)
        result = np.empty((count, self.dim), np.float32)
        inverted = self._index.invlists
        for cell in range(self._index.nlist):
            size = inverted.list_size(cell)
            if not size:
                continue
            ids = faiss.rev_swig_ptr(inverted.get_ids(cell), size)
            codes = faiss.rev_swig_ptr(inverted.get_codes(cell), size * self.dim * _FP16_BYTES)
            if ids.min() < 0 or ids.max() >= count:
                raise ValueError("it names references that do not exist")
            seen[ids] = True
            result[ids] = codes.view(np.float16).reshape(size, self.dim)
        if not seen.all():
            raise ValueError(f"{(~seen).sum()} references have no descriptor")
        if not np.isfinite(result).all():
            raise ValueError("it holds numbers that are not finite")
        return result


def _found(
    reference: npt.NDArray[np.int64], similarity: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Without the places that faiss left empty."""
    found = (reference >= 0) & np.isfinite(similarity)
    # fp16 rounds a cosine of 1 to either side.
    return reference[found], np.clip(similarity[found], -1, 1)


def _check_layout(path: Path, dim: int, count: int, cells: int) -> None:
    """Compare every size in the file with what it must be; raise ValueError at a difference."""
    with path.open("rb") as file:
        reader = _Header(file.read(512 + 8 * cells))
    reader.expect("4s", b"IwSq", "index type")
    _check_index_header(reader, dim, count)
    reader.expect("<Q", cells, "number of lists")
    reader.skip("<Q")  # nprobe, set at every search
    reader.expect("4s", b"IxFI", "quantizer type")
    _check_index_header(reader, dim, 0)
    reader.expect("<Q", 0, "quantizer size")
    reader.expect("<b", 0, "direct map type")
    reader.expect("<Q", 0, "direct map size")
    reader.expect("<i", faiss.ScalarQuantizer.QT_fp16, "descriptor type")
    reader.skip("<if")  # how ranges are trained: fp16 has none
    reader.expect("<Q", dim, "scalar quantizer dimension")
    reader.expect("<Q", dim * _FP16_BYTES, "scalar quantizer code size")
    reader.expect("<Q", 0, "scalar quantizer training values")
    reader.expect("<Q", dim * _FP16_BYTES, "code size")
    reader.expect("<b", 0, "residual coding")
    reader.expect("4s", b"ilar", "inverted lists type")
    reader.expect("<Q", cells, "number of inverted lists")
    reader.expect("<Q", dim * _FP16_BYTES, "inverted lists' code size")
    sizes = reader.list_sizes(cells)
    if sizes.sum() != count or sizes.max() > count:
        raise ValueError("its list sizes do not add up")
    expected = reader.offset + count * (dim * _FP16_BYTES + 8)
    if path.stat().st_size != expected:
        raise ValueError(f"{path.stat().st_size} bytes where its header needs {expected}")


def _check_index_header(reader: _Header, dim: int, count: int) -> None:
    reader.expect("<i", dim, "dimension")
    reader.expect("<q", count, "number of descriptors")
    reader.skip("<qq")  # two fields faiss no longer uses
    reader.expect("<b", 1, "trained flag")
    reader.expect("<i", faiss.METRIC_INNER_PRODUCT, "metric")


class _Header:
    """Reads packed values from the start of a file."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.offset = 0

    def skip(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(layout, self._data, self.offset)
        self.offset += struct.calcsize(layout)
        return values

    def expect(self, layout: str, value: object, what: str) -> None:
        (found,) = self.skip(layout)
        if found != value:
            raise ValueError(f"{what} is {found!r}, expected {value!r}")

    def list_sizes(self, cells: int) -> npt.NDArray[np.uint64]:
        """The sizes of the inverted lists (faiss stores them so when most lists are not empty)."""
        self.expect("4s", b"full", "form of the list sizes")
        self.expect("<Q", cells, "number of list sizes")
        return np.array(self.skip(f"<{cells}Q"), np.uint64)
