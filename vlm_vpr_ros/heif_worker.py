"""The process that decodes one HEIC photo: file on stdin; size, EXIF and RGB on stdout.

Arguments: the most pixels to decode, and 1 for pixels or 0 for EXIF only. See `heif.py`.
"""

from __future__ import annotations

import json
import sys

# Imports nothing heavy: the process starts anew for each photo.
ABSENT, REFUSED = 3, 4
"""Exit statuses: pi_heif is not installed; the file is refused and stderr says why."""


def main() -> int:
    """Decode; returns the exit status."""
    try:
        import pi_heif  # noqa: PLC0415  (only phones' photos need it; robots do without)
    except ImportError:
        return ABSENT
    max_pixels, pixels = int(sys.argv[1]), sys.argv[2] == "1"
    try:
        heif = pi_heif.open_heif(sys.stdin.buffer.read())
        width, height = heif.size
        if width * height > max_pixels:
            raise ValueError(f"{width} × {height} pixels, more than {max_pixels}")
        exif: bytes = heif.info.get("exif") or b""
        rgb = heif.to_pillow().convert("RGB") if pixels else None
    except Exception as error:  # damaged files raise nearly everything
        print(str(error) or type(error).__name__, file=sys.stderr)
        return REFUSED
    if rgb is not None:
        width, height = rgb.size
    header = {"width": width, "height": height, "exif_bytes": len(exif)}
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + exif)
    if rgb is not None:
        sys.stdout.buffer.write(rgb.tobytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
