"""A folder that pictures are put into: those that are there in natural order, and then each new one, for ever.

The file system is asked; notifications by the kernel are not to be had on network file systems.
"""

import logging
import os
import stat
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from producers.sources.base import Grab, SourceOptions
from producers.sources.decoders import UNTOUCHED
from producers.sources.image_files import EXPECTED, is_image, is_image_name, natural_key
from streams.contract.errors import SourceError, SourceLost
from streams.contract.images import MAX_BYTES
from streams.contract.jpeg_markers import has_end

logger = logging.getLogger(__name__)

POLL_S = 0.5
# A file that is no whole picture is waited for so long after its last change; whoever writes it may be slow.
PATIENCE_S = 5.0
# Looking takes a twentieth of the time, and to look at what was given once more as much, at the most: 100,000 files
# on a local disk take 0.1 s by their names, and 0.5 s where the state of each is asked for. One look that is held up,
# by a network, must not put off the next for long.
_REST_FOR_EACH_S = 20.0
_LONGEST_REST_S, _LONGEST_SECOND_LOOK_S = 10.0, 600.0


class Signature(NamedTuple):
    """By what a file is known to be the same as before. size: bytes. Times in ns since 1970."""

    size: int
    mtime_ns: int
    inode: int
    ctime_ns: int

    def is_as(self, other: "Signature") -> bool:
        """Whether it is the same picture, as far as can be told without reading it.

        Some network file systems number a file anew whenever they look, and a change of rights alters ctime: only both
        at once tell of another file of the same size and time.
        """
        same = self.size == other.size and self.mtime_ns == other.mtime_ns
        return same and (self.inode == other.inode or self.ctime_ns == other.ctime_ns)


@dataclass(slots=True)
class _Waiting:
    """A file that is not given yet. since_s: when it was first seen as it is now. from_start: it was there before."""

    signature: Signature
    since_s: float
    from_start: bool
    warned: bool = False


@dataclass(slots=True)
class _Given:
    """What has been given, by name: of one folder, and of the one that was in its place before.

    The other is for a mount that goes, leaving an empty folder, and comes back: that is two changes of folder.
    """

    folder: tuple[int, int] = (0, 0)
    files: dict[str, Signature] = field(default_factory=dict)
    before: dict[str, Signature] = field(default_factory=dict)

    def open(self, folder: tuple[int, int]) -> None:
        """From now on it is about the folder with this device and inode."""
        if folder != self.folder and self.files:
            self.files, self.before = {}, self.files
        self.folder = folder

    def has(self, name: str, signature: Signature) -> bool:
        """Whether this picture was given."""
        known = self.files.get(name)
        if known is None and (known := self.before.get(name)) is not None and known.is_as(signature):
            self.files[name] = known
        return known is not None and (known == signature or known.is_as(signature))


