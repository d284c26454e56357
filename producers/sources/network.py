"""A stream from the network: rtsp://, http:// (MJPEG or a video), and their secure forms."""

import cv2

from producers.sources.base import Grab, Source, SourceOptions
from producers.sources.capture import DECODER, OPEN_TIMEOUT_MS, READ_TIMEOUT_MS, codec_of, fps_of, open_capture, read
from producers.sources.decoders import chosen
from producers.sources.reader_process import ReaderProcess
from streams.contract.errors import SourceError, SourceLost
from streams.contract.images import Image
from streams.contract.redact import redact


class NetworkStream:
    """Reads a stream through FFmpeg, RTSP over TCP; both opening and reading have a time limit.

    A video of known length (a file behind http) is no live source: it is paced as a file, and it ends, or loops.
    """

    decoder = DECODER

    def __init__(self, url: str, options: SourceOptions) -> None:
        """Raises SourceError when the address gives no pictures in time."""
        self.name = redact(url)
        self._url, self._options = url, options
        self._capture = self._open()
        self.fps, self.codec = fps_of(self._capture), codec_of(self._capture)
        self._frames, self._expected = 0, int(self._capture.get(cv2.CAP_PROP_FRAME_COUNT))
        self.live = self._expected <= 1

    def grab(self) -> Grab | None:
        """The next picture; None at the end of a video of known length, unless it loops."""
        image = read(self._capture)
        if image is None and self._at_end():
            if not self._options.loop:
                return None
            image = self._first_again()
        if image is None:
            raise SourceLost(
                f"source {self.name!r}: the stream gave no picture for {READ_TIMEOUT_MS // 1000} s, or ended"
            )
        self._frames += 1
        return Grab(picture=image, captured_at_ns=self._options.clock())

    def close(self) -> None:
        """Hang up."""
        self._capture.release()

    def _open(self) -> cv2.VideoCapture:
        capture = open_capture(
            self._url,
            backend=cv2.CAP_FFMPEG,
            params={cv2.CAP_PROP_OPEN_TIMEOUT_MSEC: OPEN_TIMEOUT_MS, cv2.CAP_PROP_READ_TIMEOUT_MSEC: READ_TIMEOUT_MS},
        )
        if capture is None:
            raise SourceError(
                f"source {self.name!r}: no stream can be opened there within {OPEN_TIMEOUT_MS // 1000} s; "
                "check the address, the user and the password, and that the camera can be reached from here"
            )
        return capture

    def _at_end(self) -> bool:
        return not self.live and self._frames >= 0.9 * self._expected

    def _first_again(self) -> Image | None:
        self.close()
        try:
            self._capture = self._open()
        except SourceError as error:
            raise SourceLost(f"source {self.name!r}: could be read, and now cannot: {error}") from error
        self._frames = 0
        return read(self._capture)


def open_stream_here(text: str, options: SourceOptions) -> Source:
    """Open a stream by its address, in this process, with the decoder that the options want.

    Raises SourceError when there is none, SettingError when the decoder is not installed.
    """
    if chosen(options.decoder) == "opencv":
        return NetworkStream(text, options)
    from producers.sources.pyav_stream import open_pyav_stream

    return open_pyav_stream(text, options)


def open_network(text: str, options: SourceOptions) -> Source:
    """Open a stream by its address, in a process of its own where the options want it."""
    return ReaderProcess("stream", text, options) if options.apart else open_stream_here(text, options)
