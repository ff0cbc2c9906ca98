"""The pages of docs/ agree with the code they speak of."""

from __future__ import annotations

import argparse
import importlib.util
import re
from pathlib import Path

import pytest

from vlm_vpr_ros.cli.main import parser
from vlm_vpr_ros.config import NodeConfig, leaves
from vlm_vpr_ros.types import Reason

ROOT = Path(__file__).resolve().parent.parent
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "models" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
PARAMETERS = {name for name, _ in leaves(NodeConfig)}
FILE_ENDINGS = {"json", "md", "py", "yaml"}


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).strip().replace(" ", "-") for h in headings}


def test_every_reason_has_an_entry() -> None:
    text = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
    entries = re.findall(r"^### `(\w+)`$", text, re.MULTILINE)
    assert sorted(entries) == sorted(r.value for r in Reason if r is not Reason.ACCEPTED)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)\s]+)\)", text):
        file, _, anchor = target.partition("#")
        there = page.parent / file if file else page
        assert there.exists(), f"{page.name}: {target}"
        if anchor:
            assert anchor in _anchors(there), f"{page.name}: {target}"


def _subcommands(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found |= action.choices
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_and_their_options_exist(page: Path) -> None:
    text = re.sub(r"\\\n\s*", " ", page.read_text(encoding="utf-8"))
    commands = _subcommands(parser())
    for line in re.findall(r"\bvlm_vpr ([a-z]+[^\n`#|]*)", text):
        word, *rest = line.split()
        assert word in commands, f"{page.name}: vlm_vpr {line}"
        command = commands[word]
        below = _subcommands(command)
        if below and rest and rest[0] in below:
            command = below[rest[0]]
        for option in re.findall(r"(?<![\w-])--[a-z][\w-]*", line):
            assert option in command._option_string_actions, f"{page.name}: vlm_vpr {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_parameters_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    sections = "|".join({name.split(".")[0] for name in PARAMETERS if "." in name})
    for name in re.findall(rf"(?<![\w./])((?:{sections})\.[a-z_]+)\b", text):
        if name.rpartition(".")[2] not in FILE_ENDINGS:
            assert name in PARAMETERS, f"{page.name}: {name}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_modules_to_run_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for module in re.findall(r"python3? -m ((?:benchmarks|vlm_vpr_ros)\.[a-z_.]+[a-z_])\b", text):
        assert importlib.util.find_spec(module), f"{page.name}: {module}"
