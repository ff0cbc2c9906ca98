"""`vlm_vpr models`: vision-language models to list, fetch, verify and try."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from vlm_vpr_ros.cli import models_check
from vlm_vpr_ros.cli.arguments import Commands
from vlm_vpr_ros.cli.models_store import add_store_arguments, open_store
from vlm_vpr_ros.text import aligned, plain, size

if TYPE_CHECKING:
    from vlm_vpr_ros.model_store.manifest import ModelEntry
    from vlm_vpr_ros.model_store.store import ModelStore


def add_parser(commands: Commands) -> None:
    """Register the command and its own commands."""
    parser = commands.add_parser(
        "models",
        help="list, fetch, verify and try vision-language models",
        description="Vision-language models that say roughly where a frame was taken. Nothing is "
        "downloaded but by `fetch`.",
    )
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)

    action = _action(actions, "list", _list, "say which models there are, and what is here")
    add_store_arguments(action)

    action = _action(actions, "fetch", _fetch, "download a model; interrupted, it goes on later")
    action.add_argument("name", metavar="NAME")
    action.add_argument("--host", metavar="URL", help="fetch from a mirror of the manifest's host")
    action.set_defaults(interrupted="the same command goes on where it stopped")
    add_store_arguments(action)

    action = _action(
        actions, "verify", _verify, "compare the files that are here with their hashes"
    )
    action.add_argument("names", nargs="*", metavar="NAME", help="default: all that are here")
    add_store_arguments(action)

    action = _action(
        actions, "check", models_check.run, "try a model on geotagged photos of your own"
    )
    models_check.add_arguments(action)


def _action(
    actions: Commands, name: str, run: Callable[[argparse.Namespace], int], does: str
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=does, description=f"{does[0].upper()}{does[1:]}.")
    action.set_defaults(run=run)
    return action


def _list(arguments: argparse.Namespace) -> int:
    manifest, store = open_store(arguments)
    rows = [
        [
            entry.name,
            size(sum(f.about_bytes for f in entry.files.both)) if entry.files else "-",
            f"{entry.memory_gb:g} GB",
            _state(store, entry),
            "yes" if entry.run_here else "no",
            entry.licence,
        ]
        for entry in manifest.models
    ]
    print(aligned(["model", "download", "memory", "here", "tried by us", "licence"], rows))
    print()
    for entry in manifest.models:
        note = f" {entry.note}" if entry.note else ""
        print(plain(f"{entry.name}: {entry.description}{note}"))
    print(f"\nkept in {plain(str(store.folder))}")
    return 0


def _fetch(arguments: argparse.Namespace) -> int:
    manifest, store = open_store(arguments)
    entry = manifest.entry(arguments.name)
    files = entry.fetchable()
    print(plain(f"{entry.name}: licence: {entry.licence}"))
    paths = []
    for file in files.both:
        with _bytes_bar(file.about_bytes, file.name) as advance:
            paths.append(store.fetch(entry, file, arguments.host or manifest.host, advance))
    print(plain(f"vlm.model:  {paths[0]}"))
    print(plain(f"vlm.mmproj: {paths[1]}"))
    if entry.chat_handler:
        print(plain(f"vlm.chat_handler: {entry.chat_handler}"))
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    from vlm_vpr_ros.model_store.store import FileState  # noqa: PLC0415

    manifest, store = open_store(arguments)
    entries = [manifest.entry(name) for name in arguments.names] or list(manifest.models)
    seen = 0
    for entry in entries:
        for file in entry.files.both if entry.files else ():
            if not arguments.names and store.state(entry, file) is FileState.ABSENT:
                continue
            seen += 1
            print(plain(f"{store.path(entry, file)}: {store.verify(entry, file)}"), flush=True)
    if not seen:
        print(plain(f"no model is in {store.folder}"))
    return 0


def _state(store: ModelStore, entry: ModelEntry) -> str:
    from vlm_vpr_ros.model_store.store import FileState  # noqa: PLC0415

    if entry.files is None:
        return "-"
    states = {store.state(entry, file) for file in entry.files.both}
    if states == {FileState.THERE}:
        return "yes"
    return "no" if states == {FileState.ABSENT} else "partly"


@contextmanager
def _bytes_bar(total: int, name: str) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, if that is a terminal; yields what advances it."""
    from tqdm import tqdm  # noqa: PLC0415

    with tqdm(
        total=total, desc=name, unit="B", unit_scale=True, file=sys.stderr, disable=None
    ) as bar:

        def advance(count: int) -> None:
            bar.update(count)

        yield advance
