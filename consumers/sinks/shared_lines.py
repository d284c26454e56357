"""A file of JSON lines that several recorders may append to, and that a kill may have left with half a line."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from consumers.sinks.claim import try_lock, unlock

# What is read of a file that is there: more than comes again after a kill, and no archive of years.
TAIL_BYTES = 64 * 1024 * 1024


class SharedLines:
    """Hands each line that is there already, or that others append, to `on_line`; appends under a lock.

    Raises OSError. What lies more than `tail_bytes` before the end is not read.
    """

    def __init__(self, path: Path, on_line: Callable[[bytes], None], *, tail_bytes: int = TAIL_BYTES) -> None:
        self._path, self._on_line, self._tail_bytes = path, on_line, tail_bytes
        self._handle = -1
        self._read_to = 0

    def open(self) -> None:
        """Make the folders and the file, and read what is there."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o666)
        size = os.fstat(self._handle).st_size
        self._read_to = max(0, size - self._tail_bytes)
        if self._read_to:
            # From the middle of a line, which is none: up to the first one that is whole.
            self._read_to += self._start_of_line(self._read_to)
        with self.locked():
            pass

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else appends within this block, and all that others have appended before it is read."""
        locked = try_lock(self._handle, wait=True)
        try:
            self._read_news()
            yield
        finally:
            if locked:
                unlock(self._handle)

    def append(self, lines: list[bytes]) -> None:
        """Write lines, each ending with its line break, and see that the disk has them. Call it within `locked`."""
        if not lines:
            return
        before, block = os.fstat(self._handle).st_size, memoryview(b"".join(lines))
        try:
            while block:
                block = block[os.write(self._handle, block) :]
            os.fsync(self._handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._handle, before)
            raise
        self._read_to = os.fstat(self._handle).st_size

    def close(self) -> None:
        """Close the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def _read_news(self) -> None:
        size = os.fstat(self._handle).st_size
        if size < self._read_to:
            # Somebody has emptied it.
            self._read_to = 0
        rest = b""
        while self._read_to < size:
            block = os.pread(self._handle, min(1 << 20, size - self._read_to), self._read_to)
            if not block:
                break
            self._read_to += len(block)
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                self._on_line(line)
        if rest:
            self._end_line(rest)

    def _end_line(self, rest: bytes) -> None:
        """The file ends without a line break: a whole line gets its break, half a one of a killed run is cut off."""
        if _is_json(rest):
            self._on_line(rest)
            os.write(self._handle, b"\n")
            self._read_to += 1
        else:
            self._read_to -= len(rest)
            os.ftruncate(self._handle, self._read_to)

    def _start_of_line(self, start: int) -> int:
        """How far from there the next line begins."""
        skipped = 0
        while block := os.pread(self._handle, 65536, start + skipped):
            at = block.find(b"\n")
            if at >= 0:
                return skipped + at + 1
            skipped += len(block)
        # One line without an end that is longer than all that is read: it is left alone.
        return skipped


def _is_json(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True
