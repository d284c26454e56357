"""JPEGs out of a stream of them: what a camera sends over HTTP, or `ffmpeg -f image2pipe -c mjpeg -` writes.

The markers of each JPEG are followed (ITU-T T.81, annex B), so that a thumbnail within one is not taken for its end.
Boundaries between them are not relied on, for cameras get them wrong, and neither are lengths: one that leads to an end
saves following the markers, until the first that does not.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_START, _MARKER, _END = b"\xff\xd8\xff", 0xFF, 0xD9
_SCAN, _NEXT_START = 0xDA, 0xD8
_EOI = bytes((_MARKER, _END))
# In the data of a scan: neither a stuffed byte, nor a restart, nor a fill byte.
_MARKER_IN_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_LENGTH = re.compile(rb"^content-length:[ \t]*([0-9]{1,9})[ \t]*\r?$", re.IGNORECASE | re.MULTILINE)
_ALONE = frozenset((0x01, *range(0xD0, 0xD8)))
MAX_JPEG_BYTES = 32 * 1024 * 1024
# Of what comes between two pictures no more is kept: it is the headers of a part.
_MAX_BETWEEN = 4096
_MAX_DAMAGED = 64


class Found(NamedTuple):
    """A picture, and what came before it: the headers of its part, or nothing; more, where one before it was cut."""

    before: bytes
    jpeg: bytes


class JpegSplitter:
    """Takes bytes as they come, and gives whole pictures. damaged: pictures that had no sound end."""

    def __init__(self, *, max_bytes: int = MAX_JPEG_BYTES) -> None:
        """max_bytes: what is larger than that is damaged."""
        self._buffer, self._before = bytearray(), b""
        self._max_bytes = max_bytes
        # Where to go on in a picture that has begun, which then is at the buffer's beginning; 0 before it.
        self._at, self._in_scan = 0, False
        # What the headers say of the picture that has begun; 0 where they are not to be believed.
        self._told, self._believes = 0, True
        self.damaged = 0

    def feed(self, data: bytes) -> Iterator[Found]:
        """The pictures that are whole with these bytes."""
        self._buffer += data
        damaged = self.damaged
        while True:
            if self.damaged - damaged > _MAX_DAMAGED:
                # Made to look like pictures: each beginning would be followed anew.
                self._before, self._at = b"", 0
                del self._buffer[: -len(_START)]
                damaged = self.damaged
            if not self._at and not self._begin():
                return
            end = self._follow()
            if end > 0:
                yield Found(self._before, bytes(self._buffer[:end]))
                self._drop(end, before=b"")
            elif end < 0:
                # Another one begins in the midst of it, or nothing in it makes sense.
                self.damaged += 1
                self._drop(-end, before=bytes(self._buffer[max(0, -end - _MAX_BETWEEN) : -end]))
            else:
                return

    def _begin(self) -> bool:
        at = self._buffer.find(_START)
        kept = len(self._buffer) - (len(_START) - 1) if at < 0 else at
        if kept > 0:
            self._before = (self._before + bytes(self._buffer[:kept]))[-_MAX_BETWEEN:]
            del self._buffer[:kept]
        self._at, self._in_scan = (0 if at < 0 else 2), False
        self._told = self._length() if self._at and self._believes else 0
        return at >= 0

    def _length(self) -> int:
        lengths = _LENGTH.findall(self._before)
        return int(lengths[-1]) if lengths and int(lengths[-1]) <= self._max_bytes else 0

    def _drop(self, count: int, *, before: bytes) -> None:
        # before: of one that is cut, the tail may be the headers of the next.
        del self._buffer[:count]
        self._before, self._at = before, 0

    def _follow(self) -> int:
        """How long the picture is; 0 where more is needed; below 0, how much of it is to be left out."""
        if self._told:
            if len(self._buffer) < self._told:
                return 0
            if self._buffer[self._told - 2 : self._told] == _EOI:
                return self._told
            self._told, self._believes = 0, False
        while True:
            if self._at > self._max_bytes:
                return -2
            if self._in_scan:
                found = _MARKER_IN_SCAN.search(self._buffer, self._at)
                if found is None:
                    self._at = max(self._at, len(self._buffer) - 1)
                    return 0 if len(self._buffer) <= self._max_bytes else -2
                self._at, self._in_scan = found.start(), False
            if len(self._buffer) < self._at + 4 and not self._is_end():
                return 0
            marker = self._buffer[self._at + 1]
            if self._buffer[self._at] != _MARKER:
                return -2
            if marker == _END:
                return self._at + 2
            if marker == _NEXT_START:
                return -self._at
            if marker == _MARKER:
                self._at += 1
            elif marker in _ALONE:
                self._at += 2
            else:
                size = int.from_bytes(self._buffer[self._at + 2 : self._at + 4])
                if size < 2:
                    return -2
                self._at += 2 + size
                self._in_scan = marker == _SCAN

    def _is_end(self) -> bool:
        return self._buffer[self._at : self._at + 2] == _EOI
