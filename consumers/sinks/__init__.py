"""Sinks: where frames go. To add one: a file beside this one, a line in SINKS, a test."""

from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import cast

from consumers.sinks.folder import FolderSink
from consumers.sinks.jsonl import JsonlSink
from consumers.sinks.mp4 import Mp4Sink
from consumers.sinks.sink import Sink, SinkOptions
from streams.contract.errors import SettingError

__all__ = ["SINKS", "Sink", "SinkOptions", "open_sink"]

SinkFactory = Callable[[Path, SinkOptions], Sink]
# By the ending of what `--to` names; "" is a folder. Others come as entry points `framelane.sinks`, named likewise.
SINKS: Mapping[str, SinkFactory] = {"": FolderSink, ".mp4": Mp4Sink, ".jsonl": JsonlSink}
ENTRY_POINTS = "framelane.sinks"


def open_sink(to: str, *, options: SinkOptions | None = None) -> Sink:
    """The sink for a path, chosen by its ending and set up: DIR (or anything with a slash at its end), .mp4, .jsonl.

    Raises SettingError for an ending that nobody knows, SinkError when writing there cannot work.
    """
    if not to:
        raise SettingError("--to '': expected DIR, FILE.mp4 or FILE.jsonl")
    path = Path(to)
    ending = "" if to.endswith("/") or path.is_dir() else path.suffix.lower()
    sink = _factory(ending, to)(path, options or SinkOptions())
    sink.setup()
    return sink


def _factory(ending: str, to: str) -> SinkFactory:
    if ending in SINKS:
        return SINKS[ending]
    others = entry_points(group=ENTRY_POINTS)
    name = ending.removeprefix(".")
    if name not in others.names:
        known = ", ".join(sorted({*SINKS, *(f".{other}" for other in others.names)} - {""}))
        raise SettingError(f"--to {to!r}: expected a file ending in one of {known}, or a folder; {to + '/'!r} is one")
    return cast(SinkFactory, others[name].load())
