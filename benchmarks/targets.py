"""What a benchmark measured, as a table for people and as JSON for machines."""

from __future__ import annotations

import argparse
import json
import operator
import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

_RELATIONS = {">=": operator.ge, "<=": operator.le, "==": operator.eq}


@dataclass(frozen=True)
class Target:
    """A measured value and the bound it should keep, such as ">= 0.94"; "" for a plain figure."""

    name: str
    value: float
    target: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the bound is kept; None without a bound."""
        if not self.target:
            return None
        relation, bound = self.target.split()
        return bool(_RELATIONS[relation](self.value, float(bound)))


@dataclass
class Report:
    """Collects the targets of one benchmark."""

    benchmark: str
    targets: list[Target] = field(default_factory=list)

    def add(self, name: str, value: float, target: str = "") -> None:
        """Add a figure and print its line."""
        result = Target(name, round(value, 4), target)
        self.targets.append(result)
        verdict = {None: "", True: "ok", False: "MISSED"}[result.met]
        print(f"{name:<72}{result.value:>12g}  {target:<10}{verdict}", flush=True)

    def write(self, path: Path | None) -> None:
        """Write the JSON if a path is given."""
        if path is None:
            return
        content: dict[str, Any] = {
            "benchmark": self.benchmark,
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, Python "
            f"{platform.python_version()}",
            "targets": [{**asdict(t), "met": t.met} for t in self.targets],
        }
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def arguments(description: str | None) -> argparse.ArgumentParser:
    """The parser that all benchmarks share: --json FILE."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the targets here")
    return parser


def data_folder(parser: argparse.ArgumentParser) -> None:
    """Add --data DIR: where the real data sets lie."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    parser.add_argument(
        "--data",
        type=Path,
        metavar="DIR",
        default=Path(os.environ.get("VLM_VPR_DATA", beside)),
        help="folder of the data sets (default: $VLM_VPR_DATA)",
    )
