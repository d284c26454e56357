"""Where pictures come from: one source a file.

A source is named by a string: `synthetic:`, `device:0`, `stdin:`, an address, or the path of a video, an image or a
folder. To add one: a file with an opener, and its scheme in SOURCES; or, in another distribution, an entry point of the
group `framelane.sources` whose name is the scheme.
"""

import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from producers.sources.base import Grab, LeftOut, Opener, Selection, Source, SourceOptions
from streams.contract.errors import SourceError
from streams.contract.redact import redact

# Loaded when one is opened: each of many readers' processes has but one.
SOURCES: dict[str, str] = {
    "synthetic": "synthetic:open_synthetic",
    "device": "device:open_device",
    "rtsp": "network:open_network",
    "rtsps": "network:open_network",
    "http": "http:open_http",
    "https": "http:open_http",
    "stdin": "stdin:open_stdin",
}
ENTRY_POINTS = "framelane.sources"
_SCHEME = re.compile(r"([a-z][a-z0-9+-]*):", re.ASCII | re.IGNORECASE)
_MAX_SHOWN = 200

__all__ = ["ENTRY_POINTS", "SOURCES", "Grab", "LeftOut", "Selection", "Source", "SourceOptions", "open_source"]


def open_source(text: str, options: SourceOptions) -> Source:
    """Open the source that the text names.

    Raises SourceError when it is missing or not what it was said to be, SettingError when its options are wrong.
    """
    path = Path(text)
    missing = "no such file or folder"
    try:
        is_there = bool(text) and path.exists()
    except OSError as error:
        is_there, missing = False, f"no file or folder: {error.strerror}"
    if is_there:
        return _open_path(path, options)
    found = _SCHEME.match(text)
    if found is None:
        raise SourceError(f"source {_shown(text)!r}: {missing}")
    scheme = found[1].lower()
    opener = _ours(scheme) or _from_entry_point(scheme)
    if opener is None:
        known = ", ".join(f"{name}:" for name in SOURCES)
        raise SourceError(
            f"source {_shown(text)!r}: {missing}, and no source is called {scheme[:_MAX_SHOWN]!r}; known: {known}"
        )
    return opener(scheme + text[found.end(1) :], options)


def _shown(text: str) -> str:
    shown = redact(text)
    return shown if len(shown) <= _MAX_SHOWN else shown[:_MAX_SHOWN] + "..."


def _open_path(path: Path, options: SourceOptions) -> Source:
    from producers.sources.folder import is_image_name, open_folder, open_image
    from producers.sources.video_file import open_video_file

    if path.is_dir():
        return open_folder(path, options)
    if is_image_name(path):
        return open_image(path, options)
    return open_video_file(path, options)


def _ours(scheme: str) -> Opener | None:
    if scheme not in SOURCES:
        return None
    module, _, name = SOURCES[scheme].partition(":")
    return cast(Opener, getattr(import_module(f"{__name__}.{module}"), name))


def _from_entry_point(scheme: str) -> Opener | None:
    for found in entry_points(group=ENTRY_POINTS, name=scheme):
        try:
            return cast(Opener, found.load())
        except (ImportError, AttributeError) as error:
            raise SourceError(
                f"source {scheme!r}: its entry point {found.value!r} cannot be loaded: {error}"
            ) from error
    return None
