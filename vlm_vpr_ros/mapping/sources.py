"""Sources of geotagged images, recognised by what they are.

A new kind of source is one module (see `reader.Reader`) and one entry in `READERS`.
"""

from __future__ import annotations

from pathlib import Path

from vlm_vpr_ros.errors import SourceError
from vlm_vpr_ros.mapping import kitti, photo_folder, rosbag, table, vpr_names
from vlm_vpr_ros.mapping.observation import Source
from vlm_vpr_ros.mapping.reader import Reader, SourceRequest

READERS: tuple[Reader, ...] = (rosbag, table, kitti, vpr_names, photo_folder)
"""Asked in this order; the first that recognises a path opens it."""


def open_source(
    path: str | Path,
    drive: str | None = None,
    image_topic: str | None = None,
    fix_topic: str | None = None,
    *,
    odom_topic: str | None = None,
) -> Source:
    """Open whatever the path is; see `SourceRequest` for the arguments.

    Raises:
        SourceError: nothing is there, nothing we read, or it is damaged.
    """
    request = SourceRequest(Path(path), drive, image_topic, fix_topic, odom_topic)
    try:
        if not request.path.exists():
            raise SourceError(f"{path} does not exist")
        reader = next((one for one in READERS if one.recognises(request.path)), None)
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror}") from error
    if reader is None:
        understood = "; ".join(one.UNDERSTANDS for one in READERS)
        raise SourceError(
            f"{path} is no source of images that we read; understood are: {understood}"
        )
    return reader.open_source(request)