class WatchedFolder:
    """Gives a file once it is whole: unchanged between two looks, and, of a JPEG, with an end.

    One that is no whole image, and has not changed for five seconds, is warned of, counted as damaged and left out; one
    that cannot be read is tried again. A file that changes later on, or has another in its place, is a new picture; one
    that changes with every look is never taken. Files that are new since it was opened come in the order of their
    mtimes, which are their capture times; of those that were there, it is the time at which they are given.

    Names and signatures of the files that are there are remembered in the options' memory, so that nothing is given
    twice when the folder is lost and opened again. A process that is started anew begins with all files.
    """

    live = True
    waits = True
    keeps = True
    fps = 0.0
    decoder = UNTOUCHED

    def __init__(
        self,
        path: Path,
        options: SourceOptions,
        *,
        wait: Callable[[float], bool] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """wait: takes seconds; True when it is stopped meanwhile; default `options.stop.wait`. clock: s, monotonic.

        Raises SourceError when the folder cannot be read.
        """
        self.name = str(path)
        self.damaged = 0
        self._path, self._options = path, options
        self._wait, self._clock = wait or options.stop.wait, clock
        given = options.memory.setdefault(f"given of {self.name}", _Given())
        assert isinstance(given, _Given)
        self._given = given
        self._waiting: dict[str, _Waiting] = {}
        self._ready: deque[str] = deque()
        self._next_s = self._next_second_s = 0.0
        self._rest_s = POLL_S
        try:
            self._folder = self._identity()
            self._given.open(self._folder)
            self._look(first=True)
        except OSError as error:
            raise SourceError(f"source {self.name!r}: the folder cannot be read: {error.strerror}") from error

    def grab(self) -> Grab | None:
        """The next picture, however long that takes; None when it is stopped.

        Raises SourceLost when the folder is gone, or another is in its place.
        """
        while True:
            while self._ready:
                grab = self._take(self._ready.popleft())
                if grab is not None:
                    return grab
            if self._wait(max(0.0, self._next_s - self._clock())) or self._options.stop.is_set():
                return None
            try:
                self._look()
            except OSError as error:
                raise self._lost(error) from error

    def close(self) -> None:
        """Nothing is open between two grabs."""

    def _look(self, *, first: bool = False) -> None:
        """See what has changed; what is as it was the time before is ready to be read."""
        started = self._clock()
        # Whether what was given has changed since then is asked less often in a large folder.
        second = started >= self._next_second_s
        there: set[str] = set()
        waiting: dict[str, _Waiting] = {}
        ready: list[str] = []
        with os.scandir(self._path) as entries:
            for entry in entries:
                name = entry.name
                if self._options.stop.is_set():
                    return
                if not second and name in self._given.files:
                    there.add(name)
                    continue
                signature = _signature(entry)
                if signature is None:
                    continue
                there.add(name)
                if self._given.has(name, signature):
                    continue
                known = self._waiting.get(name)
                if known is None or not known.signature.is_as(signature):
                    waiting[name] = _Waiting(signature, started, first)
                else:
                    waiting[name] = known
                    ready.append(name)
        self._check_folder()
        self._waiting = waiting
        for name in self._given.files.keys() - there:
            del self._given.files[name]
        self._ready = deque(sorted(ready, key=self._order))
        ended = self._clock()
        if second:
            self._next_second_s = ended + rest_s(ended - started, longest_s=_LONGEST_SECOND_LOOK_S)
        else:
            self._rest_s = rest_s(ended - started)
        self._next_s = ended + self._rest_s

    def _order(self, name: str) -> tuple[int, list[tuple[int, int, str]], str]:
        waiting = self._waiting[name]
        return 0 if waiting.from_start else waiting.signature.mtime_ns, natural_key(name), name

    def _check_folder(self) -> None:
        """Raises SourceLost when it is gone, or another is in its place: what is missing now may come back."""
        try:
            found = self._identity()
        except OSError as error:
            raise self._lost(error) from error
        if found != self._folder:
            raise SourceLost(f"source {self.name!r}: another folder is in its place")

    def _lost(self, error: OSError) -> SourceLost:
        return SourceLost(f"source {self.name!r}: the folder cannot be read: {error.strerror}")

    def _identity(self) -> tuple[int, int]:
        found = self._path.stat()
        return found.st_dev, found.st_ino

    def _take(self, name: str) -> Grab | None:
        """The picture in a file; None where it is gone, still being written, or no picture."""
        waiting, file = self._waiting[name], self._path / name
        try:
            with file.open("rb") as opened:
                # One that is too large is cut, and refused where that is counted.
                data = opened.read(MAX_BYTES + 1)
                now = _signature_of(os.fstat(opened.fileno()))
        except OSError as error:
            self._check_folder()
            if not waiting.warned and not isinstance(error, FileNotFoundError):
                logger.warning("%s cannot be read yet: %s", file, error, extra={"source": self.name})
            waiting.warned = True
            return None
        if not now.is_as(waiting.signature):
            return None
        jpeg = data.startswith(b"\xff\xd8")
        whole = has_end(data) if jpeg else is_image(data)
        if not whole and self._clock() - waiting.since_s < PATIENCE_S:
            return None
        del self._waiting[name]
        self._given.files[name] = waiting.signature
        if not whole:
            found = "it ends early" if jpeg else f"expected {EXPECTED}"
            logger.warning("skipped %s: %s", file, found, extra={"source": self.name})
            self.damaged += 1
            return None
        made_ns = 0 if waiting.from_start else waiting.signature.mtime_ns
        return Grab(picture=data, captured_at_ns=made_ns if made_ns > 0 else self._options.clock())


def rest_s(took_s: float, *, longest_s: float = _LONGEST_REST_S) -> float:
    """How long to wait after a look that took so long, in seconds."""
    return min(longest_s, max(POLL_S, _REST_FOR_EACH_S * took_s))


def _signature(entry: "os.DirEntry[str]") -> Signature | None:
    """That of an image, by its name; None for whatever else is there."""
    if entry.name.startswith(".") or not is_image_name(entry.name):
        return None
    try:
        found = entry.stat()
    except OSError:
        # Gone since it was listed, or a link to nowhere.
        return None
    return _signature_of(found) if stat.S_ISREG(found.st_mode) else None


def _signature_of(found: os.stat_result) -> Signature:
    return Signature(found.st_size, found.st_mtime_ns, found.st_ino, found.st_ctime_ns)
