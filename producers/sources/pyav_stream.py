"""A stream from the network, read by PyAV: rtsp://, http:// (MJPEG or a video), and their secure forms."""

from producers.sources.base import DEFAULT_FPS, Grab, SourceOptions
from producers.sources.breaks_off import WHOLE
from producers.sources.camera_clock import CameraClock
from producers.sources.pyav_reader import DECODER, PyavReader, Shot, Unreadable
from producers.sources.pyav_times import Positions
from streams.contract.errors import SourceError, SourceLost
from streams.contract.redact import redact

# For each of the two steps of opening: until the camera has answered, and until it is known what it sends.
OPEN_S = 10.0
_RTSP = {
    # Over UDP one lost packet smears the picture until the next key frame.
    "rtsp_transport": "tcp",
    # Sound is not even asked for.
    "allowed_media_types": "video",
    # FFmpeg would look at 20 frames and more only to guess their pace; those are all given at once then, and late.
    "fpsprobesize": "0",
}


class PyavStream:
    """Reads a stream through FFmpeg, RTSP over TCP; both opening and reading have a time limit.

    Capture times are this host's until the camera tells its own in RTCP sender reports (camera_clock.py). The JPEGs of
    an MJPEG stream pass byte for byte, where each stands on its own. A video of known length (a file behind http) is no
    live source: it is paced as a file, has positions, and ends, or loops.
    """

    decoder = DECODER

    def __init__(self, url: str, options: SourceOptions) -> None:
        """Raises SourceError when the address gives no stream in time."""
        self.name = redact(url)
        self._url, self._options = url, options
        self._damaged_before = 0
        self._reader, self._positions = self._open()
        self.codec, self.fps = self._reader.codec, self._reader.fps
        self.live = self._reader.length_s == 0
        self._clock = CameraClock(options.clock)
        self._last_ns = 0

    @property
    def damaged(self) -> int:
        """Pictures that came broken, or cannot be decoded."""
        return self._damaged_before + self._reader.damaged

    def grab(self) -> Grab | None:
        """The next picture; None at the end of a video of known length, unless it loops."""
        shot = self._next()
        if shot is None and not self._options.loop:
            return None
        if shot is None:
            self._rewind()
            shot = self._next()
        if shot is None:
            raise SourceLost(f"source {self.name!r}: could be read, and now has no picture")
        if self.live:
            return Grab(picture=shot.picture, captured_at_ns=self._clock.time_of(shot.told_ns))
        self._last_ns = self._positions.of(shot.pts)
        return Grab(picture=shot.picture, captured_at_ns=self._options.clock(), media_time_ns=self._last_ns)

    def close(self) -> None:
        """Hang up."""
        self._reader.close()

    def _open(self) -> tuple[PyavReader, Positions]:
        settings = _RTSP if self._url.startswith("rtsp") else {}
        try:
            reader = PyavReader(self._url, settings=settings, open_s=OPEN_S, read_s=self._options.silence_s)
        except Unreadable as error:
            raise SourceError(
                f"source {self.name!r}: no stream can be opened there: {error}; "
                "check the address, the user and the password, and that the camera can be reached from here"
            ) from error
        return reader, Positions(time_base=reader.time_base, start=reader.start, fps=reader.fps or DEFAULT_FPS)

    def _next(self) -> Shot | None:
        """The next picture; None where a video of known length is at its end."""
        try:
            shot, why = self._reader.next(within_s=self._options.silence_s), "it ended"
        except Unreadable as error:
            shot, why = None, str(error)
        if shot is None and not self._at_end():
            raise SourceLost(f"source {self.name!r}: the stream broke off: {why}")
        return shot

    def _at_end(self) -> bool:
        # FFmpeg takes a server that tells no length, and hangs up after the last byte, for one that breaks off.
        read_s = self._last_ns / 1_000_000_000 + 1 / (self.fps or DEFAULT_FPS)
        return not self.live and read_s >= WHOLE * self._reader.length_s

    def _rewind(self) -> None:
        self.close()
        self._damaged_before += self._reader.damaged
        try:
            self._reader, self._positions = self._open()
        except SourceError as error:
            raise SourceLost(f"source {self.name!r}: could be read, and now cannot: {error}") from error
        self._last_ns = 0


def open_pyav_stream(url: str, options: SourceOptions) -> PyavStream:
    """Open a stream by its address; SourceError when there is none."""
    return PyavStream(url, options)
