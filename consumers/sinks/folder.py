"""Pictures as files: their bytes as they came, by camera, day and hour."""

import hashlib
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import ClassVar

from consumers.received import ReceivedFrame
from consumers.sinks.claim import Claim, sweep
from consumers.sinks.failed_write import failed_write
from consumers.sinks.sink import Kind, SinkOptions
from streams.contract.frame import Frame
from streams.contract.identity import camera_source
from streams.contract.images import EXTENSIONS

_MAX_NAME = 150
_UNSAFE = re.compile(r"[^A-Za-z0-9@._-]+")


def file_path(frame: Frame) -> PurePosixPath:
    """`<camera>/<YYYY-MM-DD>/<HH>/<HHMMSS.mmm>-<epoch>-<sequence>.jpg`, `-<pipeline>.jpg` for what a pipeline made.

    In UTC, by the capture time. Made of the frame's identity and that time alone, so that a repeat replaces itself, and
    sorted by name is sorted by time.
    """
    at = capture_time(frame.captured_at_ns)
    clock = f"{at:%H%M%S}.{at.microsecond // 1000:03d}"
    maker = maker_of(camera_id=frame.camera_id, source=frame.source)
    stem = f"{clock}-{_short(frame.epoch)}-{frame.sequence:09d}{maker}"
    return PurePosixPath(frame.camera_id, f"{at:%Y-%m-%d}", f"{at:%H}", stem + EXTENSIONS[frame.content_type])


def capture_time(at_ns: int) -> datetime:
    """A time in ns since 1970 in UTC, cut off after the microseconds."""
    second = datetime.fromtimestamp(at_ns // 1_000_000_000, tz=UTC)
    return second.replace(microsecond=at_ns % 1_000_000_000 // 1000)


def maker_of(*, camera_id: str, source: str) -> str:
    """`-<pipeline>` as it stands at the end of a file's name; "" for a frame of the camera itself."""
    maker = "" if source == camera_source(camera_id) else "-" + source.rpartition("/")[2]
    return _short(_UNSAFE.sub("_", maker))


def _short(text: str) -> str:
    # File systems take names of 255 bytes; epochs and sources of others may be longer.
    if len(text) <= _MAX_NAME // 2:
        return text
    return text[: _MAX_NAME // 2 - 9] + "-" + hashlib.sha256(text.encode()).hexdigest()[:8]


class FolderSink:
    """Writes `<folder>/<file_path>`; a file is there as a whole or not at all. A repeat replaces itself."""

    takes: ClassVar[frozenset[Kind]] = frozenset({"frames"})
    options: ClassVar[frozenset[str]] = frozenset()
    waiting = False

    def __init__(self, to: str, _: SinkOptions) -> None:
        self.name, self._folder = to, Path(to)
        self.written = 0
        self.left_out: Counter[str] = Counter()
        self._claim = Claim(self._folder)

    def setup(self) -> None:
        """Make the folder, see that a file can be written in it, and remove what a killed run left unfinished."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._claim.take()
            sweep(self._folder)
        except OSError as error:
            raise failed_write(self._folder, error) from error

    def add(self, frame: ReceivedFrame, /) -> None:
        """Write the picture's bytes, untouched."""
        path, unfinished = self._folder / file_path(frame), self._claim.part("picture")
        try:
            unfinished.write_bytes(frame.data)
            _move(unfinished, path)
        except OSError as error:
            _remove(unfinished)
            raise failed_write(path, error) from error
        self.written += 1
        frame.done()

    def flush(self) -> None:
        """Every file is whole once `add` returns."""

    def settle(self) -> None:
        """As `flush`."""

    def close(self) -> None:
        """Nothing is open but the lock."""
        try:
            self._claim.release()
        except OSError as error:
            raise failed_write(self._folder, error) from error


def _move(unfinished: Path, path: Path) -> None:
    try:
        unfinished.replace(path)
    except FileNotFoundError:
        # The hour's first picture, or somebody has tidied up.
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.replace(path)


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
