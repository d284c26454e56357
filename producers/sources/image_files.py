"""Which files are images, by their names and by their bytes, and in which order a folder gives them."""

import re
from pathlib import PurePath

from streams.contract.errors import FrameError
from streams.contract.images import inspect

EXPECTED = "JPEG, PNG or WebP"
_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp"})


def natural_key(name: str) -> list[tuple[int, int, str]]:
    """Sorts names as people do: digits by their value, letters without regard to case."""
    parts = re.split(r"([0-9]+)", name.casefold())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def is_image_name(path: PurePath | str) -> bool:
    """Whether the name ends as an image's does."""
    # What pathlib calls the suffix, without a Path for each file of a large folder.
    name = path if isinstance(path, str) else path.name
    stem, dot, suffix = name.rpartition(".")
    return bool(stem) and dot + suffix.lower() in _SUFFIXES


def is_image(data: bytes) -> bool:
    """Whether the bytes begin as an image's do, be it damaged or too large."""
    try:
        inspect(data)
    except FrameError as error:
        return error.reason not in ("empty", "not_an_image")
    return True
