"""Which files a try-out's operators may open: whoever sees the page must not read this machine's disk with them.

Those below the folder of models, and those that a running pipeline names; of either, only networks and lists of labels.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from consumers.reported import Reported
from consumers.view.pipelines.tryout import Wrong
from streams.contract.settings_values import shown
from streams.operators import OPERATORS

SUFFIXES = {"model": (".onnx",), "labels": (".txt", ".names", ".labels")}
_MAX_LISTED = 200
_EXPECTED = "the name of a file below the folder that --models gives, or one that a running pipeline names"


class Files:
    """The files that may be opened. folder: of models, or None. reports: the last of each instance."""

    def __init__(self, folder: Path | None, reports: Callable[[], Sequence[Reported]]) -> None:
        self._folder = folder.resolve() if folder is not None else None
        self._reports = reports

    def names(self) -> list[str]:
        """What there is to choose from, sorted."""
        found = set(self._running())
        if self._folder is not None:
            wanted = tuple(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)
            below = (str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if path.suffix in wanted)
            found.update(name for name in below if self._path(name, wanted))
        return sorted(found)[:_MAX_LISTED]

    def resolved(self, place: int, op: str, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], list[Wrong]]:
        """The parameters with the paths that are to be opened, and a mistake for each that may not be.

        It tells nothing of files that may not be opened, not even whether they are there.
        """
        known, wrong = dict(parameters), []
        for name in getattr(OPERATORS[op], "files", ()):
            value = parameters.get(name)
            # A list of labels is none of files; what is no text at all the operator refuses.
            if not isinstance(value, str):
                continue
            path = self._path(value, SUFFIXES[name])
            if path is None:
                kinds = ", ".join(SUFFIXES[name])
                message = f"= {shown(value)}: expected {_EXPECTED} ({kinds})"
                wrong.append(Wrong(operator=place, key=name, message=message))
            else:
                known[name] = path
        return known, wrong

    def _path(self, value: str, suffixes: Sequence[str]) -> str | None:
        try:
            if value in self._running():
                real = Path(value).resolve()
                return value if real.suffix in suffixes and real.is_file() else None
            if self._folder is None:
                return None
            # What links lead to counts, not where they lie.
            real = (self._folder / value).resolve()
            sound = real.is_relative_to(self._folder) and real.suffix in suffixes and real.is_file()
        except (OSError, ValueError):
            return None
        return str(real) if sound else None

    def _running(self) -> set[str]:
        return {path for each in self._reports() if each.running for path in _paths(each.status.settings)}


def _paths(settings: Mapping[str, Any]) -> Iterable[str]:
    entries = settings.get("operators")
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("op") not in OPERATORS:
            continue
        for name in getattr(OPERATORS[entry["op"]], "files", ()):
            if isinstance(path := entry.get(name), str):
                yield path
