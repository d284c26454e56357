"""Sinks: where frames and events go. To add one: a file beside this one, a line in SINKS, a test."""

import re
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from consumers.sinks.folder import FolderSink
from consumers.sinks.jsonl import JsonlSink
from consumers.sinks.mp4 import Mp4Sink
from consumers.sinks.sink import Kind, Sink, SinkOptions
from consumers.sinks.webhook import WebhookSink
from streams.contract.errors import SettingError

__all__ = ["SINKS", "Kind", "Sink", "SinkOptions", "choose_sink"]

SinkFactory = Callable[[str, SinkOptions], Sink[Any]]
# By the scheme or the ending of what `--to` names; "" is a folder. Others come as entry points `framelane.sinks`, named
# likewise, without the dot or the colon.
SINKS: Mapping[str, SinkFactory] = {
    "": FolderSink,
    ".mp4": Mp4Sink,
    ".jsonl": JsonlSink,
    "http:": WebhookSink,
    "https:": WebhookSink,
}
ENTRY_POINTS = "framelane.sinks"
_SCHEME = re.compile(r"([a-z][a-z0-9+.-]+:)//", re.IGNORECASE | re.ASCII)
_FLAGS = {"fps": "--fps", "rotate_s": "--rotate", "headers": "--header-env and --header-file"}


def choose_sink(to: str, *, options: SinkOptions | None = None) -> Sink[Any]:
    """The sink for DIR (or anything with a slash at its end), FILE.mp4, FILE.jsonl or http(s)://...; not yet set up.

    Raises SettingError for what nobody knows, and for options that the sink does not heed.
    """
    if not to:
        raise SettingError("--to '': expected DIR, FILE.mp4, FILE.jsonl or http(s)://...")
    options = options or SinkOptions()
    scheme = _SCHEME.match(to)
    sink = _factory(scheme[1].lower() if scheme else _ending(to), to)(to, options)
    for name, flag in _FLAGS.items():
        if getattr(options, name) not in (None, {}) and name not in sink.options:
            raise SettingError(f"{flag}: has no meaning for --to {sink.name}")
    return sink


def _ending(to: str) -> str:
    path = Path(to)
    return "" if to.endswith("/") or path.is_dir() else path.suffix.lower()


def _factory(key: str, to: str) -> SinkFactory:
    if key in SINKS:
        return SINKS[key]
    others = entry_points(group=ENTRY_POINTS)
    name = key.strip(".:")
    if name in others.names:
        return cast(SinkFactory, others[name].load())
    known = ", ".join(sorted({*SINKS, *(f".{other}" for other in others.names)} - {""}))
    if key.endswith(":"):
        # The rest of an address may be a secret.
        raise SettingError(f"--to {key}//...: expected a file or an address of one of {known}")
    raise SettingError(f"--to {to!r}: expected a file ending in one of {known}, or a folder; {to + '/'!r} is one")
