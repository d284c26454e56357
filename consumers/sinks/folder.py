"""Pictures as files: their bytes as they came, one folder a camera."""

import hashlib
import re
from pathlib import Path

from consumers.sinks.failed_write import failed_write
from consumers.sinks.sink import SinkOptions
from streams.contract.frame import Frame
from streams.contract.identity import camera_source
from streams.contract.images import EXTENSIONS

_MAX_NAME = 150
_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]+")


def file_name(frame: Frame) -> str:
    """`<epoch>-<sequence>.jpg`, and `<epoch>-<sequence>-<pipeline>.jpg` for what a pipeline made of it.

    Made of the frame's identity alone, so that a repeat replaces itself, and sorted by name is sorted by time.
    """
    maker = "" if frame.source == camera_source(frame.camera_id) else "-" + frame.source.rpartition("/")[2]
    stem = _short(frame.epoch) + f"-{frame.sequence:09d}" + _short(_UNSAFE.sub("_", maker))
    return stem + EXTENSIONS[frame.content_type]


def _short(text: str) -> str:
    # File systems take names of 255 bytes; epochs and sources of others may be longer.
    if len(text) <= _MAX_NAME // 2:
        return text
    return text[: _MAX_NAME // 2 - 9] + "-" + hashlib.sha256(text.encode()).hexdigest()[:8]


class FolderSink:
    """Writes `<folder>/<camera_id>/<file_name>`; a file is there as a whole or not at all."""

    def __init__(self, path: Path, _: SinkOptions) -> None:
        self._folder = path
        self._made: set[str] = set()

    def setup(self) -> None:
        """Make the folder, and see that a file can be written in it."""
        probe = self._folder / ".framelane-probe"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            probe.write_bytes(b"")
            probe.unlink(missing_ok=True)
        except OSError as error:
            raise failed_write(self._folder, error) from error

    def add(self, frame: Frame) -> None:
        """Write the picture's bytes, untouched."""
        folder = self._folder / frame.camera_id
        path = folder / file_name(frame)
        unfinished = folder / f".{path.name}.part"
        try:
            if frame.camera_id not in self._made:
                folder.mkdir(exist_ok=True)
                self._made.add(frame.camera_id)
            unfinished.write_bytes(frame.data)
            unfinished.replace(path)
        except OSError as error:
            _remove(unfinished)
            raise failed_write(path, error) from error

    def flush(self) -> bool:
        """Every file is whole once `add` returns."""
        return True

    def close(self) -> None:
        """Nothing is open."""


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
