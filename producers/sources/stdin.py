"""JPEGs one after the other on standard input, as `ffmpeg -i ... -f image2pipe -c:v mjpeg -` writes them: `stdin:`."""

import os
import select
from collections import deque

from producers.sources.base import LOOK_S, Grab, SourceOptions
from producers.sources.decoders import UNTOUCHED
from producers.sources.jpeg_stream import MAX_JPEG_BYTES, Found, JpegSplitter
from streams.contract.errors import SettingError, SourceError

_STDIN = 0
_CHUNK = 1024 * 1024
_NO_PICTURE = "what comes are no JPEGs; write them with `ffmpeg -i ... -f image2pipe -c:v mjpeg -`"


class Piped:
    """Passes pictures on byte for byte, as fast as they come; whoever writes them waits while the broker is away.

    It may be silent for as long as it likes: there is nothing to be opened again.
    """

    name = "stdin:"
    live = True
    waits = True
    fps = 0.0
    codec = "mjpeg"
    decoder = UNTOUCHED

    def __init__(self, options: SourceOptions, *, descriptor: int = _STDIN) -> None:
        """Raises SourceError when there is no standard input."""
        self._options, self._descriptor = options, descriptor
        self._splitter = JpegSplitter()
        self._found: deque[Found] = deque()
        self._fruitless = 0
        try:
            os.fstat(descriptor)
        except OSError as error:
            raise SourceError(f"source {self.name!r}: there is no standard input: {error.strerror}") from error

    @property
    def damaged(self) -> int:
        """Pictures that had no sound end."""
        return self._splitter.damaged

    def grab(self) -> Grab | None:
        """The next picture; None when the writer has ended, or when it is stopped."""
        while not self._found:
            data = self._read()
            if not data:
                if data is None or self._fruitless == 0:
                    return None
                raise SourceError(f"source {self.name!r}: {_NO_PICTURE}")
            self._found += self._splitter.feed(data)
            self._fruitless = 0 if self._found else self._fruitless + len(data)
            if self._fruitless > 2 * MAX_JPEG_BYTES:
                raise SourceError(f"source {self.name!r}: {_NO_PICTURE}")
        return Grab(picture=self._found.popleft().jpeg, captured_at_ns=self._options.clock())

    def close(self) -> None:
        """It is not ours to close."""

    def _read(self) -> bytes | None:
        """What has come; empty at the end, None when it is stopped."""
        try:
            while not self._options.stop.is_set():
                if select.select([self._descriptor], [], [], LOOK_S)[0]:
                    return os.read(self._descriptor, _CHUNK)
        except OSError as error:
            raise SourceError(f"source {self.name!r}: cannot be read: {error.strerror}") from error
        return None


def open_stdin(text: str, options: SourceOptions) -> Piped:
    """Open `stdin:`."""
    if text != "stdin:":
        raise SettingError(f"source {text!r}: expected stdin:, with nothing behind it")
    return Piped(options)
