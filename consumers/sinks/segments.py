"""Which frames the finished videos hold: a line for each, written before the video gets its name."""

import os
from bisect import bisect_right
from collections.abc import Iterator
from itertools import count
from pathlib import Path, PurePath

import msgspec

from consumers.sinks.shared_lines import SharedLines
from streams.contract.frame import Frame


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Frames of an epoch in a video: the sequences first to last, both included."""

    epoch: str
    first: int
    last: int


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A finished video.

    file, part: paths relative to the folder; part is what it was called while it was written. from_ns, to_ns: capture
    times of its first and last picture, ns since 1970. source: `ce_source`.
    """

    file: str
    part: str
    camera_id: str
    source: str
    from_ns: int
    to_ns: int
    frames: int
    runs: list[Run]


class Segments:
    """The list of the finished videos in a folder, which several recorders share.

    A kill leaves a part without a line, which is nobody's, or a part with one, which is complete and gets its name by
    whoever reads the list next. Raises OSError.
    """

    def __init__(self, path: Path, *, folder: Path) -> None:
        self._folder = folder
        self._lines = SharedLines(path, self._read)
        self._decoder = msgspec.json.Decoder(Segment)
        self._held: dict[tuple[str, str, str], _Held] = {}
        self._unnamed: list[Segment] = []

    def open(self) -> None:
        """Read the list."""
        self._lines.open()
        self.refresh()

    def refresh(self) -> None:
        """Read what others have finished since, and name what a kill left without a name."""
        with self._lines.locked():
            unnamed, self._unnamed = self._unnamed, []
            for segment in unnamed:
                self._name(segment)

    def holds(self, frame: Frame) -> bool:
        """Whether a video of the list has the frame."""
        held = self._held.get((frame.source, frame.camera_id, frame.epoch))
        return held is not None and held.has(frame)

    def publish(self, segment: Segment) -> str:
        """Note a video that is whole and on the disk, and give it its name, or the first of NAME.2 ... that is free.

        Returns the name.
        """
        with self._lines.locked():
            free = next(name for name in names(segment.file) if not (self._folder / name).exists())
            segment = msgspec.structs.replace(segment, file=free)
            self._lines.append([msgspec.json.encode(segment) + b"\n"])
            return self._name(segment)

    def close(self) -> None:
        """Close the list."""
        self._lines.close()

    def _name(self, segment: Segment) -> str:
        part = self._folder / segment.part
        for name in names(segment.file):
            if name != segment.file:
                # Somebody who knows nothing of the list has just taken the name that stands in it.
                self._lines.append([msgspec.json.encode(msgspec.structs.replace(segment, file=name)) + b"\n"])
            if rename_new(part, self._folder / name):
                self._hold(segment)
                return name
        raise AssertionError("there is always a next name")

    def _read(self, line: bytes) -> None:
        try:
            segment = self._decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return
        # The lock is held, so nobody is just about to name it.
        if (self._folder / segment.part).exists():
            self._unnamed = [other for other in self._unnamed if other.part != segment.part] + [segment]
        elif (self._folder / segment.file).exists():
            self._hold(segment)

    def _hold(self, segment: Segment) -> None:
        for run in segment.runs:
            key = (segment.source, segment.camera_id, run.epoch)
            self._held.setdefault(key, _Held()).add(run, newest_ns=segment.to_ns)


class _Held:
    """The sequences of an epoch, as runs that do not overlap."""

    def __init__(self) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        self._newest_ns = 0

    def add(self, run: Run, *, newest_ns: int) -> None:
        self._newest_ns = max(self._newest_ns, newest_ns)
        at = bisect_right(self._firsts, run.first)
        if at and self._lasts[at - 1] + 1 >= run.first:
            self._lasts[at - 1] = max(self._lasts[at - 1], run.last)
        else:
            self._firsts.insert(at, run.first)
            self._lasts.insert(at, run.last)

    def has(self, frame: Frame) -> bool:
        # A topic that was deleted and made again counts from 0 again: what is newer than all is not what is held.
        if frame.epoch.startswith("@") and frame.captured_at_ns > self._newest_ns:
            return False
        at = bisect_right(self._firsts, frame.sequence) - 1
        return at >= 0 and frame.sequence <= self._lasts[at]


def names(file: str) -> Iterator[str]:
    """The name, NAME.2, NAME.3 and so on, the ending behind."""
    yield file
    path = PurePath(file)
    yield from (str(path.with_name(f"{path.stem}.{number}{path.suffix}")) for number in count(2))


def rename_new(part: Path, path: Path) -> bool:
    """Give a file a name, and make its folder; False when another file has the name. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        # Unlike a rename, a link never takes a name that another process has just given away.
        os.link(part, path)
    except FileExistsError:
        # Killed between the link and its end.
        if not path.samefile(part):
            return False
    except OSError:
        # Some file systems have no links.
        if path.exists():
            return False
        part.replace(path)
        return True
    part.unlink()
    return True
