"""Metadata as a file of JSON lines."""

from io import BufferedRandom
from pathlib import Path

import msgspec

from consumers.metadata import metadata_json
from consumers.sinks.failed_write import failed_write
from consumers.sinks.sink import SinkOptions
from streams.contract.frame import Frame


class JsonlSink:
    """Appends one JSON object a frame (`consumers.metadata`) to a file.

    After a kill the lines since the last flush may be there twice, and half a line at the end is taken away. A whole
    one that merely lacks its line break stays.
    """

    def __init__(self, path: Path, _: SinkOptions) -> None:
        self._path = path
        self._file: BufferedRandom | None = None

    def setup(self) -> None:
        """Make the folders, open the file, and mend the end that a killed run left unfinished."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self._path.open("a+b")
            _end_last_line(self._file)
        except OSError as error:
            raise failed_write(self._path, error) from error

    def add(self, frame: Frame) -> None:
        """Write the frame's line into the buffer."""
        try:
            self._open_file.write(metadata_json(frame) + b"\n")
        except OSError as error:
            raise failed_write(self._path, error) from error

    def flush(self) -> bool:
        """Hand the buffer to the operating system."""
        try:
            self._open_file.flush()
        except OSError as error:
            raise failed_write(self._path, error) from error
        return True

    def close(self) -> None:
        """Write what is left, and close the file."""
        try:
            self._open_file.close()
        except OSError as error:
            raise failed_write(self._path, error) from error

    @property
    def _open_file(self) -> BufferedRandom:
        assert self._file is not None, "setup() comes first"
        return self._file


def _end_last_line(file: BufferedRandom) -> None:
    """Leave the file ending with a line break, or empty: a whole line gets its break, half a one is cut off."""
    size = file.seek(0, 2)
    start = _start_of_last_line(file, size)
    file.seek(start)
    if start < size:
        if _is_json(file.read()):
            file.write(b"\n")
        else:
            file.truncate(start)
    file.seek(0, 2)


def _start_of_last_line(file: BufferedRandom, size: int) -> int:
    end = size
    while end > 0:
        start = max(0, end - 65536)
        file.seek(start)
        at = file.read(end - start).rfind(b"\n")
        if at >= 0:
            return start + at + 1
        end = start
    return 0


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
