"""Where the models that come with the package are.

The same code runs from a checkout, from a wheel and from a colcon workspace. The files are first
looked for beside the code that runs, so that two installations on one machine never mix.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from vlm_vpr_ros.errors import ModelError

_NAME = "vlm_vpr_ros"


def share_dir() -> Path:
    """The folder that holds models/, config/ and launch/.

    Raises:
        ModelError: the package was installed without its files.
    """
    places = list(dict.fromkeys(_places()))
    for place in places:
        if (place / "package.xml").is_file():
            return place
    raise ModelError(
        f"the files that belong to {_NAME} (models, config) were not installed with it. Looked for "
        f"package.xml in: {', '.join(map(str, places))}. Install the package again, "
        "with pip or colcon."
    )


def model_path(name: str) -> Path:
    """The file `name` in models/.

    Raises:
        ModelError: there is no such file, or `name` is not a plain file name.
    """
    if name in {"", ".", ".."} or any(c in "/\\" or not c.isprintable() for c in name):
        raise ModelError(f"{name!r} is not the name of a file in models/: give a plain file name.")
    place = share_dir() / "models"
    path = place / name
    if not path.is_file():
        there = sorted(p.name for p in place.glob("*") if p.suffix == path.suffix and p.is_file())
        raise ModelError(f"no {name} in {place}; there: {', '.join(there) or 'no such file'}.")
    return path


def _places() -> Iterator[Path]:
    code = Path(__file__).resolve().parent
    yield code.parent  # a checkout; also an editable install and colcon's --symlink-install
    for above in code.parents:  # PREFIX/lib/python3.X/site-packages, whatever PREFIX is
        yield above / "share" / _NAME
    ament = _ament_share()
    if ament is not None:
        yield ament
    yield Path(sys.prefix) / "share" / _NAME


def _ament_share() -> Path | None:
    try:
        from ament_index_python.packages import (  # noqa: PLC0415  # no ROS on a desk without it
            get_package_share_directory,
        )
    except ImportError:
        return None
    try:
        return Path(get_package_share_directory(_NAME))
    except (LookupError, OSError):  # not in this workspace; no AMENT_PREFIX_PATH at all
        return None
