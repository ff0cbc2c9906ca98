"""Model files that are missing, foreign, cut off or damaged are refused before llama.cpp."""

from __future__ import annotations

import random
import shutil
import struct
from pathlib import Path

import pytest
from support.tiny_vlm import TinyVlm

from vlm_vpr_ros.errors import ModelError
from vlm_vpr_ros.prior.vlm.gguf_file import check_gguf


def test_whole_files_pass(tiny_vlm: TinyVlm) -> None:
    for path in tiny_vlm.pair:
        check_gguf(path)


@pytest.mark.parametrize("kept", [0, 3, 4, 5, 23, 24, 100, 0.2, 0.5, 0.9, -4])
@pytest.mark.parametrize("which", [0, 1])
def test_a_file_cut_off_anywhere_is_refused(
    tiny_vlm: TinyVlm, tmp_path: Path, which: int, kept: float
) -> None:
    content = tiny_vlm.pair[which].read_bytes()
    count = int(kept * len(content)) if isinstance(kept, float) else kept
    file = tmp_path / "cut.gguf"
    file.write_bytes(content[:count])
    with pytest.raises(ModelError, match=r"cut\.gguf"):
        check_gguf(file)


def test_no_file_and_no_file_at_all(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="No such file"):
        check_gguf(tmp_path / "absent.gguf")
    with pytest.raises(ModelError, match="directory"):
        check_gguf(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\x89PNG....", b"ggjt" + bytes(40), b"GGUF"])
def test_another_kind_of_file(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "other.gguf"
    file.write_bytes(content)
    with pytest.raises(ModelError, match="GGUF file|damaged"):
        check_gguf(file)


@pytest.mark.parametrize(
    ("tensors", "pairs"), [(2**63, 1), (1, 2**63), (2**20, 0), (0, 2**20), (2**31, 2**31)]
)
def test_absurd_counts_end_at_once(tmp_path: Path, tensors: int, pairs: int) -> None:
    file = tmp_path / "absurd.gguf"
    file.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, tensors, pairs))
    with pytest.raises(ModelError, match="damaged"):
        check_gguf(file)


def test_damaged_heads_never_do_worse_than_a_refusal(tiny_vlm: TinyVlm, tmp_path: Path) -> None:
    rng = random.Random(0)
    file = tmp_path / "damaged.gguf"
    for _ in range(150):
        shutil.copy(tiny_vlm.pair.mmproj, file)
        with file.open("r+b") as out:
            out.seek(rng.randrange(4, 1500))
            out.write(rng.randbytes(rng.randrange(1, 9)))
        try:
            check_gguf(file)
        except ModelError as error:
            assert "damaged.gguf" in str(error)
