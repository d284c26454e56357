"""Cameras on the web whose pictures are JPEGs already: a stream of them (MJPEG), or one each time it is asked for.

They go out byte for byte. Whatever else is behind an address, FFmpeg reads (network.py).
"""

import re
import time
from collections import deque

import aiohttp

from producers.sources.base import Grab, Source, SourceOptions
from producers.sources.camera_clock import CameraClock
from producers.sources.decoders import UNTOUCHED
from producers.sources.jpeg_stream import Found, JpegSplitter
from producers.sources.network import open_network
from producers.sources.plain_socket import Stopped
from producers.sources.web import Web, why
from streams.contract.errors import SourceError, SourceLost
from streams.contract.images import MAX_BYTES
from streams.contract.jpeg_markers import has_end

# For all that it takes until there is a picture.
OPEN_S = 10.0
# For the rest of a snapshot.
PICTURE_S = 10.0
DEFAULT_SNAPSHOT_FPS = 1.0
_STREAM = "multipart/"
_CODECS = {
    "image/jpeg": "jpeg",
    "image/jpg": "jpeg",
    "image/pjpeg": "jpeg",
    "image/png": "png",
    "image/webp": "webp",
}
# Seconds since 1970, as axis, mjpg-streamer and others write it before each picture.
_TIMESTAMP = re.compile(rb"^x-timestamp:\s*([0-9]{1,10})(?:\.([0-9]{1,9}))?\s*$", re.IGNORECASE | re.MULTILINE)
_SECOND_NS = 1_000_000_000


class MjpegStream:
    """A stream of JPEGs. Capture times are the camera's own, where it says them before each picture."""

    live = True
    fps = 0.0
    codec = "mjpeg"
    decoder = UNTOUCHED

    def __init__(self, web: Web, options: SourceOptions) -> None:
        """Waits for the first picture; SourceLost when none comes in time."""
        self.name = web.name
        self._web, self._options = web, options
        self._splitter = JpegSplitter()
        self._found: deque[Found] = deque()
        self._times = CameraClock(options.clock)
        self._fill(OPEN_S)

    @property
    def damaged(self) -> int:
        """Pictures that had no sound end."""
        return self._splitter.damaged

    def grab(self) -> Grab | None:
        """The next picture, as its bytes came; None when it is stopped."""
        if not self._found:
            try:
                # One that gives no whole picture for so long is taken for lost, however busy it looks.
                self._fill(self._options.silence_s)
            except Stopped:
                return None
        found = self._found.popleft()
        return Grab(picture=found.jpeg, captured_at_ns=self._times.time_of(_told_ns(found.before)))

    def close(self) -> None:
        """Hang up."""
        self._web.close()

    def _fill(self, timeout_s: float) -> None:
        give_up = time.monotonic() + timeout_s
        while not self._found:
            left = give_up - time.monotonic()
            if left <= 0:
                raise SourceLost(f"source {self.name!r}: the stream gave no whole picture for {timeout_s:g} s")
            try:
                data = self._web.read(timeout_s=left)
            except TimeoutError:
                continue
            except (aiohttp.ClientError, OSError) as error:
                raise SourceLost(f"source {self.name!r}: the stream broke off: {why(error)}") from error
            if not data:
                raise SourceLost(f"source {self.name!r}: the stream ended")
            self._found += self._splitter.feed(data)


class Snapshots:
    """A picture each time it is asked for, `fps` times a second: that of the options, else one."""

    live = True
    paced = True
    decoder = UNTOUCHED

    def __init__(self, web: Web, options: SourceOptions, *, kind: str) -> None:
        """Takes the first picture; SourceError when it does not come. kind: its type, such as "image/jpeg"."""
        self.codec = _CODECS[kind]
        self.name = web.name
        self.fps = options.fps or DEFAULT_SNAPSHOT_FPS
        self._web, self._options = web, options
        self._due = time.monotonic()
        self._first: bytes | None = self._whole()

    def grab(self) -> Grab | None:
        """Ask for a picture, when it is time; None when it is stopped."""
        if self._options.stop.wait(max(0.0, self._due - time.monotonic())):
            return None
        self._due = max(self._due + 1 / self.fps, time.monotonic())
        picture, self._first = self._first, None
        try:
            picture = picture or self._next()
        except Stopped:
            return None
        except SourceError as error:
            raise SourceLost(str(error)) from error
        return Grab(picture=picture, captured_at_ns=self._options.clock())

    def close(self) -> None:
        """Hang up."""
        self._web.close()

    def _next(self) -> bytes:
        kind = self._web.open(timeout_s=OPEN_S)
        if kind not in _CODECS:
            raise SourceError(f"source {self.name!r}: it sends {kind[:40]!r} in place of a picture")
        return self._whole()

    def _whole(self) -> bytes:
        try:
            data = self._web.read_all(max_bytes=MAX_BYTES, timeout_s=PICTURE_S)
        except (aiohttp.ClientError, OSError) as error:
            raise SourceError(f"source {self.name!r}: the picture broke off: {why(error)}") from error
        if data.startswith(b"\xff\xd8") and not has_end(data):
            # Without a length, the end of the connection is all that tells the end of the picture.
            raise SourceError(f"source {self.name!r}: the picture broke off: it has no end")
        return data


def open_http(text: str, options: SourceOptions) -> Source:
    """Ask what is there, and open it as that."""
    web = Web(text, stop=options.stop)
    source: Source | None = None
    try:
        source = _opened(web, options)
    except Stopped:
        raise SourceError(f"source {web.name!r}: stopped while it was being opened") from None
    except SourceLost as error:
        raise SourceError(str(error)) from error
    finally:
        if source is None:
            web.close()
    return source or open_network(text, options)


def _opened(web: Web, options: SourceOptions) -> Source | None:
    """A source of pictures as they are; None where FFmpeg has to see what it is, or is asked for by name."""
    kind = web.open(timeout_s=OPEN_S)
    if kind.startswith(_STREAM) and options.decoder == "auto":
        return MjpegStream(web, options)
    return Snapshots(web, options, kind=kind) if kind in _CODECS else None


def _told_ns(before: bytes) -> int | None:
    """The time that the headers before a picture say, ns since 1970."""
    stamps = _TIMESTAMP.findall(before.replace(b"\r", b""))
    return _ns(*stamps[-1]) if stamps else None


def _ns(seconds: bytes, fraction: bytes) -> int:
    return int(seconds) * _SECOND_NS + int(fraction.ljust(9, b"0"))
